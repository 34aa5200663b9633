import RouterCore

@testable import OpenAIRealtimeModel

/// A conversation told in the server's own messages; time is what the test says.
struct RealtimeTale {
  /// Two calls of functions, as `response.done` has them.
  static let calls = #"""
    ,"output":[{"type":"function_call","status":"completed","call_id":"c1","name":"f","arguments":"{\"a\": 1}"},
    {"type":"function_call","status":"completed","call_id":"c2","name":"g","arguments":""}]
    """#

  var machine: ConversationMachine
  var now = Duration.zero

  init(_ provider: JSONValue = [:], settings: JSONValue = [:], transcript: [TranscriptEntry] = []) throws {
    let agent = AgentConfiguration(name: "a", providerConfiguration: provider, providerSettings: settings)
    let session = SessionSettings(agent: agent, tools: [], format: .muLaw, endpoint: try Endpoint(provider))
    machine = ConversationMachine(session, firstTurn: TurnID(1), transcript: transcript)
    machine.sessionBegan(expiresAt: 3600, unixTime: 0, at: now)
  }

  /// Actions in short words, identifiers left out.
  typealias Words = [String]

  static func words(_ actions: [ConversationMachine.Action]) -> Words {
    actions.map { action in
      switch action {
      case .send(_, let event):
        switch event {
        case .createResponse(let instructions): "create" + (instructions == nil ? "" : "!")
        case .truncate(let item, let milliseconds): "truncate \(item) \(milliseconds)"
        case .functionResult(let call, let output): "result \(call) \(output)"
        case .message(let role, let text): "\(role.rawValue): \(text)"
        case .sayAside: "aside"
        case .cancelResponse(let response): "cancel" + (response.map { " \($0)" } ?? "")
        case .commit: "commit"
        case .updateSession: "update"
        }
      case .report(.toolCall(let call)): "call \(call.id) \(call.name) \(call.arguments.text)"
      case .report(.failed(let failure)), .fail(let failure): "fail \(failure.kind.rawValue)"
      case .report(.heard(let text, _, let isFinal)): "heard \(isFinal ? "" : "…")\(text)"
      case .report(.said(let text, let turn, let isFinal)): "said \(turn.number) \(isFinal ? "" : "…")\(text)"
      case .report(.turnStarted(let turn)): "start \(turn.number)"
      case .report(.turnEnded(let turn)): "end \(turn.number)"
      case .report(let event): "\(event)"
      case .log(let level, _): "log \(level)"
      case .renew: "renew"
      case .moveOver(let words): "move \(words.count)"
      }
    }
  }

  mutating func server(_ json: String) -> Words {
    switch ServerMessage(Array(json.utf8)) {
    case .event(let event): return Self.words(machine.receive(event, at: now))
    case .sound(let delta):
      let (turn, actions) = machine.sound(delta, at: now)
      return Self.words(actions) + (turn.map { ["sound \($0.number)"] } ?? [])
    case .garbage(let words): return Self.words(machine.receiveGarbage(words))
    }
  }

  mutating func engine(_ command: VoiceCommand) -> Words { Self.words(machine.obey(command, at: now)) }

  mutating func after(_ pause: Duration) -> Words {
    now += pause
    return Self.words(machine.tick(at: now))
  }

  // MARK: The server's messages

  mutating func created(_ id: String) -> Words {
    server(#"{"type":"response.created","response":{"id":"\#(id)"}}"#)
  }

  /// A second of sound.
  mutating func sound(_ id: String, item: String = "i") -> Words {
    let second = String(repeating: "/", count: 10_664) + "//8="
    return server(
      #"{"type":"response.output_audio.delta","response_id":"\#(id)","item_id":"\#(item)","delta":"\#(second)"}"#
    )
  }

  mutating func said(_ id: String, _ text: String) -> Words {
    server(
      #"{"type":"response.output_audio_transcript.delta","response_id":"\#(id)","item_id":"i","delta":"\#(text)"}"#
    )
  }

  mutating func done(_ id: String, _ status: String = "completed", _ more: String = "") -> Words {
    server(#"{"type":"response.done","response":{"id":"\#(id)","status":"\#(status)"\#(more)}}"#)
  }

  mutating func error(_ code: String, _ more: String = "") -> Words {
    server(#"{"type":"error","error":{"code":"\#(code)","message":"m"\#(more)}}"#)
  }

  mutating func speech(_ what: String) -> Words { server(#"{"type":"input_audio_buffer.speech_\#(what)"}"#) }

  /// A greeting that was said and is being played.
  mutating func greeted() -> Words {
    engine(.begin) + created("r1") + said("r1", "Hello there.") + sound("r1") + done("r1")
  }
}
