import RouterCore
import RouterTesting
import Testing

/// Agents that fail, transfers, peers that do not keep their word: through the whole engine.
@Suite(.timeLimit(.minutes(2))) struct FailureTests {
  static let backup = AgentConfiguration(name: "backup", providerType: "backup")

  static func withBackup(_ models: [String: any VoiceModel] = [:]) -> (EngineHarness, FakeVoiceModel) {
    let backup = FakeVoiceModel()
    let agent = AgentConfiguration(name: "reception", providerType: "fake", fallback: ["backup"])
    let harness = EngineHarness(
      FakeRouting(.agent(agent), agents: [FailureTests.backup]),
      models: ["backup": backup].merging(models) { $1 })
    return (harness, backup)
  }

  @Test func anotherAgentTakesOverInTheMiddle() async throws {
    let (harness, backup) = FailureTests.withBackup()
    let (leg, first, task) = try await harness.answered()
    first.say("Good morning.", TurnID(1))
    try await first.commands.wait(for: .played(TurnID(1)))
    let events = harness.engine.observe()
    first.report(.heard("Are you open?", confidence: nil, isFinal: true))
    first.report(.turnStarted(TurnID(2)), .said("We are", turn: TurnID(2), isFinal: false))
    for await event in events { if case .partial = event { break } }
    first.play(300, TurnID(2))
    try await leg.media.deeds.wait(for: .played(TurnID(2), milliseconds: 300))
    leg.press("1")
    try await first.commands.wait(for: .digit("1"))
    await harness.clock.advance(by: .seconds(1))
    first.report(.failed(VoiceFailure(.closed, "the socket died")))
    let second = try await backup.session()
    try await second.commands.wait(for: .begin)
    #expect(
      second.request.transcript.map(\.text) == [
        "Good morning.", "Are you open?", "1", "We are", "agent reception: closed: the socket died",
      ])
    #expect(second.request.firstTurn == TurnID(3))
    first.play(500, TurnID(2))  // what comes late from the one that failed is not played
    second.play(500, TurnID(3))
    try await leg.media.deeds.wait(for: .played(TurnID(3), milliseconds: 500))
    #expect(!leg.media.deeds.events.contains(.played(TurnID(2), milliseconds: 500)))
    let frame = AudioFrame(samples: [1, 2], sampleRate: 16000)
    leg.media.speak(frame)
    #expect(second.heard.events == [frame] && first.heard.events.isEmpty)
    try await first.commands.wait(for: .close)
    leg.callerHangsUp()
    #expect(try await harness.record(task).agent == "backup")
  }

  @Test func whatASessionSurvivesIsInTheRecord() async throws {
    let agent = AgentConfiguration(
      name: "reception", providerType: "fake", providerConfiguration: ["apiKey": "sk-secret"])
    let harness = EngineHarness(FakeRouting(.agent(agent)))
    let (leg, session, task) = try await harness.answered()
    session.report(.trouble("the webhook did not answer: 500 no such key sk-secret"))
    session.say("Pardon?", TurnID(1))
    try await session.commands.wait(for: .played(TurnID(1)))
    leg.callerHangsUp()
    let record = try await harness.record(task)
    let note = record.transcript.first { $0.kind == .note }
    #expect(note?.text == "agent reception: the webhook did not answer: 500 no such key ***")
    #expect(record.agent == "reception" && record.attempts.last?.failedAt == nil)
  }

  @Test func anAgentThatIsNotReadyInTimeIsPassedOver() async throws {
    let latch = Latch()
    let (harness, backup) = FailureTests.withBackup(["fake": FakeVoiceModel(.ignoresCancellation(latch))])
    let leg = FakeLeg()
    let task = harness.place(on: leg)
    try await leg.deeds.wait(for: .ring)
    await harness.clock.advance(by: .seconds(8))
    let session = try await backup.session()
    try await session.commands.wait(for: .begin)
    latch.open()
    leg.callerHangsUp()
    #expect(try await harness.record(task).agent == "backup")
  }

  @Test func bargeInStopsTheSoundAndTellsTheSession() async throws {
    var script = FakeLeg.Script()
    script.playsAtOnce = false
    let harness = EngineHarness()
    let (leg, session, task) = try await harness.answered(on: FakeLeg(script))
    session.say("one two three four five six seven eight nine ten", TurnID(1), milliseconds: 4800)
    try await leg.media.deeds.wait(for: .endTurn(TurnID(1)))
    leg.media.setHeard(1600)
    session.report(.speechStarted)
    try await session.commands.wait(for: .truncate(TurnID(1), playedMilliseconds: 1600))
    let events = harness.engine.observe()
    session.report(.heard("Stop!", confidence: nil, isFinal: true))
    for await event in events { if case .transcript(_, let entry) = event, entry.text == "Stop!" { break } }
    leg.press("#")
    try await session.commands.wait(for: .digit("#"))
    leg.callerHangsUp()
    let transcript = try await harness.record(task).transcript
    #expect(transcript.map(\.text) == ["one two three", "Stop!", "#"])
    #expect(transcript.first?.wasInterrupted == true)
  }

  @Test func theCallerIsHandedOverAfterTheWords() async throws {
    var agent = AgentConfiguration(name: "reception", providerType: "fake")
    agent.humanHandoff.enabled = true
    agent.humanHandoff.transferExtension = "0200"
    var script = FakeLeg.Script()
    script.playsAtOnce = false
    let outcomes = Lock<[TransferOutcome]>([.failed(status: 486, reason: "Busy Here"), .completed])
    script.transfer = { _ in outcomes.withLock { $0.removeFirst() } }
    let harness = EngineHarness(FakeRouting(.agent(agent)))
    let (leg, session, task) = try await harness.answered(on: FakeLeg(script))
    session.say("One moment, please.", TurnID(1))
    session.report(.toolCall(ToolCall(id: "t1", name: Tool.handOver, turn: TurnID(1))))
    try await leg.media.deeds.wait(for: .endTurn(TurnID(1)))
    #expect(!leg.deeds.events.contains(.transfer(TransferRequest(target: "0200"))))
    leg.media.finishPlaying(TurnID(1))
    let result = ToolResult(callID: "t1", output: "the transfer failed: 486 Busy Here", isError: true)
    try await session.commands.wait(for: .toolResult(result))
    #expect(leg.deeds.events.contains(.transfer(TransferRequest(target: "0200"))))
    let frame = AudioFrame(samples: [1, 2], sampleRate: 16000)
    leg.media.speak(frame)
    #expect(session.heard.events == [frame])
    session.report(.toolCall(ToolCall(id: "t2", name: Tool.handOver, turn: TurnID(2))))
    let record = try await harness.record(task)
    #expect(record.end.reason == .transferred)
    #expect(
      record.transcript.filter { $0.kind == .transfer }.map(\.text) == [
        "handing over to 0200", "the transfer failed: 486 Busy Here", "handing over to 0200", "handed over",
      ])
  }

  /// While a person is being called, the agent hears silence: what the caller mutters is not for it.
  @Test func nobodyListensDuringATransfer() async throws {
    var agent = AgentConfiguration(name: "reception", providerType: "fake")
    agent.humanHandoff.enabled = true
    agent.humanHandoff.transferExtension = "0200"
    let latch = Latch()
    var script = FakeLeg.Script()
    script.transfer = { _ in
      await latch.waitStubbornly()
      return .callerHungUp
    }
    let harness = EngineHarness(FakeRouting(.agent(agent)))
    let (leg, session, task) = try await harness.answered(on: FakeLeg(script))
    session.report(.toolCall(ToolCall(id: "t1", name: Tool.handOver, turn: TurnID(1))))
    try await leg.deeds.wait(for: .transfer(TransferRequest(target: "0200")))
    leg.media.speak(AudioFrame(samples: [Int16](repeating: 99, count: 320), sampleRate: 16000))
    #expect(
      session.heard.events == [AudioFrame(samples: [Int16](repeating: 0, count: 320), sampleRate: 16000)])
    leg.callerHangsUp()
    latch.open()
    #expect(try await harness.record(task).end.reason == .callerHungUp)
  }

  @Test func aLegThatCannotAnswerEndsTheCall() async throws {
    var script = FakeLeg.Script()
    script.answer = { throw LegError(CallEnd(.noCommonCodec)) }
    let harness = EngineHarness()
    let leg = FakeLeg(script)
    let record = try await harness.record(harness.place(on: leg))
    #expect(record.end.reason == .noCommonCodec && record.answeredAt == nil)
    let session = try await harness.model.session()
    #expect(session.commands.events == [.close])
  }

  @Test func aLegThatNeverHangsUpHoldsNobodyForLong() async throws {
    var script = FakeLeg.Script()
    script.hangUp = { await Latch().waitStubbornly() }
    let harness = EngineHarness()
    let call = InboundCall.example()
    let (leg, _, task) = try await harness.answered(call, on: FakeLeg(script))
    harness.engine.hangUp(call.id)
    try await leg.deeds.first { if case .hangUp = $0 { true } else { false } }
    while harness.store.saved.events.isEmpty { await harness.clock.advance(by: .seconds(1)) }
    #expect(try await harness.record(task).end.reason == .agentHungUp)
  }

  @Test func aSessionThatTakesNoCommandsHoldsNobodyForLong() async throws {
    let harness = EngineHarness()
    let stuck = StuckModel()
    let engine = CallEngine(
      routing: FakeRouting(.agent(EngineHarness.agent)), models: ["fake": stuck], store: harness.store,
      clock: harness.clock)
    let leg = FakeLeg()
    let task = Task { await engine.intake(.example(), on: leg) }
    try await stuck.commands.wait(for: .begin)
    leg.callerHangsUp()
    while harness.store.saved.events.isEmpty { await harness.clock.advance(by: .seconds(1)) }
    await task.value
  }

  /// A session that is answered on the call's own loop, without any waiting.
  @Test func anInlineModelCarriesACall() async throws {
    let harness = EngineHarness()
    let inline = InlineModel()
    let engine = CallEngine(
      routing: FakeRouting(.agent(EngineHarness.agent)), models: ["fake": inline], store: harness.store,
      clock: harness.clock)
    let leg = FakeLeg()
    let task = Task { await engine.intake(.example(), on: leg) }
    try await inline.commands.wait(for: .begin)
    leg.press("1")
    try await inline.commands.wait(for: .digit("1"))
    leg.callerHangsUp()
    #expect(try await harness.record(task).end.reason == .callerHungUp)
    #expect(inline.commands.events == [.begin, .digit("1"), .close])
  }

  final class InlineModel: InlineVoiceModel, InlineVoiceSession {
    let commands = Journal<VoiceCommand>()
    let hearingFormat = AudioFormat.muLaw
    func openInline(
      _ conversation: ConversationRequest, speaker: any Speaker,
      report: @escaping @Sendable (VoiceEvent?) -> Void
    ) throws(VoiceFailure) -> any InlineVoiceSession { self }
    func hear(_ audio: AudioFrame) {}
    func take(_ command: VoiceCommand) { commands.note(command) }
  }

  @Test func aHookCanSendTheCallElsewhere() async throws {
    let (harness, backup) = (EngineHarness(), FakeVoiceModel())
    var routing = FakeRouting(.agent(EngineHarness.agent), agents: [FailureTests.backup])
    routing.hook = PreAnswerHook(url: "https://app.example/hook")
    let engine = CallEngine(
      routing: routing, models: ["fake": harness.model, "backup": backup], store: harness.store,
      http: Answering(), clock: harness.clock)
    let leg = FakeLeg()
    let task = Task { await engine.intake(.example(), on: leg) }
    let session = try await backup.session()
    try await session.commands.wait(for: .begin)
    leg.callerHangsUp()
    #expect(try await harness.record(task).agent == "backup")
  }

  struct Answering: HTTPSending {
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
      HTTPResponse(status: 200, body: Array(#"{"action": "agent", "agent": "backup"}"#.utf8))
    }
  }

  /// Its sessions take one command and then hang.
  final class StuckModel: VoiceModel, VoiceSession {
    let commands = Journal<VoiceCommand>()
    let hearingFormat = AudioFormat.muLaw
    let events = AsyncStream<VoiceEvent> { _ in }
    func open(
      _ conversation: ConversationRequest, speaker: any Speaker
    ) async throws -> any VoiceSession { self }
    func hear(_ audio: AudioFrame) {}
    func send(_ command: VoiceCommand) async {
      commands.note(command)
      await Latch().waitStubbornly()
    }
  }
}
