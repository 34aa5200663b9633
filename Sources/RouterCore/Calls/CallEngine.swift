internal import FoundationEssentials

/// Lives every call from its first sign to its record.
///
/// A channel hands a call over with ``intake``; the call is one child task of the channel's, and cancelling that task
/// hangs up. Made once at start; a reload changes what `routing` answers, never the engine.
public final class CallEngine: Sendable {
  private let routing: any CallRouting
  private let trunks: @Sendable () -> [Trunk]
  private let surroundings: CallSession.Surroundings
  private let admission: Admission
  private let keeper: RecordKeeper
  private let http: (any HTTPSending)?
  private let log: Log
  private let metrics: Metrics

  private var live: LiveCalls { surroundings.live }
  private var settings: EngineSettings { surroundings.settings }
  private var deadlines: Deadlines { surroundings.deadlines }

  /// - Parameters:
  ///   - routing: Asked once for each call that is admitted.
  ///   - models: What can carry a conversation, by the provider's `type:` (`offline`, `echo`, …).
  ///   - tools: What agents may use besides the built-in `hand_over` and `hang_up`, by the name in `functions:`.
  ///   - trunks: The trunks in force, asked for anew for each call (for `maximumCalls`).
  ///   - store: Where records go; without one they are dropped.
  ///   - http: For the pre-answer hooks of routes; without it they count as unanswered.
  ///   - clock: For every deadline. Dates of a record are its `receivedAt` and what this clock measured since.
  public init(
    routing: any CallRouting, models: [String: any VoiceModel], tools: [String: ToolBinding] = [:],
    trunks: @escaping @Sendable () -> [Trunk] = { [] }, store: (any CallStore)? = nil,
    http: (any HTTPSending)? = nil, settings: EngineSettings = EngineSettings(), log: Log = .silent,
    metrics: Metrics = Metrics(),
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    let timebase = Timebase(clock)
    self.routing = routing
    self.trunks = trunks
    self.http = http
    self.log = log.labelled("call")
    self.metrics = metrics
    admission = Admission(settings)
    keeper = RecordKeeper(store: store, retries: settings.saveRetries, timebase: timebase, metrics: metrics)
    surroundings = CallSession.Surroundings(
      models: models, tools: tools, settings: settings, deadlines: Deadlines(timebase),
      live: LiveCalls(observerBuffer: settings.observerBuffer))
  }

  /// What channels are run with: `try await channel.run(engine.intake)`.
  public var intake: CallIntake {
    CallIntake { call, leg in
      await self.serve(call, on: leg)
    } refused: { call, end in
      await self.note(call, end)
    }
  }

  // MARK: Watching

  /// The calls that are up, oldest first.
  public var liveCalls: [LiveCall] { live.all.map(\.snapshot).sorted { $0.since < $1.since } }

  /// Events of all calls from now on, until the reader stops or is cancelled. Each observer has a buffer of its own
  /// (``EngineSettings/observerBuffer``); one that is slow loses the oldest events and slows nobody.
  public func observe() -> AsyncStream<EngineEvent> { live.observe() }

  // MARK: Ending

  /// Whether new calls are refused because ``drain(deadline:)`` was called.
  public var isDraining: Bool { admission.isDraining }

  /// Refuses new calls (503 with `Retry-After`) and waits until the live ones are over and their records saved. At
  /// the deadline, or when this task is cancelled, the rest are hung up; they have
  /// ``EngineSettings/hangUpSeconds`` for that and as long for their records. There is no way back. May be called
  /// again, from another task, with a shorter deadline (a second signal): `.zero` hangs up at once.
  /// - Parameter deadline: `nil` is ``EngineSettings/drainSeconds``.
  /// - Returns: How many calls had to be hung up.
  @discardableResult
  public func drain(deadline: Duration? = nil) async -> Int {
    admission.drain()
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

  // MARK: One call

  private func serve(_ call: InboundCall, on leg: any CallLeg) async {
    live.begin()
    defer { live.finish() }
    let log = log.with("call", call.id.text)
    metrics.add("routerd_calls_total")
    live.tell(.received(call))
    let trunk = call.trunk.flatMap { name in trunks().first { $0.name == name } }
    let record: CallRecord
    switch admission.enter(trunk) {
    case .failure(let refusal): record = await refuse(call, on: leg, refusal.end)
    case .success(var place):
      record = await admitted(call, on: leg, place: &place, log: log)
      admission.leave(place)
    }
    finish(record, log)
    // Not cut short when the call's task is cancelled: the record must be kept all the same.
    await Task { [keeper] in await keeper.save(record, log: log) }.value
  }

  /// A call that its channel refused.
  private func note(_ call: InboundCall, _ end: CallEnd) async {
    live.begin()
    defer { live.finish() }
    let log = log.with("call", call.id.text)
    metrics.add("routerd_calls_total")
    live.tell(.received(call))
    let record = CallRecord(call: call, endedAt: max(Date(), call.receivedAt), end: end)
    finish(record, log)
    await Task { [keeper] in await keeper.save(record, log: log) }.value
  }

  private func refuse(_ call: InboundCall, on leg: any CallLeg, _ end: CallEnd) async -> CallRecord {
    _ = await Task { [deadlines, settings] in
      await deadlines.bounded(.seconds(settings.hangUpSeconds)) { await leg.reject(end, headers: []) }
    }.value
    return CallRecord(call: call, endedAt: max(Date(), call.receivedAt), end: end)
  }

  private func admitted(
    _ call: InboundCall, on leg: any CallLeg, place: inout Admission.Place, log: Log
  ) async -> CallRecord {
    let decision = routing.resolve(call)
    live.tell(.decided(call.id, decision))
    log.info("\(decision.summary)", ("from", call.from.uri), ("to", call.to.uri))
    var targets = decision.targets
    if let full = admission.take(decision.limits, for: &place) {
      let end = CallEnd(.limitReached, text: "all \(full.maximum) calls of \(full.key) are taken")
      log.notice("\(end.text)")
      targets.removeFirst(min(1, targets.count))
      if targets.isEmpty { targets = [.reject(end)] }
    }
    let sheet = CallSheet(call, settings)
    sheet.setRoute(decision.route)
    let session = CallSession(sheet, on: leg, decision: decision, routing: routing, log: log, surroundings)
    sheet.setSession(session)
    if let end = live.add(sheet) { sheet.stop(end) }
    var record = await session.run(targets, question: question(call, decision, targets, log))
    live.remove(sheet)
    record.decisionID = decision.id
    record.route = decision.route
    record.snapshotVersion = decision.snapshotVersion
    record.fromNumber = decision.fromNumber
    record.toNumber = decision.toNumber
    record.decision = [
      "summary": .string(decision.summary), "location": decision.location.map(JSONValue.string) ?? .null,
      "trace": decision.trace,
    ]
    return record
  }

  /// What is to be asked before the first target is tried; its answer takes the place of that target.
  private func question(
    _ call: InboundCall, _ decision: RouteDecision, _ targets: [RouteTarget], _ log: Log
  ) -> (@Sendable () async -> [RouteTarget])? {
    guard let hook = decision.hook else { return nil }
    return { [http, routing] in
      let outcome =
        if let http {
          await PreAnswerQuestion(hook, over: http).ask(about: call, decision)
        } else {
          PreAnswerQuestion.unanswered(hook, "there is no HTTP client")
        }
      log.write(outcome.isAnswered ? .info : .warning, outcome.note)
      switch outcome.advice {
      case .proceed: return targets
      case .reject(let end): return [.reject(end)]
      case .transfer(let request): return [.transfer(request)] + targets.dropFirst()
      case .agent(let name, let overrides):
        guard let agent = routing.agent(named: name, for: call, under: decision, overrides: overrides) else {
          log.error("the hook wants an agent that there is not", ("agent", name))
          return targets
        }
        return [.agent(agent)] + targets.dropFirst()
      }
    }
  }

  private func finish(_ record: CallRecord, _ log: Log) {
    metrics.add("routerd_calls_ended_total", 1, ["reason": record.end.reason.rawValue])
    live.tell(.ended(record))
    log.info(
      "ended: \(record.end.reason.rawValue)", ("status", "\(record.end.sipStatus)"),
      ("q850", "\(record.end.q850)"), ("text", record.end.text))
  }
}

/// A tool as a model sees it, and what carries it out.
public struct ToolBinding: Sendable {
  public var tool: Tool
  public var adapter: any ToolAdapter
  public init(_ tool: Tool, _ adapter: any ToolAdapter) {
    self.tool = tool
    self.adapter = adapter
  }
}
