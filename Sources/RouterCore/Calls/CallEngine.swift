internal import FoundationEssentials

/// Lives every call from its first sign to its record.
///
/// A channel hands a call over with ``intake``; the call is one child task of the channel's, and cancelling that task
/// hangs up. Made once at start; a reload changes what `routing` answers, never the engine.
public final class CallEngine: Sendable {
  private let surroundings: Surroundings

  private var live: LiveCalls { surroundings.live }
  private var deadlines: Deadlines { surroundings.deadlines }

  /// - Parameters:
  ///   - routing: Asked once for each call that is admitted.
  ///   - models: What can carry a conversation, by the provider's `type:` (`offline`, `echo`, …).
  ///   - tools: What carries out the functions of agents, each asked by its kinds; the first one wins.
  ///   - trunks: The trunks in force, asked for anew for each call (for `maximumCalls`).
  ///   - store: Where records go; without one they are dropped.
  ///   - http: For the pre-answer hooks of routes; without it they count as unanswered.
  ///   - memory: What agents remember of people; without it they remember nobody.
  ///   - synthesizer: Speaks the engine's own few words; it should need no network. Without it they are not said.
  ///   - clock: For every deadline. Dates of a record are its `receivedAt` and what this clock measured since.
  public init(
    routing: any CallRouting, models: [String: any VoiceModel], tools: [any ToolAdapter] = [],
    trunks: @escaping @Sendable () -> [Trunk] = { [] }, store: (any CallStore)? = nil,
    http: (any HTTPSending)? = nil, memory: (any MemoryStore)? = nil,
    synthesizer: (any SpeechSynthesizer)? = nil,
    settings: EngineSettings = EngineSettings(), log: Log = .silent,
    metrics: Metrics = Metrics(), clock: any Clock<Duration> = ContinuousClock()
  ) {
    surroundings = Surroundings(
      routing: routing, models: models, tools: tools, trunks: trunks, store: store, http: http,
      memory: memory, synthesizer: synthesizer, settings: settings, log: log, metrics: metrics, clock: clock)
  }

  /// What channels are run with: `try await channel.run(engine.intake)`. A call lives on its leg's executor.
  public var intake: CallIntake {
    CallIntake { [surroundings] call, leg in
      let session = CallSession(call, on: leg, surroundings)
      let record = await session.run()
      await withCheckedContinuation { saved in
        session.keep(record) { saved.resume() }
      }
    } start: { [surroundings] call, leg, over in
      let session = CallSession(call, on: leg, surroundings)
      session.assumeIsolated { isolated in
        isolated.start { record in session.keep(record, over) }
      }
      return { [weak session] in session?.cancel() }
    } refused: { [self] call, end in
      await note(call, end)
    }
  }

  // MARK: Watching

  /// The calls that are up, oldest first.
  public var liveCalls: [LiveCall] { live.all.map(\.snapshot).sorted { $0.since < $1.since } }

  /// The backends that have failed since they were heard last, by provider.
  public var troubledBackends: [BackendState] { surroundings.breakers.troubled }

  /// Events of all calls from now on, until the reader stops or is cancelled. Each observer has a buffer of its own
  /// (``EngineSettings/observerBuffer``); one that is slow loses the oldest events and slows nobody.
  public func observe() -> AsyncStream<EngineEvent> { live.observe() }

  // MARK: Tools

  /// Lets the tools get ready for the functions of a table: at start and after each reload. Takes its time.
  public func prepareTools(_ functions: [FunctionDefinition]) async {
    let functions = functions.map { $0.reaching(surroundings.settings.toolNetworks) }
    await withTaskGroup(of: Void.self) { group in
      for tool in surroundings.tools {
        group.addTask { await tool.prepare(functions.filter { tool.kinds.contains($0.kind) }) }
      }
    }
  }

  /// The calling application's answer to ``EngineEvent/functionCalled(_:_:)``.
  /// - Returns: Whether the call is up and still waited for it.
  public func functionOutput(_ call: CallID, _ result: ToolResult) async -> Bool {
    for sheet in live.all where sheet.call.id == call {
      if await sheet.takeFunctionOutput(result) { return true }
    }
    return false
  }

  // MARK: Ending

  /// Whether new calls are refused because ``drain(deadline:)`` was called.
  public var isDraining: Bool { surroundings.admission.isDraining }

  /// Refuses new calls (503 with `Retry-After`) and waits until the live ones are over and their records saved. At
  /// the deadline, or when this task is cancelled, the rest are hung up; they have
  /// ``EngineSettings/hangUpSeconds`` for that and as long for their records. There is no way back. May be called
  /// again, from another task, with a shorter deadline (a second signal): `.zero` hangs up at once.
  /// - Parameter deadline: `nil` is ``EngineSettings/drainSeconds``.
  /// - Returns: How many calls had to be hung up.
  @discardableResult
  public func drain(deadline: Duration? = nil) async -> Int {
    surroundings.admission.drain()
    let settings = surroundings.settings
    let limit = deadline ?? .seconds(settings.drainSeconds)
    if await deadlines.bounded(limit, { await self.live.waitUntilEmpty() }) { return 0 }
    let count = live.stopAll(CallEnd(.draining, text: "routerd is stopping"))
    _ = await deadlines.bounded(.seconds(2 * settings.hangUpSeconds)) { await self.live.waitUntilEmpty() }
    return count
  }

  /// Hangs a call up, or refuses it when it was not answered yet. Returns at once; `false` when there is no such call.
  @discardableResult
  public func hangUp(
    _ id: CallID, _ end: CallEnd = CallEnd(.agentHungUp, text: "ended by an operator")
  ) -> Bool {
    let sheets = live.all.filter { $0.call.id == id }
    for sheet in sheets { sheet.stop(end) }
    return !sheets.isEmpty
  }

  /// A call that its channel refused.
  private func note(_ call: InboundCall, _ end: CallEnd) async {
    live.begin()
    surroundings.countBegun()
    surroundings.countEnded(end.reason)
    live.tell(.received(call))
    let record = CallRecord(call: call, endedAt: max(Date(), call.receivedAt), end: end)
    live.tell(.ended(record))
    let log = surroundings.log.with("call", call.id.text)
    log.info("refused by its channel: \(end.reason.rawValue)", ("text", end.text))
    await withCheckedContinuation { saved in
      surroundings.keeper.keep(record, log: log) { saved.resume() }
    }
    live.finish()
  }
}
