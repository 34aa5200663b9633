/// The caller's side: utterances, what the recogniser makes of them, and keys.
extension PipelineMachine {
  mutating func speechStarted(_ number: Int, at now: Duration) -> [Action] {
    guard number > ended else { return [] }  // late: it is over already
    utterance = number
    beginnings[number] = now
    wasInterrupting = isAgentSpeaking
    return [.report(.speechStarted)]
  }

  mutating func speechEnded(_ number: Int, _ milliseconds: Int, at now: Duration) -> [Action] {
    guard number > ended else { return [] }
    lengths[number] = milliseconds
    // One that was ended because it was too long had no silence at its end.
    let silence = milliseconds < settings.speech.maximumUtterance ? settings.silenceDuration : 0
    return endUtterance(number, silence: silence, at: now)
  }

  /// - Parameter silence: Milliseconds since the caller was last heard; `nil` when it was ended by something else.
  private mutating func endUtterance(_ number: Int, silence: Int? = nil, at now: Duration) -> [Action] {
    ended = number
    utterance = nil
    if ended > answered { timers[.recognition] = now + PipelineLimit.recognition }
    return (silence.map { [.report(.callerStopped(millisecondsAgo: $0))] } ?? []) + [.report(.speechEnded)]
  }

  mutating func handle(_ event: RecognitionEvent, at now: Duration) -> [Action] {
    switch event {
    case .partial(let text):
      return abandoned.contains(answered + 1)
        ? [] : began(answered + 1, at: now) + [.report(.heard(text, confidence: nil, isFinal: false))]
    case .final(let text, let confidence):
      return understand(text, confidence, at: now)
    case .failed(let failure):
      return fail(failure.of(.recognizer))
    }
  }

  private mutating func understand(_ text: String, _ confidence: Double?, at now: Duration) -> [Action] {
    var actions: [Action] = []
    answered += 1
    if answered > ended {  // the result overtook the end
      actions += endUtterance(answered, silence: settings.silenceDuration, at: now)
    }
    timers[.recognition] = answered < ended ? now + PipelineLimit.recognition : nil
    let length = lengths.removeValue(forKey: answered) ?? 0
    let began = began(answered, at: now)
    beginnings = beginnings.filter { $0.key > answered }
    if abandoned.remove(answered) != nil { return actions }
    let isNothing = text.allSatisfy(\.isWhitespace)
    let isUnlikely = isNothing || (confidence ?? 1) < settings.interruptionConfidence
    if isUnlikely, wasInterrupting, let resumed = resumption(at: now) { return actions + resumed }
    if !isNothing { actions += began + [.report(.heard(text, confidence: confidence, isFinal: true))] }
    if isNothing {
      // A cough is nothing to answer; so many words that nobody understood are.
      guard length >= PipelineMachine.leastSpeech, !isAgentSpeaking else {
        return actions + [.report(.heard("", confidence: nil, isFinal: true))]
      }
      return actions + answer(.speech("", confidence: 0), at: now)
    }
    return actions + answer(.speech(text, confidence: confidence), at: now)
  }

  private func began(_ number: Int, at now: Duration) -> [Action] {
    guard let began = beginnings[number] else { return [] }
    return [.report(.callerBegan(millisecondsAgo: Int((now - began) / .milliseconds(1))))]
  }

  /// Milliseconds of sound that must have been meant as words.
  private static let leastSpeech = 600

  private mutating func resumption(at now: Duration) -> [Action]? {
    guard !isAgentSpeaking, waiting == nil else { return nil }
    let actions = resume(at: now)
    return actions.isEmpty ? nil : actions
  }

  // MARK: Keys

  mutating func press(_ key: Character, _ abandoned: Int?, at now: Duration) -> [Action] {
    guard isBegun else { return [] }
    var actions: [Action] = []
    if let abandoned, abandoned > ended {
      self.abandoned.insert(abandoned)
      actions += endUtterance(abandoned, at: now)
    }
    silences = 0
    if isAgentSpeaking, waiting == nil {
      actions += [.report(.speechStarted), .report(.speechEnded)]  // a key stops the agent as a word does
    }
    digits.append(key)
    timers[.digits] = now + .milliseconds(settings.interDigitTimeout)
    if isComplete(digits) || digits.count >= settings.maximumDigits { actions += giveDigits(at: now) }
    return actions
  }

  mutating func giveDigits(at now: Duration) -> [Action] {
    timers[.digits] = nil
    guard !digits.isEmpty else { return [] }
    let pressed = digits
    digits = ""
    return answer(.digits(pressed), at: now)
  }
}
