import RouterCore
import RouterTesting

/// An engine with fakes all around, and the calls that a test places.
struct EngineHarness {
  let model = FakeVoiceModel()
  let store: FakeStore
  let clock = ManualClock()
  let metrics = Metrics()
  let engine: CallEngine

  static let agent = AgentConfiguration(name: "reception", providerType: "fake")

  init(
    _ routing: FakeRouting = FakeRouting(.agent(EngineHarness.agent)),
    models: [String: any VoiceModel] = [:], tools: [any ToolAdapter] = [], trunks: [Trunk] = [],
    store: FakeStore = FakeStore(), http: (any HTTPSending)? = nil,
    memory: (any MemoryStore)? = nil, synthesizer: (any SpeechSynthesizer)? = nil,
    settings change: (inout EngineSettings) -> Void = { _ in }
  ) {
    var settings = EngineSettings()
    settings.apology = ""
    change(&settings)
    self.store = store
    engine = CallEngine(
      routing: routing, models: ["fake": model as any VoiceModel].merging(models) { $1 }, tools: tools,
      trunks: { trunks }, store: store, http: http, memory: memory, synthesizer: synthesizer,
      settings: settings, metrics: metrics, clock: clock)
  }

  /// Hands a call over, as a channel does; the task is the call.
  func place(_ call: InboundCall = .example(), on leg: FakeLeg) -> Task<Void, Never> {
    Task { await engine.intake(call, on: leg) }
  }

  /// A call that was answered, with its session.
  func answered(
    _ call: InboundCall = .example(), on leg: FakeLeg = FakeLeg()
  ) async throws -> (leg: FakeLeg, session: FakeVoiceSession, task: Task<Void, Never>) {
    let count = model.sessions.events.count
    let task = place(call, on: leg)
    let session = try await model.session(count)
    try await session.commands.wait(for: .begin)
    return (leg, session, task)
  }

  /// Moves the clock, and on in small steps until it has had its effect: the engine looks at its deadlines every
  /// 100 ms of this clock, and may set one a moment after the move.
  func advance(by duration: Duration, until isDone: () -> Bool) async throws {
    await clock.advance(by: duration)
    for _ in 0..<30 where !isDone() {
      try await Task.sleep(for: .milliseconds(100))
      if !isDone() { await clock.advance(by: .milliseconds(100)) }
    }
  }

  /// The one record of a call that is over.
  func record(_ task: Task<Void, Never>) async throws -> CallRecord {
    await task.value
    guard store.saved.events.count == 1, let record = store.saved.events.first else {
      throw NothingHappened(waitedFor: "one record", instead: store.saved.events.map { "\($0.end)" })
    }
    return record
  }
}
