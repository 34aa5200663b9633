internal import FoundationEssentials

/// One call from its first sign to its record: obeys ``CallMachine``.
///
/// Lives on the executor of the call's media, so hearing, speaking and deciding need no hop. ``handle(_:)`` never
/// waits: what takes time runs in a task of its own and comes back as an event. So there is no state to look up
/// again after a wait, and a slow peer holds up nobody.
actor CallSession {
  let surroundings: Surroundings
  let leg: any CallLeg
  let sheet: CallSheet
  let log: Log
  let mouth = CallMouth()
  var decision: RouteDecision?
  var media: (any CallMedia)?
  /// The sessions that are open or being opened, by attempt.
  var voices: [Int: VoiceLine] = [:]
  /// Set while a task gives an event that can answer the call by itself, and whether it has to.
  var answersInline = false
  var isAnswerDue = false
  var machine: CallMachine
  var tools: ToolRunner
  private let executor: any SerialExecutor
  private let startedAt: Duration
  private var place: Admission.Place?
  private var listening: Task<Void, Never>?
  private var deadline = 0
  private var lastDeadline: Duration?
  /// Resolved when the machine has ended the call: `true`; `false` when the call's task was cancelled.
  private let over = OneShot<Bool>()
  /// Resolved when both sides are closed: `true`; `false` when that took too long.
  private var closed: OneShot<Bool>?
  private var isLegClosed = false

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(_ call: InboundCall, on leg: any CallLeg, _ surroundings: Surroundings) {
    self.surroundings = surroundings
    self.leg = leg
    log = surroundings.log.with("call", call.id.text)
    sheet = CallSheet(call, surroundings.settings)
    executor = leg.executor
    startedAt = surroundings.deadlines.timebase.now()
    machine = CallMachine(
      settings: surroundings.settings, models: { [models = surroundings.models] in models[$0] != nil })
    tools = ToolRunner(surroundings.tools, for: call, maximumBytes: surroundings.settings.toolResultBytes)
  }

  private var deadlines: Deadlines { surroundings.deadlines }
  private var live: LiveCalls { surroundings.live }
  private var now: Duration { deadlines.timebase.now() }
  /// The header that names the decision, on answers and refusals.
  private var headers: [Header] { decision.map { [Header("X-Route-Decision", $0.id)] } ?? [] }

  // MARK: The whole call

  /// Lives the call. Returns when both sides are closed; its task's cancellation hangs up.
  func run() async -> CallRecord {
    surroundings.metrics.add("routerd_calls_total")
    live.tell(.received(sheet.call))
    let trunk = sheet.call.trunk.flatMap { name in surroundings.trunks().first { $0.name == name } }
    switch surroundings.admission.enter(trunk) {
    case .failure(let refusal): handle(.stop(refusal.end))
    case .success(let place):
      self.place = place
      begin()
      if await !over.value(cancelled: false) {
        handle(.stop(CallEnd(.draining, text: "routerd is stopping")))
      }
    }
    // What is left must be done although this task may have been cancelled.
    return Task.isCancelled ? await Task { await finish() }.value : await finish()
  }

  /// Routes the call and lets things happen.
  private func begin() {
    let decision = surroundings.routing.resolve(sheet.call)
    self.decision = decision
    sheet.setRoute(decision.route, self)
    live.tell(.decided(sheet.call.id, decision))
    log.info("\(decision.summary)", ("from", sheet.call.from.uri), ("to", sheet.call.to.uri))
    machine.agentNamed = { [routing = surroundings.routing, call = sheet.call] name in
      routing.agent(named: name, for: call, under: decision, overrides: [:])
    }
    deadline = deadlines.add { [weak self] in
      guard let self else { return }
      Task { await self.tick() }
    }
    listening = Task { [self] in
      for await event in leg.events { handle(.leg(event)) }
      handle(.legFinished)
    }
    if let end = live.add(sheet) { return handle(.stop(end)) }
    let targets = targets(of: decision)
    guard let hook = decision.hook else { return handle(.start(targets)) }
    Task { handle(.start(await surroundings.ask(hook, about: sheet.call, decision, targets, log))) }
  }

  /// The targets, without the first one when its limit is reached.
  private func targets(of decision: RouteDecision) -> [RouteTarget] {
    guard let full = surroundings.admission.take(decision.limits, for: &place) else {
      return decision.targets
    }
    let end = CallEnd(.limitReached, text: "all \(full.maximum) calls of \(full.key) are taken")
    log.notice("\(end.text)")
    return decision.targets.count > 1 ? Array(decision.targets.dropFirst()) : [.reject(end)]
  }

  /// Ends the call from outside.
  func stop(_ end: CallEnd) { handle(.stop(end)) }

  // MARK: Events and what follows

  /// One event, and everything that it asks for.
  func handle(_ event: CallEvent) {
    var sent: [TurnID: Int]?
    switch event {
    case .voice, .voiceFinished, .flushed, .tick: sent = mouth.sent
    default: break
    }
    let actions = machine.handle(event, at: now, sent: sent)
    if lastDeadline != machine.timers.next {
      lastDeadline = machine.timers.next
      deadlines.move(deadline, to: lastDeadline)
    }
    let news = machine.takeNews()
    if let state = news.state {
      sheet.setState(state)
      live.tell(.changed(sheet.call.id, state))
    }
    if let agent = news.agent {
      sheet.setAgent(agent)
      live.tell(.agent(sheet.call.id, name: agent))
    }
    for action in actions { perform(action) }
  }

  private func tick() {
    lastDeadline = nil  // it fires once for each move
    if let closed { closed.resolve(false) } else { handle(.tick) }
  }

  private func perform(_ action: CallAction) {
    switch action {
    case .ring: Task { await leg.ring() }
    case .open(let attempt, let agent): open(attempt, agent)
    case .close(let attempt): close(attempt)
    case .answer: if answersInline { isAnswerDue = true } else { Task { await answer() } }
    case .attach(let attempt): attach(attempt)
    case .mute(let attempt, let mute): listen(attempt, muted: mute)
    case .send(let attempt, let command): send(command, to: attempt)
    case .flush: handle(.flushed(media?.flush() ?? PlayedAudio()))
    case .endTurn(let turn): media?.endTurn(turn)
    case .transfer(let id, let request):
      Task { handle(.transferEnded(id: id, await leg.transfer(request))) }
    case .runTool(let attempt, let call):
      tools.run(call) { [weak self] result in await self?.toolFinished(attempt, result) }
    case .cancelTool(let id): tools.cancel(id)
    case .transcript(let entry):
      if let entry = sheet.append(entry) { live.tell(.transcript(sheet.call.id, entry)) }
    case .log(let level, let text): log.write(level, text)
    case .finish: over.resolve(true)
    }
  }

  func answer() async {
    do {
      media = try await leg.answer(AnswerOptions(headers: headers))
      sheet.setAnswered(date(at: now))
      handle(.answered)
    } catch let error as LegError {
      handle(.answerFailed(error.end))
    } catch {
      handle(.answerFailed(CallEnd(.failed, text: "the channel could not answer: \(type(of: error))")))
    }
  }

  private func toolFinished(_ attempt: Int, _ result: ToolResult) {
    tools.finished(result.callID)
    handle(.toolFinished(attempt: attempt, result))
  }

  // MARK: The end

  private func finish() async -> CallRecord {
    guard case .over(let end) = machine.phase else { preconditionFailure("the call is not over") }
    let endedAt = date(at: now)
    await close(end)
    if let place { surroundings.admission.leave(place) }
    live.remove(sheet)
    let record = record(end, endedAt)
    surroundings.metrics.add("routerd_calls_ended_total", 1, ["reason": end.reason.rawValue])
    live.tell(.ended(record))
    log.info(
      "ended: \(end.reason.rawValue)", ("status", "\(end.sipStatus)"), ("q850", "\(end.q850)"),
      ("text", end.text))
    return record
  }

  /// Tells the caller's side and the sessions; waits for both within a limit.
  private func close(_ end: CallEnd) async {
    isLegClosed = machine.isLegOver
    closeVoices()
    if !isLegClosed || !voices.isEmpty {
      let closed = OneShot<Bool>()
      self.closed = closed
      if deadline == 0 { deadline = deadlines.add { closed.resolve(false) } }
      deadlines.move(deadline, to: now + .seconds(surroundings.settings.hangUpSeconds))
      if !isLegClosed { Task { await tellLeg(end) } }
      if await !closed.value(cancelled: true) { log.error("the call could not be closed in time") }
    }
    if deadline != 0 { deadlines.remove(deadline) }
    listening?.cancel()
  }

  private func tellLeg(_ end: CallEnd) async {
    if machine.answeredAt != nil { await leg.hangUp(end) } else { await leg.reject(end, headers: headers) }
    isLegClosed = true
    closedOneSide()
  }

  /// Both sides may be closed now.
  func closedOneSide() {
    if isLegClosed && voices.isEmpty { closed?.resolve(true) }
  }

  private func record(_ end: CallEnd, _ endedAt: Date) -> CallRecord {
    var record = CallRecord(
      call: sheet.call, answeredAt: machine.answeredAt.map(date), endedAt: endedAt, end: end,
      transcript: sheet.transcript.inOrder, audio: media?.statistics())
    record.agent = sheet.agent
    guard let decision else { return record }
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

  /// A date of this call: when it came in, and what the engine's clock measured since.
  private func date(at time: Duration) -> Date {
    let (seconds, attoseconds) = (time - startedAt).components
    return sheet.call.receivedAt.addingTimeInterval(Double(seconds) + Double(attoseconds) / 1e18)
  }
}

extension [TranscriptEntry] {
  /// As it was begun: an agent's line is written when it was heard, after what the caller did meanwhile.
  var inOrder: [TranscriptEntry] { sorted { $0.at < $1.at } }
}
