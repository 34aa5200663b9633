/// Makes one turn: reads the model's words, and speaks each sentence as soon as it is complete. One task; cancelling
/// it stops the model and the voice.
struct PipelineTurn: Sendable {
  enum Source: Sendable {
    case model(TextRequest)
    case text(String, thenHangUp: Bool)
  }

  let id: TurnID
  let source: Source
  let model: any TextModel
  let synthesizer: any SpeechSynthesizer
  /// Everything of a request but its text.
  let voice: SynthesisRequest
  let mouth: PipelineMouth
  let report: @Sendable (PipelineMachine.TurnEvent) async -> Void

  /// Reports how it ends; says nothing more when it is cancelled.
  func run() async {
    do {
      switch source {
      case .model(let request): try await speak(request)
      case .text(let text, let thenHangUp):
        try await speak(text)
        if thenHangUp { await report(.toolCall(ToolCall(id: "silence", name: Tool.hangUp, turn: id))) }
      }
      try Task.checkCancellation()
      await report(.ended)
    } catch is CancellationError {
      return
    } catch let failure as VoiceFailure {
      if !Task.isCancelled { await report(.failed(failure)) }
    } catch {
      // Only what kind of error it is: its words are foreign and may hold a secret.
      if !Task.isCancelled { await report(.failed(VoiceFailure(.protocolError, "\(type(of: error))"))) }
    }
  }

  private func speak(_ request: TextRequest) async throws {
    var splitter = SentenceSplitter()
    var left = PipelineLimit.turnText
    var hasBegun = false
    reading: for try await event in model.respond(to: request) {
      if !hasBegun, event.isForTheCaller {
        hasBegun = true
        await report(.firstToken)
      }
      switch event {
      case .text(let text):
        let part = text.prefix(left)
        left -= part.count
        splitter.add(String(part))
        while let sentence = splitter.next() { try await say(sentence) }
        if left == 0 { break reading }  // it would never end
      case .toolCall(let call):
        if let rest = splitter.rest() { try await say(rest) }
        await report(.toolCall(call))
      case .note(let text): await report(.note(text))
      case .trouble(let text): await report(.trouble(text))
      }
    }
    try Task.checkCancellation()
    if let rest = splitter.rest() { try await say(rest) }
  }

  private func speak(_ text: String) async throws {
    var splitter = SentenceSplitter()
    splitter.add(String(text.prefix(PipelineLimit.turnText)))
    while let sentence = splitter.next() { try await say(sentence) }
    if let rest = splitter.rest() { try await say(rest) }
  }

  private func say(_ sentence: String) async throws {
    try Task.checkCancellation()
    await mouth.waitIfFull()
    while try await mouth.waitIfAhead(id) { await report(.waiting) }
    await report(.text(sentence))
    guard sentence.contains(where: { !$0.isWhitespace }) else { return }
    var request = voice
    request.text = sentence
    let most = PipelineLimit.longestSound(of: sentence)
    var milliseconds = 0
    do {
      for try await frame in synthesizer.speak(request) {
        guard mouth.play(frame, id) else { throw CancellationError() }
        milliseconds += frame.milliseconds
        guard milliseconds <= most else {
          let length = "\(milliseconds) ms of sound for \(sentence.count) characters"
          throw VoiceFailure(.protocolError, "the synthesiser gave \(length)")
        }
      }
    } catch let failure as VoiceFailure {
      throw failure.of(.synthesizer)
    }
    try Task.checkCancellation()
    await report(.spoken(milliseconds: milliseconds))
  }
}

extension TextEvent {
  fileprivate var isForTheCaller: Bool {
    switch self {
    case .text, .toolCall: true
    case .note, .trouble: false
    }
  }
}
