import FoundationEssentials
import RouterTesting
import Testing

@testable import RouterCore

/// Backends that fall silent or fail again and again, and people who call again: through the whole engine.
@Suite(.timeLimit(.minutes(2))) struct FailoverStoryTests {
  static func agent(memory: AgentConfiguration.Memory? = nil) -> AgentConfiguration {
    AgentConfiguration(
      name: "reception", instructions: "Be brief.", initialSpeech: "Hello.", provider: "cloud",
      providerType: "fake", fallback: ["backup"], memory: memory)
  }
  static let backup = AgentConfiguration(name: "backup", providerType: "backup")

  static func harness(
    _ agent: AgentConfiguration = agent(), _ models: [String: any VoiceModel] = [:],
    memory: FakeMemory? = nil, settings: @escaping (inout EngineSettings) -> Void = { _ in }
  ) -> (EngineHarness, FakeVoiceModel) {
    let backup = FakeVoiceModel()
    let harness = EngineHarness(
      FakeRouting(.agent(agent), agents: [FailoverStoryTests.backup]),
      models: ["backup": backup].merging(models) { $1 }, memory: memory, synthesizer: FakeSynthesizer(),
      settings: settings)
    return (harness, backup)
  }

  @Test func aSilentBackendIsBridgedAndGivenUp() async throws {
    let (harness, backup) = FailoverStoryTests.harness()
    let (leg, first, task) = try await harness.answered()
    first.report(.turnStarted(TurnID(1)), .said("Hello.", turn: TurnID(1), isFinal: false))
    // Sound, but nobody can hear it.
    first.playSilence(500, TurnID(1))
    // The clock waits for the word: its making has a limit too, on the same clock.
    func isWord(_ deed: FakeMedia.Deed) -> Bool {
      if case .endTurn(let turn) = deed { turn.isInterjection } else { false }
    }
    try await harness.advance(by: .seconds(3)) { leg.media.deeds.events.contains(where: isWord) }
    #expect(leg.media.deeds.events.contains(where: isWord))
    #expect(backup.sessions.events.isEmpty)
    try await harness.advance(by: .seconds(7)) { !backup.sessions.events.isEmpty }
    let second = try await backup.session()
    try await second.commands.wait(for: .begin)
    try await first.commands.wait(for: .close)
    leg.callerHangsUp()
    let record = try await harness.record(task)
    #expect(record.attempts.map(\.agent) == ["reception", "backup"])
    #expect(record.attempts.first?.reason == "timedOut" && record.attempts.first?.provider == "cloud")
    #expect(record.transcript.contains { $0.speaker == .system && $0.text == "One moment, please." })
    #expect(harness.metrics.value("routerd_announcements_total", ["phrase": "moment"]) == 1)
  }

  @Test func theLastWordsAreOurs() async throws {
    let (harness, _) = FailoverStoryTests.harness(
      AgentConfiguration(name: "alone", language: "de", providerType: "fake"),
      settings: { $0.apology = EngineSettings().apology })
    let (_, session, task) = try await harness.answered()
    session.report(.failed(VoiceFailure(.closed, "gone")))
    let record = try await harness.record(task)
    #expect(record.end.reason == .agentUnavailable && record.end.q850 == 41)
    #expect(record.transcript.last?.text.hasPrefix("Entschuldigung") == true, "\(record.transcript)")
  }

  @Test func aBackendThatFailsAgainAndAgainIsLeftAlone() async throws {
    let failing = FakeVoiceModel(.fails(VoiceFailure(.unauthorized, "401")))
    let (harness, backup) = FailoverStoryTests.harness(FailoverStoryTests.agent(), ["fake": failing])
    for number in 0..<6 {
      let leg = FakeLeg()
      let task = harness.place(on: leg)
      try await backup.session(number).commands.wait(for: .begin)
      leg.callerHangsUp()
      await task.value
    }
    #expect(failing.requests.events.count == 5)
    #expect(harness.engine.troubledBackends.map(\.state) == ["open"])
    #expect(harness.store.saved.events.last?.attempts.first?.reason == "leftAlone")
    // After the pause one call tries it.
    for _ in 0..<16 { await harness.clock.advance(by: .seconds(1)) }
    let leg = FakeLeg()
    let task = harness.place(on: leg)
    try await backup.session(6).commands.wait(for: .begin)
    leg.callerHangsUp()
    await task.value
    #expect(failing.requests.events.count == 6)
  }

  @Test func howLongAnswersTakeIsRecorded() async throws {
    let (harness, _) = FailoverStoryTests.harness()
    let (leg, session, task) = try await harness.answered()
    session.report(
      .callerStopped(millisecondsAgo: 0), .speechEnded, .turnStarted(TurnID(1)), .firstToken(TurnID(1)))
    let events = harness.engine.observe()
    session.report(.said("Yes.", turn: TurnID(1), isFinal: false))
    for await event in events { if case .partial = event { break } }
    await harness.clock.advance(by: .milliseconds(200))
    session.play(100, TurnID(1))
    for await event in events { if case .timing = event { break } }
    leg.callerHangsUp()
    let timing = try #require(try await harness.record(task).timings.first)
    #expect(timing.agent == "reception" && timing.total == 200)
    #expect(timing.steps.map(\.milliseconds) == [0, 0, 200, 0])
    let text = harness.metrics.all().map(\.0.text)
    #expect(
      text.contains(#"routerd_answer_seconds_bucket{le="0.2",provider="cloud",step="total"}"#), "\(text)")
  }

  @Test func whatWasNoSpeechHasNoAnswer() async throws {
    let (harness, _) = FailoverStoryTests.harness()
    let (leg, session, task) = try await harness.answered()
    let events = harness.engine.observe()
    session.report(
      .callerStopped(millisecondsAgo: 0), .speechEnded, .heard("", confidence: nil, isFinal: true))
    // Later: is the caller still there?
    session.report(.turnStarted(TurnID(1)), .said("Are you", turn: TurnID(1), isFinal: false))
    for await event in events { if case .partial = event { break } }
    session.play(100, TurnID(1))
    for await event in events { if case .timing = event { break } }
    leg.callerHangsUp()
    let timing = try #require(try await harness.record(task).timings.first)
    #expect(timing.total == nil && timing.turnDetected == nil && timing.firstPacket != nil)
  }

  @Test func aPersonWhoCallsAgainIsKnown() async throws {
    let memory = FakeMemory()
    let (harness, _) = FailoverStoryTests.harness(
      FailoverStoryTests.agent(memory: .init()), memory: memory)
    let (leg, first, task) = try await harness.answered()
    #expect(first.request.memory.isEmpty && first.request.agent.instructions == "Be brief.")
    first.say("Hello.", TurnID(1))
    try await first.commands.wait(for: .played(TurnID(1)))
    let events = harness.engine.observe()
    first.report(
      .summary("Wants a red bicycle."), .heard("A red one,\nplease.", confidence: nil, isFinal: true))
    for await event in events { if case .transcript = event { break } }
    leg.callerHangsUp()
    await task.value

    let (again, second, next) = try await harness.answered()
    #expect(second.request.memory.map(\.summary) == ["Wants a red bicycle."])
    #expect(
      second.request.memory.first?.lines == [.init(.agent, "Hello."), .init(.caller, "A red one,\nplease.")])
    let words = second.request.agent.instructions
    #expect(words.hasPrefix("Be brief.\n\nYou have talked to this person before."))
    #expect(words.hasSuffix("Summary: Wants a red bicycle.\nYou: Hello.\nThe person: A red one, please."))
    again.callerHangsUp()
    await next.value

    var anonymous = InboundCall.example()
    anonymous.from.isAnonymous = true
    let (leg3, third, last) = try await harness.answered(anonymous)
    #expect(third.request.memory.isEmpty)
    leg3.callerHangsUp()
    await last.value
  }

  @Test func whatTheApplicationCallsThePersonCounts() async throws {
    let memory = FakeMemory()
    try await memory.remember(
      RememberedConversation(date: Date(), channel: .websocket, summary: "Ada."),
      of: MemoryKey(agent: "reception", person: "ada_1"), until: .distantFuture)
    let (harness, _) = FailoverStoryTests.harness(
      FailoverStoryTests.agent(memory: .init(by: .externalClientId)), memory: memory)
    for (header, known) in [("ada_1", 1), ("ada 1", 0), ("", 0), (String(repeating: "a", count: 33), 0)] {
      var call = InboundCall.example()
      call.headers = [Header("x-external-client-id", header)]
      let (leg, session, task) = try await harness.answered(call)
      #expect(session.request.memory.count == known, "\(header)")
      leg.callerHangsUp()
      await task.value
    }
  }

  @Test(arguments: [true, false]) func aMemoryThatFailsKeepsNobodyWaiting(isBroken: Bool) async throws {
    let latch = Latch()
    let memory = FakeMemory(latch: isBroken ? nil : latch, isBroken: isBroken)
    let (harness, _) = FailoverStoryTests.harness(
      FailoverStoryTests.agent(memory: .init()), memory: memory)
    let leg = FakeLeg()
    let task = harness.place(on: leg)
    if !isBroken {
      try await memory.asked.first { _ in true }
      try await harness.advance(by: CallSession.recallDeadline) { !harness.model.sessions.events.isEmpty }
    }
    let session = try await harness.model.session()
    try await session.commands.wait(for: .begin)
    latch.open()
    leg.callerHangsUp()
    #expect(try await harness.record(task).end.reason == .callerHungUp)
  }

  @Test func theLastTurnsAreKeptWithinTheirLimit() throws {
    var transcript = (0..<100).map {
      TranscriptEntry(
        $0 % 2 == 0 ? .caller : .agent, .speech, String(repeating: "\($0 % 10)", count: 100), at: $0)
    }
    transcript.append(TranscriptEntry(.caller, .digits, "42", at: 101))
    transcript.append(TranscriptEntry(.system, .note, "a note", at: 102))
    let record = CallRecord(
      call: .example(), endedAt: Date(), end: CallEnd(.callerHungUp), transcript: transcript)
    let kept = try #require(record.conversation(nil))
    #expect(kept.lines.last?.text == "(pressed 42)")
    #expect(kept.lines.map(\.text.count).reduce(0, +) <= RememberedConversation.maximumCharacters)
    #expect(kept.lines.count == 20)
    let silent = CallRecord(
      call: .example(), endedAt: Date(), end: CallEnd(.callerHungUp),
      transcript: [TranscriptEntry(.agent, .speech, "Hello.", at: 0)])
    #expect(silent.conversation(nil) == nil, "nobody has answered: there is nothing to remember")
  }
}
