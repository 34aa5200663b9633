import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import WebhookModel

/// The model against a scripted agent that checks what it is sent.
@Suite(.serialized) struct WebhookModelTests {
  /// The model, its host, and the service.
  private final class Stage: Sendable {
    let service: RunningEmulator<WebhookEmulator>
    let model: WebhookModel
    private let loops = EventLoops(mediaLoops: 0)
    private let clients = HTTPClients()
    /// What went wrong, for the record.
    let troubles = Lock<[String]>([])
    let agent: AgentConfiguration

    init(_ options: [(String, String)] = [], _ provider: [String: JSONValue] = [:], retry: Double = 0.01)
      async throws
    {
      service = try await RunningEmulator(
        WebhookEmulator.self, [("--secret", "whsec_test"), ("--line-pause", "10")] + options)
      let host = PluginHost(log: .silent, metrics: Metrics(), loops: loops, clients: clients)
      model = WebhookModel(WebhookModel.Configuration(retrySeconds: retry), host)
      let settings: [String: JSONValue] = [
        "url": .string(service.url("http", "/voice")), "secret": "whsec_test", "apology": "Pardon?",
      ]
      agent = AgentConfiguration(
        name: "bookings", providerType: "webhook",
        providerConfiguration: .object(settings.merging(provider) { $1 }))
    }

    static let tools = [Tool.hangUp, Tool.handOver, Tool.sendDigits].map { Tool(name: $0, description: "") }

    func request(
      _ prompt: TextRequest.Prompt = .speech("Hello?", confidence: 0.9), transcript: [TranscriptEntry] = [],
      tools: [Tool] = tools
    ) -> TextRequest {
      TextRequest(
        agent: agent, prompt: prompt, transcript: transcript, tools: tools, turn: TurnID(5), call: .example(),
        log: .silent)
    }

    /// A turn in short words.
    func turn(_ request: TextRequest) async throws -> [String] {
      var words: [String] = []
      for try await event in model.respond(to: request) {
        switch event {
        case .text(let text): words.append(text.trimmingCharacters(in: .newlines))
        case .toolCall(let call):
          words.append("[\(call.name)\(call.arguments == [:] ? "" : call.arguments.text)]")
        case .note(let note): words.append("(\(note))")
        case .trouble(let text): troubles.withLock { $0.append(text) }
        }
      }
      return words
    }

    func turn() async throws -> [String] { try await turn(request()) }

    func sees(_ text: String, count: Int = 1) async throws {
      for _ in 0..<400 {
        if service.report.lines.filter({ "\($0)".contains(text) }).count >= count { return }
        try await Task.sleep(for: .milliseconds(25))
      }
      throw NothingHappened(waitedFor: text, instead: service.report.lines.map { "\($0)" })
    }

    func close() async {
      await service.close()
      await clients.close()
      await Task.detached { [loops] in loops.stop() }.value
    }
  }

  @Test func conformance() async throws {
    let stage = try await Stage()
    #expect(await TextModelConformance.violations(for: stage.agent) { stage.model } == [])
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func everyKindOfAnswer() async throws {
    let stage = try await Stage([
      ("--step", "say:Booked."), ("--step", "stream:One moment. | It is on its way, | and comes on Friday."),
      ("--step", "hangup:Goodbye."), ("--step", "transfer:I connect you."), ("--step", "digits:1*#"),
      ("--step", #"raw:\r\n{"text":"A","interim":true}\r\n\n7\n{"text":"B"}"#),
      ("--step", "raw:{\"text\":\"End.\"}\\n{\"text\":\"Late.\"}\\n"),
    ])
    #expect(try await stage.turn() == ["Booked."])
    #expect(try await stage.turn() == ["One moment.", "It is on its way,", "and comes on Friday."])
    #expect(try await stage.turn() == ["Goodbye.", "[hang_up]"])
    #expect(try await stage.turn() == ["I connect you.", "[hand_over]"])
    #expect(try await stage.turn() == [#"[send_digits{"digits": "1*#"}]"#])
    #expect(try await stage.turn() == ["A", "B"])
    #expect(try await stage.turn() == ["End."])
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func whatTheAgentCannotDoIsLeftOut() async throws {
    let stage = try await Stage([("--step", "transfer:I connect you.")])
    #expect(try await stage.turn(stage.request(tools: [])) == ["I connect you."])
    await stage.close()
  }

  @Test func theFirstWords() async throws {
    let stage = try await Stage()
    #expect(try await stage.turn(stage.request(.greeting)) == ["Hello, what can I do for you?"])
    #expect(stage.service.report.sights.first?.contains(#""transcript": """#) == true)
    var request = stage.request(.greeting)
    request.agent.initialSpeech = "This is the clinic."
    #expect(try await stage.turn(request) == ["This is the clinic."])
    #expect(stage.service.report.sights.count == 1)
    await stage.close()
  }

  @Test func keysAndSilence() async throws {
    let stage = try await Stage()
    #expect(try await stage.turn(stage.request(.digits("12#"))) == ["You said: 12#."])
    #expect(stage.service.report.sights.first?.contains(#""digits": "12#""#) == true)
    #expect(try await stage.turn(stage.request(.silence)) == ["Are you still there?"])
    #expect(
      try await stage.turn(stage.request(.toolResults([ToolResult(callID: "x", output: "pressed")]))) == [])
    let failed = ToolResult(callID: "x", output: "busy", isError: true)
    #expect(try await stage.turn(stage.request(.toolResults([failed]))) == ["Pardon?"])
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test(arguments: ["empty", "raw:[1]", "raw:<html>no</html>", "status:500", "status:503", "megabytes:50"])
  func aTurnWithoutAnAnswerIsNotTheEnd(_ step: String) async throws {
    let stage = try await Stage([("--step", step)])
    #expect(try await stage.turn() == ["(webhook: no answer)", "Pardon?"])
    #expect(stage.troubles.withLock { $0.count { $0.hasPrefix("the webhook did not answer: ") } } == 1)
    #expect(try await stage.turn() == ["You said: Hello?."])
    #expect(stage.troubles.withLock(\.count) == 1)
    await stage.close()
  }

  @Test func threeInARowAre() async throws {
    let stage = try await Stage([("--step", "empty"), ("--step", "empty")])
    var transcript: [TranscriptEntry] = []
    for turn in [3, 4] {
      transcript.append(TranscriptEntry(.system, .note, WebhookTurn.unanswered, at: 0, turn: TurnID(turn)))
      transcript.append(TranscriptEntry(.agent, .speech, "Pardon?", at: 0, turn: TurnID(turn)))
    }
    await #expect(throws: VoiceFailure.self) { try await stage.turn(stage.request(transcript: transcript)) }
    transcript.append(TranscriptEntry(.agent, .speech, "Yes.", at: 0, turn: TurnID(6)))
    #expect(
      try await stage.turn(stage.request(transcript: transcript)) == ["(webhook: no answer)", "Pardon?"])
    await stage.close()
  }

  @Test(arguments: [
    ("status:401", VoiceFailure.Kind.unauthorized), ("status:404", .protocolError),
    ("status:302", .protocolError),
    ("status:429", .rateLimited),
  ])
  func someAnswersAreFinal(_ step: String, _ kind: VoiceFailure.Kind) async throws {
    let stage = try await Stage([("--step", step)])
    let failure = await #expect(throws: VoiceFailure.self) { try await stage.turn() }
    #expect(failure?.kind == kind)
    #expect(failure?.message.contains("whsec_test") == false)
    await stage.close()
  }

  @Test func nobodyListensThere() async throws {
    let stage = try await Stage([], ["url": "http://127.0.0.1:1/"])
    let failure = await #expect(throws: VoiceFailure.self) { try await stage.turn() }
    #expect(failure?.kind == .unreachable)
    await stage.close()
  }

  @Test func aLateAnswerIsDropped() async throws {
    let stage = try await Stage([("--step", "slow:20000")], ["timeout": 5])
    #expect(try await stage.turn() == ["(webhook: no answer)", "Pardon?"])
    await stage.close()
  }

  @Test func theFirstChunkIsThereBeforeTheEnd() async throws {
    let stage = try await Stage([("--step", "endless")])
    var turn: AsyncThrowingStream<TextEvent, any Error>? = stage.model.respond(to: stage.request())
    for try await event in try #require(turn) {
      #expect(event == .text("And so on.\n"))
      break
    }
    // Whoever interrupts lets go of the turn, and the other side notices.
    turn = nil
    try await stage.sees("the client left")
    await stage.close()
  }

  @Test func theEndOfTheCallIsToldUntilItIsTaken() async throws {
    let stage = try await Stage([("--fail-ended", "2")])
    let call = InboundCall.example()
    let record = CallRecord(
      call: call, answeredAt: call.receivedAt, endedAt: call.receivedAt.addingTimeInterval(330),
      end: CallEnd(.callerHungUp),
      transcript: [
        TranscriptEntry(.agent, .speech, "Hello.", at: 0), TranscriptEntry(.system, .note, "no", at: 1),
        TranscriptEntry(.caller, .speech, "Bye.", at: 2),
      ])
    stage.model.callEnded(record, agent: stage.agent)
    try await stage.sees("ended: ", count: 3)
    #expect(Set(stage.service.report.sights).count == 1, "the same body each time")
    let text = try #require(stage.service.report.sights.first)
    #expect(
      text.contains(
        #""transcript": [{"content": "Hello.", "role": "agent"}, {"content": "Bye.", "role": "user"}]"#))
    #expect(
      text.contains(#""durationSeconds": 330"#) && text.contains(#""disconnectionReason": "user_hangup""#))
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func aPipelineTellsItsModel() async throws {
    let stage = try await Stage()
    let pipeline = SpeechPipeline(
      recognizer: FakeRecognizer(), model: stage.model, synthesizer: FakeSynthesizer())
    let engine = CallEngine(
      routing: FakeRouting(.agent(stage.agent)), models: ["webhook": pipeline], store: FakeStore())
    let leg = FakeLeg()
    let task = Task { await engine.intake(.example(), on: leg) }
    try await leg.media.deeds.first(within: .seconds(30), "the greeting") { $0 == .endTurn(TurnID(1)) }
    leg.callerHangsUp()
    await task.value
    try await stage.sees("ended: ")
    #expect(stage.service.report.sights.last?.contains("Hello, what can I do for you?") == true)
    #expect(stage.service.report.violations == [])
    await stage.close()
  }
}
