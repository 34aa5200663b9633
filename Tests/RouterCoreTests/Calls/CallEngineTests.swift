import RouterCore
import RouterTesting
import Testing

/// The plain life of a call, from the first sign to the record.
@Suite(.timeLimit(.minutes(2))) struct CallEngineTests {
  @Test func aCallIsAnsweredAndRecorded() async throws {
    let harness = EngineHarness()
    let (leg, session, task) = try await harness.answered()
    #expect(leg.deeds.events.contains(.ring))
    let answer = try await leg.deeds.first { if case .answer = $0 { true } else { false } }
    guard case .answer(let headers) = answer else { return }
    #expect(headers.map(\.name) == ["X-Route-Decision"])

    session.say("Good morning.", TurnID(1))
    try await session.commands.wait(for: .played(TurnID(1)))
    session.report(.heard("When are you open?", confidence: 0.9, isFinal: true))
    leg.press("1")
    try await session.commands.wait(for: .digit("1"))
    leg.callerHangsUp()
    let record = try await harness.record(task)
    #expect(record.end.reason == .callerHungUp)
    #expect(record.route == "front-door")
    #expect(record.agent == "reception")
    #expect(record.snapshotVersion == "v1")
    #expect(record.decisionID == headers.first?.value)
    #expect(record.decision?["trace"]?["candidates"] == ["front-door"])
    #expect(record.fromNumber == "+447700900123")
    #expect(record.answeredAt != nil)
    #expect(record.audio?.codec == "PCMU")
    #expect(record.transcript.map(\.text) == ["Good morning.", "When are you open?", "1"])
    #expect(record.transcript.map(\.speaker) == [.agent, .caller, .caller])
    #expect(session.commands.events.last == .close)
    #expect(harness.engine.liveCalls.isEmpty)
    #expect(harness.metrics.value("routerd_calls_ended_total", ["reason": "callerHungUp"]) == 1)
  }

  /// Media lives on a loop of its own and counts for a moment longer than the call lasts.
  @Test func theRecordHasTheFiguresOfTheWholeCall() async throws {
    let harness = EngineHarness()
    let (leg, _, task) = try await harness.answered()
    let counted = Latch()
    leg.media.count(until: counted)
    leg.callerHangsUp()
    try await leg.media.deeds.wait(for: .awaited)
    var figures = AudioStatistics()
    figures.codec = "PCMA"
    leg.media.setStatistics(figures)
    counted.open()
    #expect(try await harness.record(task).audio?.codec == "PCMA")
  }

  @Test func theCallerIsHeard() async throws {
    let harness = EngineHarness()
    let (leg, session, task) = try await harness.answered()
    let frame = AudioFrame(samples: [Int16](repeating: 7, count: 320), sampleRate: 16000)
    #expect(leg.media.speak(frame))
    #expect(session.heard.events == [frame])
    #expect(leg.media.deeds.events.contains(.hears(session.hearingFormat)))
    leg.callerHangsUp()
    await task.value
  }

  @Test func theCallRingsWhileTheAgentIsMadeReady() async throws {
    let latch = Latch()
    let slow = FakeVoiceModel(.waits(latch))
    let agent = AgentConfiguration(name: "slow", providerType: "slow")
    let harness = EngineHarness(FakeRouting(.agent(agent)), models: ["slow": slow])
    let leg = FakeLeg()
    let task = harness.place(on: leg)
    try await leg.deeds.wait(for: .ring)
    _ = try await slow.requests.first { _ in true }
    #expect(harness.engine.liveCalls.map(\.state) == [.ringing])
    latch.open()
    let session = try await slow.session()
    try await session.commands.wait(for: .begin)
    leg.callerHangsUp()
    #expect(try await harness.record(task).agent == "slow")
  }

  @Test func aCallerWhoGivesUpLeavesNothingOpen() async throws {
    let latch = Latch()
    let stubborn = FakeVoiceModel(.ignoresCancellation(latch))
    let agent = AgentConfiguration(name: "slow", providerType: "slow")
    let harness = EngineHarness(FakeRouting(.agent(agent)), models: ["slow": stubborn])
    let leg = FakeLeg()
    let task = harness.place(on: leg)
    _ = try await stubborn.requests.first { _ in true }
    leg.happens(.cancelled)
    latch.open()
    let session = try await stubborn.session()
    try await session.commands.wait(for: .close)
    let record = try await harness.record(task)
    #expect(record.end.reason == .cancelled)
    #expect(record.end.sipStatus == 487)
    #expect(record.answeredAt == nil)
    #expect(!session.commands.events.contains(.begin))
  }

  @Test func aRouteThatRejectsIsObeyedAndRecorded() async throws {
    let end = CallEnd(.rejectedByRoute, text: "Declined")
    let harness = EngineHarness(FakeRouting(.reject(end)))
    let leg = FakeLeg()
    let record = try await harness.record(harness.place(on: leg))
    #expect(record.end == end)
    #expect(leg.deeds.events == [.reject(end, [Header("X-Route-Decision", record.decisionID ?? "")])])
    #expect(harness.model.requests.events.isEmpty)
  }

  @Test func cancellingTheTaskHangsUp() async throws {
    let harness = EngineHarness()
    let (leg, session, task) = try await harness.answered()
    task.cancel()
    let record = try await harness.record(task)
    #expect(record.end.reason == .draining)
    #expect(leg.deeds.events.contains { if case .hangUp = $0 { true } else { false } })
    #expect(session.commands.events.last == .close)
  }

  @Test func anOperatorHangsUp() async throws {
    let harness = EngineHarness()
    let call = InboundCall.example()
    let (_, _, task) = try await harness.answered(call)
    #expect(harness.engine.hangUp(call.id))
    let record = try await harness.record(task)
    #expect(record.end.reason == .agentHungUp)
    #expect(!harness.engine.hangUp(call.id))
  }

  @Test func aBrokenLegEndsTheCall() async throws {
    let harness = EngineHarness()
    let (leg, session, task) = try await harness.answered()
    leg.breaks()
    #expect(try await harness.record(task).end.reason == .failed)
    #expect(session.commands.events.last == .close)
  }

  @Test func observersSeeTheWholeCall() async throws {
    let harness = EngineHarness()
    let events = harness.engine.observe()
    let (leg, session, task) = try await harness.answered()
    session.say("Hello.", TurnID(1))
    try await session.commands.wait(for: .played(TurnID(1)))
    leg.callerHangsUp()
    await task.value
    var seen: [String] = []
    var passing: Set<String> = []  // sound and words come by different ways: in any order
    for await event in events {
      switch event {
      case .received: seen.append("received")
      case .decided(_, let decision): seen.append("decided \(decision.route ?? "")")
      case .changed(_, let state): seen.append(state.rawValue)
      case .agent(_, let name): seen.append("agent \(name)")
      case .transcript(_, let entry): seen.append(entry.text)
      case .functionCalled, .functionTimedOut, .functionUpdate: seen.append("function")
      case .partial(_, let entry): passing.insert(entry.text)
      case .interrupted: passing.insert("interrupted")
      case .timing(_, let timing): passing.insert("timing of \(timing.turn)")
      case .ended(let record): seen.append("ended \(record.end.reason.rawValue)")
      }
      if case .ended = event { break }
    }
    #expect(
      seen == [
        "received", "decided front-door", "ringing", "agent reception", "conversation", "Hello.", "ending",
        "ended callerHungUp",
      ])
    #expect(passing == ["Hello.", "timing of turn 1"])
  }

  @Test func aRecordIsSavedAfterTheStoreFailed() async throws {
    let harness = EngineHarness(store: FakeStore(failures: 2))
    let (leg, _, task) = try await harness.answered()
    leg.callerHangsUp()
    _ = try await harness.store.attempts.first { _ in true }
    while harness.store.saved.events.isEmpty { await harness.clock.advance(by: .seconds(1)) }
    await task.value
    #expect(harness.store.attempts.events.count == 3)
    #expect(harness.metrics.value("routerd_record_failures_total") == 2)
  }

  @Test func aRefusalOfTheChannelIsRecorded() async throws {
    let harness = EngineHarness()
    await harness.engine.intake.refused(.example(), CallEnd(.noCommonCodec))
    #expect(harness.store.saved.events.map(\.end.reason) == [.noCommonCodec])
  }
}
