@testable import RouterCore

/// A conversation that is told step by step; every step gives what it led to, in short.
struct PipelineScript {
  var machine: PipelineMachine
  var now = Duration.zero

  init(
    _ settings: PipelineSettings = .init(), transcript: [TranscriptEntry] = [], longest: Int = 1,
    canHangUp: Bool = true
  ) {
    machine = PipelineMachine(
      settings: settings, transcript: transcript, firstTurn: TurnID(1), canHangUp: canHangUp,
      isComplete: { $0.count >= longest })
  }

  mutating func go(_ events: PipelineMachine.Event...) -> [String] {
    events.flatMap { machine.handle($0, at: now) }.filter { action in
      switch action {
      case .report(.callerStopped), .report(.callerBegan): false
      default: true
      }
    }.map(PipelineScript.brief)
  }

  /// Lets time pass, up to the next deadlines.
  mutating func wait(_ duration: Duration) -> [String] {
    now += duration
    return go(.tick)
  }

  /// A whole turn of the agent, made and played.
  mutating func turn(_ number: Int, _ text: String = "Hello.", isPlayed: Bool = true) -> [String] {
    let id = TurnID(number)
    var log = go(.turn(id, .text(text)), .turn(id, .spoken(milliseconds: 1000)), .turn(id, .ended))
    if isPlayed { log += go(.command(.played(id))) }
    return log
  }

  /// The caller says something, which the recogniser understands.
  mutating func caller(_ number: Int, _ text: String, confidence: Double? = 0.9, length: Int = 1000)
    -> [String]
  {
    go(.speechStarted(number))
      + go(.speechEnded(number, milliseconds: length), .recognition(.final(text, confidence: confidence)))
  }

  static func begun(_ settings: PipelineSettings = .init(), longest: Int = 1) -> PipelineScript {
    var script = PipelineScript(settings, longest: longest)
    _ = script.go(.command(.begin))
    _ = script.turn(1)
    return script
  }

  private static func brief(_ action: PipelineMachine.Action) -> String {
    switch action {
    case .report(let event): brief(event)
    case .start(let id, .respond(let prompt), let transcript):
      "start \(id.number) \(brief(prompt)) after \(transcript.count)"
    case .start(let id, .speak(let text, let hangsUp), _):
      "speak \(id.number) \(text)\(hangsUp ? " and hang up" : "")"
    case .cancel(let id): "cancel \(id.number)"
    case .open: "open"
    case .agentSpeaks(let speaks): speaks ? "agent speaks" : "agent is quiet"
    case .close: "close"
    }
  }

  private static func brief(_ prompt: TextRequest.Prompt) -> String {
    switch prompt {
    case .greeting: "greeting"
    case .takeover: "takeover"
    case .speech(let text, _): "speech '\(text)'"
    case .digits(let digits): "digits \(digits)"
    case .silence: "silence"
    case .information(let text): "information \(text)"
    case .toolResults(let results): "results \(results.map(\.callID))"
    }
  }

  private static func brief(_ event: VoiceEvent) -> String {
    switch event {
    case .speechStarted: "speech started"
    case .speechEnded: "speech ended"
    case .callerBegan(let milliseconds): "caller began \(milliseconds) ms ago"
    case .callerStopped(let milliseconds): "caller stopped \(milliseconds) ms ago"
    case .firstToken(let id): "first token \(id.number)"
    case .summary(let text): "summary '\(text)'"
    case .trouble(let text): "trouble '\(text)'"
    case .turnStarted(let id): "turn \(id.number) started"
    case .turnEnded(let id): "turn \(id.number) ended"
    case .heard(let text, _, let isFinal): "heard '\(text)'\(isFinal ? "" : "…")"
    case .said(let text, let id, let isFinal): "said \(id.number) '\(text)'\(isFinal ? "" : "…")"
    case .toolCall(let call): "tool \(call.name)"
    case .failed(let failure):
      "failed \(failure.part == .model ? "" : "\(failure.part) ")\(failure.kind.rawValue)"
    }
  }
}
