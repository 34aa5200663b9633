import RouterCore
import RouterTesting
import Testing

/// Who may have a call: the engine's limit, the trunk's, the route's; and that every slot comes back.
@Suite(.timeLimit(.minutes(2))) struct AdmissionTests {
  /// The refusal of a call that is placed now.
  static func refusal(
    of call: InboundCall = .example(), by harness: EngineHarness
  ) async throws -> CallEnd {
    let leg = FakeLeg()
    await harness.place(call, on: leg).value
    guard case .reject(let end, _) = leg.deeds.events.last else {
      throw NothingHappened(waitedFor: "a refusal", instead: leg.deeds.events.map { "\($0)" })
    }
    return end
  }

  @Test func theEngineHasAMaximum() async throws {
    let harness = EngineHarness {
      $0.maximumCalls = 2
      $0.retryAfter = 7
    }
    let one = try await harness.answered()
    let two = try await harness.answered()
    let end = try await AdmissionTests.refusal(by: harness)
    #expect(end.reason == .limitReached && end.sipStatus == 503 && end.q850 == 42 && end.retryAfter == 7)
    one.leg.callerHangsUp()
    await one.task.value
    let three = try await harness.answered()  // the slot is free again
    for call in [two, three] {
      call.leg.callerHangsUp()
      await call.task.value
    }
    #expect(harness.store.saved.events.count == 4)  // the refused one too
  }

  @Test func aTrunkHasAMaximum() async throws {
    let harness = EngineHarness(trunks: [Trunk(name: "carrier", maximumCalls: 1), Trunk(name: "other")])
    let one = try await harness.answered(.example(trunk: "carrier"))
    let end = try await AdmissionTests.refusal(of: .example(trunk: "carrier"), by: harness)
    #expect(end.reason == .limitReached && end.sipStatus == 503 && end.q850 == 34 && end.retryAfter == nil)
    let other = try await harness.answered(.example(trunk: "other"))
    for call in [one, other] {
      call.leg.callerHangsUp()
      await call.task.value
    }
    let again = try await harness.answered(.example(trunk: "carrier"))
    again.leg.callerHangsUp()
    await again.task.value
  }

  @Test func aFullRouteGoesToItsFallback() async throws {
    let overflow = FakeVoiceModel()
    let routing = FakeRouting(
      .agent(EngineHarness.agent), .agent(AgentConfiguration(name: "overflow", providerType: "overflow")),
      limits: [CallLimit(key: "route front-door", maximum: 1)])
    let harness = EngineHarness(routing, models: ["overflow": overflow])
    let one = try await harness.answered()
    let leg = FakeLeg()
    let task = harness.place(on: leg)
    let session = try await overflow.session()
    try await session.commands.wait(for: .begin)
    one.leg.callerHangsUp()
    await one.task.value
    let again = try await harness.answered()  // the slot of the first call
    leg.callerHangsUp()
    await task.value
    again.leg.callerHangsUp()
    await again.task.value
    #expect(harness.store.saved.events.map(\.agent) == ["reception", "overflow", "reception"])
  }

  @Test func aFullRouteWithoutFallbackIsBusy() async throws {
    let routing = FakeRouting(
      .agent(EngineHarness.agent), limits: [CallLimit(key: "route front-door", maximum: 1)])
    let harness = EngineHarness(routing)
    let one = try await harness.answered()
    let end = try await AdmissionTests.refusal(by: harness)
    #expect(end.reason == .limitReached && end.sipStatus == 486 && end.q850 == 17)
    #expect(end.text == "all 1 calls of route front-door are taken")
    one.leg.callerHangsUp()
    await one.task.value
  }

  @Test(arguments: [true, false])
  func theRecordSaysWhichLimitWasReached(isRejected: Bool) async throws {
    let overflow = FakeVoiceModel()
    let declined = CallEnd(.rejectedByRoute, text: "All busy", sipStatus: 480)
    let routing = FakeRouting(
      .agent(EngineHarness.agent),
      isRejected
        ? .reject(declined) : .agent(AgentConfiguration(name: "overflow", providerType: "overflow")),
      limits: [CallLimit(key: "limit seats", maximum: 1)])
    let harness = EngineHarness(routing, models: ["overflow": overflow])
    let one = try await harness.answered()
    let leg = FakeLeg()
    let task = harness.place(on: leg)
    if !isRejected {
      try await overflow.session().commands.wait(for: .begin)
      leg.callerHangsUp()
    }
    await task.value
    one.leg.callerHangsUp()
    await one.task.value
    let records = harness.store.saved.events
    let second = try #require(records.first)
    #expect(second.decision?["limitReached"]?.string == "all 1 calls of limit seats are taken")
    // The caller hears what the route says.
    if isRejected { #expect(second.end == declined) }
    #expect(records.last?.decision?["summary"] != nil && records.last?.decision?["limitReached"] == nil)
  }

  @Test func manyCallsAtOnceNeverPassALimit() async throws {
    let routing = FakeRouting(
      .agent(EngineHarness.agent), limits: [CallLimit(key: "route front-door", maximum: 5)])
    let harness = EngineHarness(routing)
    let legs = (0..<40).map { _ in FakeLeg() }
    let tasks = legs.map { harness.place(on: $0) }
    for leg in legs {
      try await leg.deeds.first { deed in
        switch deed {
        case .answer, .reject: true
        default: false
        }
      }
    }
    let answered = legs.filter { $0.deeds.events.contains { if case .answer = $0 { true } else { false } } }
    #expect(answered.count == 5)
    for leg in answered { leg.callerHangsUp() }
    for task in tasks { await task.value }
    #expect(harness.store.saved.events.count == 40)
  }

  @Test func drainingRefusesAndWaits() async throws {
    let harness = EngineHarness()
    let one = try await harness.answered()
    async let cut = harness.engine.drain()
    while !harness.engine.isDraining { await Task.yield() }
    let end = try await AdmissionTests.refusal(by: harness)
    #expect(end.reason == .draining && end.sipStatus == 503 && end.retryAfter == 30)
    one.leg.callerHangsUp()
    #expect(await cut == 0)
    #expect(harness.store.saved.events.count == 2)
  }

  @Test func drainingHangsUpAtTheDeadline() async throws {
    let harness = EngineHarness()
    let one = try await harness.answered()
    let two = try await harness.answered()
    let (engine, clock) = (harness.engine, harness.clock)
    async let cut = engine.drain(deadline: .seconds(20))
    while !engine.isDraining { await Task.yield() }
    while harness.store.saved.events.count < 2 { await clock.advance(by: .seconds(1)) }
    #expect(await cut == 2)
    for call in [one, two] { await call.task.value }
    #expect(harness.store.saved.events.map(\.end.reason) == [.draining, .draining])
  }

  @Test func aSecondDrainIsAtOnce() async throws {
    let harness = EngineHarness()
    let (leg, _, task) = try await harness.answered()
    let engine = harness.engine
    async let patient = engine.drain(deadline: .seconds(1_000_000))
    async let forced = engine.drain(deadline: .zero)
    while harness.store.saved.events.isEmpty { await harness.clock.advance(by: .milliseconds(100)) }
    #expect(await forced == 1)
    #expect(await patient == 0)
    await task.value
    #expect(leg.deeds.events.contains { if case .hangUp = $0 { true } else { false } })
  }
}
