/// The agent's side: turns, their cutting off, and tools.
extension PipelineMachine {
  /// Begins a turn now. One that is being made is given up: what it has said so far is played all the same.
  mutating func start(_ wish: Wish, at now: Duration, isRepeated: Bool = false) -> [Action] {
    var actions: [Action] = []
    if let old = current { actions += [.cancel(old.id)] + finish(old, at: now) }
    let turn = SpokenTurn(nextTurn, wish)
    nextTurn = nextTurn.next
    current = turn
    waiting = nil
    interrupted = nil
    timers[.interruption] = nil
    if isBegun { timers[.turn] = now + settings.turn }
    if case .respond(.toolResults) = wish {
      results = []
    } else if case .respond = wish {  // whatever it answers to, the model learns of them
      note(.toolResults(results), at: now)
      results = []
    }
    actions += report(.turnStarted(turn.id))
    actions.append(.start(turn.id, wish, transcript))
    if case .respond(let prompt) = wish, !isRepeated { note(prompt, at: now) }
    return actions
  }

  /// Begins a turn that answers the caller, once the agent's own voice has stopped: the engine stops it, and would
  /// stop the new turn with it.
  mutating func answer(_ prompt: TextRequest.Prompt, at now: Duration) -> [Action] {
    silences = 0
    resumptions = 0
    guard isAgentSpeaking else { return start(.respond(prompt), at: now) }
    if case .respond(let older) = waiting { note(older, at: now) }
    waiting = .respond(prompt)
    timers[.interruption] = now + PipelineLimit.interruption
    return []
  }

  mutating func startWaiting(at now: Duration, evenIfSpeaking: Bool = false) -> [Action] {
    guard let wish = waiting, evenIfSpeaking || !isAgentSpeaking else { return [] }
    return start(wish, at: now)
  }

  mutating func handle(_ event: TurnEvent, of id: TurnID, at now: Duration) -> [Action] {
    guard current?.id == id else { return [] }  // late: that turn was cut off or given up
    if isBegun { timers[.turn] = now + settings.turn }
    switch event {
    case .firstToken: return report(.firstToken(id))
    case .text(let text):
      current?.add(text)
      set(current?.text ?? "", of: id, at: now)
      return report(.said(text, turn: id, isFinal: false))
    case .spoken(let milliseconds):
      current?.spoken(milliseconds: milliseconds)
      return []
    case .toolCall(let call):
      tools.insert(call.id)
      append(
        TranscriptEntry(
          .agent, .toolCall, call.name, at: time(now), turn: id, callID: call.id, arguments: call.arguments))
      return report(.toolCall(call))
    case .note(let text):
      append(TranscriptEntry(.system, .note, text, at: time(now), turn: id))
      return []
    case .trouble(let text): return report(.trouble(text))
    case .waiting: return []
    case .ended:
      guard let turn = current else { return [] }
      return finish(turn, at: now)
    case .failed(let failure):
      return fail(failure)
    }
  }

  /// All of the turn's sound was handed over.
  private mutating func finish(_ turn: SpokenTurn, at now: Duration) -> [Action] {
    current = nil
    timers[.turn] = nil
    if turn.milliseconds > 0 {
      audible.append(turn)
      if isBegun { expectPlayback(of: turn, at: now) }
    }
    var actions: [Action] = []
    if !turn.text.isEmpty { actions += report(.said(turn.text, turn: turn.id, isFinal: true)) }
    return actions + report(.turnEnded(turn.id))
  }

  /// A channel that does not tell when a turn was played must not keep us waiting.
  mutating func expectPlayback(of turn: SpokenTurn, at now: Duration) {
    let before = timers[.playback].map { max($0 - PipelineLimit.playback, now) } ?? now
    timers[.playback] = before + .milliseconds(turn.milliseconds) + PipelineLimit.playback
  }

  /// The engine has stopped the turn's sound.
  mutating func truncate(_ id: TurnID, _ played: Int, at now: Duration) -> [Action] {
    var actions: [Action] = []
    let turn: SpokenTurn
    let wasMade = current?.id != id
    if let made = current, made.id == id {
      turn = made
      actions.append(.cancel(id))
      current = nil
      timers[.turn] = nil
    } else if let index = audible.firstIndex(where: { $0.id == id }) {
      turn = audible.remove(at: index)
    } else {
      return []
    }
    let (heard, rest) = turn.cut(after: played)
    if wasMade, rest.isEmpty { return startWaiting(at: now) }  // it had just been heard to its end
    set(heard, of: id, at: now, wasInterrupted: true)
    interrupted = continuation(of: turn, heard, rest, isWhole: wasMade)
    actions += report(.said(heard, turn: id, isFinal: true))
    if !wasMade { actions += report(.turnEnded(id)) }
    return actions + startWaiting(at: now)
  }

  /// What to go on with if the interruption was none. Of a turn that was still being made, only its beginning is
  /// known: an announcement is said from the sentence that was cut, an answer is asked for again.
  private func continuation(
    of turn: SpokenTurn, _ heard: String, _ rest: String, isWhole: Bool
  ) -> (wish: Wish, rest: String, turn: TurnID) {
    if case .speak(let text, let thenHangUp) = turn.wish, !isWhole {
      let spoken = turn.text.count - rest.count
      return (.speak(String(text.dropFirst(max(0, spoken))), thenHangUp: thenHangUp), "", turn.id)
    }
    return (turn.wish, heard.isEmpty || !isWhole ? "" : rest, turn.id)
  }

  /// Goes on where the agent was interrupted by something that was no speech.
  mutating func resume(at now: Duration) -> [Action] {
    guard let cut = interrupted, resumptions < PipelineLimit.resumptions else { return [] }
    resumptions += 1
    if !cut.rest.isEmpty { return start(.speak(cut.rest, thenHangUp: false), at: now) }
    // Nothing of it was heard: ask again, as if it had not been asked.
    transcript.removeAll { $0.turn == cut.turn && $0.kind == .note }
    return start(cut.wish, at: now, isRepeated: true)
  }

  // MARK: Tools

  mutating func take(_ result: ToolResult) -> [Action] {
    guard tools.remove(result.callID) != nil else { return [] }
    results.append(result)
    return []  // a turn starts when all are there
  }

  // MARK: The transcript

  func time(_ now: Duration) -> Int {
    isBegun ? Int((now - startedAt) / .milliseconds(1)) : 0
  }

  mutating func append(_ entry: TranscriptEntry) {
    transcript.append(entry)
    if transcript.count > PipelineLimit.transcript { transcript.removeFirst() }
  }

  /// Writes what the agent says in a turn into its line; no words, no line.
  private mutating func set(_ text: String, of id: TurnID, at now: Duration, wasInterrupted: Bool = false) {
    guard
      let index = transcript.lastIndex(where: { $0.turn == id && $0.speaker == .agent && $0.kind == .speech })
    else {
      if !text.isEmpty { append(TranscriptEntry(.agent, .speech, text, at: time(now), turn: id)) }
      return
    }
    if text.isEmpty {
      transcript.remove(at: index)
    } else {
      transcript[index].text = text
      transcript[index].wasInterrupted = wasInterrupted
    }
  }

  private mutating func note(_ prompt: TextRequest.Prompt, at now: Duration) {
    switch prompt {
    case .speech(let text, let confidence):
      append(TranscriptEntry(.caller, .speech, text, at: time(now), confidence: confidence))
    case .digits(let digits): append(TranscriptEntry(.caller, .digits, digits, at: time(now)))
    case .toolResults(let results):
      for result in results {
        append(
          TranscriptEntry(
            .system, .toolResult, result.output.text, at: time(now), callID: result.callID))
      }
    case .information(let text): append(TranscriptEntry(.system, .note, text, at: time(now)))
    case .greeting, .takeover, .silence: break
    }
  }

  mutating func report(_ event: VoiceEvent) -> [Action] {
    if isBegun { return [.report(event)] }
    withheld.append(event)
    return []
  }
}
