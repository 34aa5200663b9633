internal import FoundationEssentials

/// One call from its first sign to its record: obeys ``CallMachine``.
///
/// Lives on the executor of its leg, and is no task: with a leg and a model that never wait the whole call is a few
/// calls of functions on one event loop. ``handle(_:)`` never waits: what takes time runs in a task of its own and
/// comes back as an event. So there is no state to look up again after a wait, and a slow peer holds up nobody.
actor CallSession {
  let surroundings: Surroundings
  let leg: any CallLeg
  /// The leg, if it is one that never waits.
  let inline: (any InlineLeg)?
  let sheet: CallSheet
  let log: Log
  let mouth: CallMouth
  var decision: RouteDecision?
  var media: (any CallMedia)?
  /// The sessions that are open or being opened, by attempt.
  var voices: [Int: VoiceLine] = [:]
  /// The agents that had the call, in order; the machine tries each at most once.
  var speakers: [AgentConfiguration] = []
  var machine: CallMachine
  var tools: ToolRunner
  private let executor: any SerialExecutor
  let startedAt: Duration
  /// How long the answers took.
  var timings: [TurnTiming] = []
  /// Whose memory the call uses, and what was in it.
  var remembering: Remembering?
  /// The model's own summary of the conversation.
  var summary: String?
  var place: Admission.Place?
  /// Why the first target was not tried, for the record.
  private(set) var limitReached: String?
  var listening: Task<Void, Never>?
  var deadline = 0
  private var lastDeadline: Duration?
  /// What was reported from elsewhere, in its order.
  private let inbox = Lock(Inbox())
  /// Set while an event is being carried out; what it brings about waits until it is done.
  private var isHandling = false
  private var pending: [CallEvent] = []
  /// A leg that never waits is told to ring when the event is carried out: a call that is answered by then needs it not.
  private var isRingDue = false
  /// How and when the call ended, while its sides are being closed.
  var ending: (end: CallEnd, at: Date)?
  var isLegClosed = false
  /// Takes the record when both sides are closed.
  var over: (@Sendable (CallRecord) -> Void)?

  private struct Inbox {
    var events: [CallEvent] = []
    /// Whether a task is on its way to read it.
    var isAnnounced = false
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(_ call: InboundCall, on leg: any CallLeg, _ surroundings: Surroundings) {
    self.surroundings = surroundings
    self.leg = leg
    inline = leg as? any InlineLeg
    log = surroundings.log.with("call", call.id.text)
    sheet = CallSheet(call, surroundings.settings)
    executor = leg.executor
    mouth = CallMouth(now: surroundings.deadlines.timebase.now)
    startedAt = surroundings.deadlines.timebase.now()
    machine = CallMachine(
      settings: surroundings.settings, models: { [models = surroundings.models] in models[$0] != nil })
    tools = ToolRunner(maximumBytes: surroundings.settings.toolResultBytes)
  }

  var deadlines: Deadlines { surroundings.deadlines }
  var live: LiveCalls { surroundings.live }
  var now: Duration { deadlines.timebase.now() }
  /// The header that names the decision, on answers and refusals.
  var headers: [Header] { decision.map { [Header("X-Route-Decision", $0.id)] } ?? [] }

  // MARK: The whole call

  /// Lives the call. Returns when both sides are closed; its task's cancellation hangs up.
  func run() async -> CallRecord {
    await withTaskCancellationHandler {
      await withCheckedContinuation { record in start { record.resume(returning: $0) } }
    } onCancel: {
      cancel()
    }
  }

  /// Begins the call. `over` is called once, when both sides are closed; it may be before this returns.
  func start(_ over: @escaping @Sendable (CallRecord) -> Void) {
    self.over = over
    live.begin()
    surroundings.countBegun()
    live.tell(.received(sheet.call))
    let trunk = sheet.call.trunk.flatMap { name in surroundings.trunks().first { $0.name == name } }
    deadline = deadlines.add { [weak self] in
      guard let self else { return }
      Task { await self.tick() }
    }
    switch surroundings.admission.enter(trunk) {
    case .failure(let refusal): handle(.stop(refusal.end))
    case .success(let place):
      self.place = place
      route()
    }
  }

  /// Hangs up because routerd is stopping. Returns at once.
  nonisolated func cancel() { post(.stop(CallEnd(.draining, text: "routerd is stopping"))) }

  /// Saves the record of the call that is over. It counts as unfinished until then.
  nonisolated func keep(_ record: CallRecord, _ done: @escaping @Sendable () -> Void) {
    surroundings.keeper.keep(record, log: log) { [live = surroundings.live] in
      live.finish()
      done()
    }
  }

  /// Routes the call and lets things happen.
  private func route() {
    let decision = surroundings.routing.resolve(sheet.call)
    self.decision = decision
    sheet.setRoute(decision.route, self)
    live.tell(.decided(sheet.call.id, decision))
    log.info("\(decision.summary)", ("from", sheet.call.from.uri), ("to", sheet.call.to.uri))
    prepareMachine()
    machine.agentNamed = { [routing = surroundings.routing, call = sheet.call] name in
      routing.agent(named: name, for: call, under: decision, overrides: [:])
    }
    listen()
    if let end = live.add(sheet) { return handle(.stop(end)) }
    let targets = targets(of: decision)
    guard let hook = decision.hook else { return handle(.start(targets)) }
    Task { handle(.start(await surroundings.ask(hook, about: sheet.call, decision, targets, log))) }
  }

  /// Takes what the leg reports.
  private func listen() {
    if let inline {
      return inline.report { [weak self] event in self?.post(event.map(CallEvent.leg) ?? .legFinished) }
    }
    listening = Task { [self] in
      for await event in leg.events { handle(.leg(event)) }
      handle(.legFinished)
    }
  }

  /// The targets, without the first one when its limit is reached.
  private func targets(of decision: RouteDecision) -> [RouteTarget] {
    guard let full = surroundings.admission.take(decision.limits, for: &place) else {
      return decision.targets
    }
    let end = CallEnd(.limitReached, text: "all \(full.maximum) calls of \(full.key) are taken")
    log.notice("\(end.text)")
    limitReached = end.text
    return decision.targets.count > 1 ? Array(decision.targets.dropFirst()) : [.reject(end)]
  }

  /// Ends the call from outside.
  func stop(_ end: CallEnd) { handle(.stop(end)) }

  // MARK: Events and what follows

  /// Takes an event from any thread, at once where that is the call's own. Events of one thread keep their order.
  nonisolated func post(_ event: CallEvent) {
    let mustTell = inbox.withLock { inbox in
      inbox.events.append(event)
      defer { inbox.isAnnounced = true }
      return !inbox.isAnnounced
    }
    if executor.isIsolatingCurrentContext() == true {
      assumeIsolated { $0.readInbox() }
    } else if mustTell {
      Task { await readInbox() }
    }
  }

  private func readInbox() {
    let events = inbox.withLock { inbox in
      defer { inbox = Inbox() }
      return inbox.events
    }
    for event in events { handle(event) }
  }

  /// One event, and everything that it asks for.
  func handle(_ event: CallEvent) {
    if isHandling { return pending.append(event) }
    isHandling = true
    obey(event)
    while !pending.isEmpty { obey(pending.removeFirst()) }
    isHandling = false
    guard isRingDue else { return }
    isRingDue = false
    if case .opening = machine.phase { inline?.ringInline() }
  }

  private func obey(_ event: CallEvent) {
    let actions = machine.handle(event, at: now, sound: mouth.sound)
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
    guard ending != nil else { return handle(.tick) }
    log.error("the call could not be closed in time")
    depart()
  }

  private func perform(_ action: CallAction) {
    switch action {
    case .ring: if inline != nil { isRingDue = true } else { Task { await leg.ring() } }
    case .open(let attempt, let agent): open(attempt, agent)
    case .close(let attempt): close(attempt)
    case .answer: answer()
    case .attach(let attempt): attach(attempt)
    case .mute(let attempt, let mute): listen(attempt, muted: mute)
    case .send(let attempt, let command): send(command, to: attempt)
    case .flush:
      mouth.flushed()
      obey(.flushed(media?.flush() ?? PlayedAudio()))  // what follows in the list counts on it
    case .endTurn(let turn): media?.endTurn(turn)
    case .transfer(let id, let request):
      Task { handle(.transferEnded(id: id, await leg.transfer(request))) }
    case .runTool(let attempt, let call): run(call, for: attempt)
    case .cancelTool(let id): tools.cancel(id)
    case .toolTimedOut(let id): live.tell(.functionTimedOut(sheet.call.id, toolCall: id))
    case .transcript(let entry):
      if let entry = sheet.append(entry) {
        live.tell(.transcript(sheet.call.id, entry))
        tools.hear(entry)
      }
    case .partial(let entry): live.tell(.partial(sheet.call.id, entry))
    case .interrupted(let turn, let at, let played):
      live.tell(.interrupted(sheet.call.id, turn, at: at, playedMilliseconds: played))
    case .timing(let timing): note(timing)
    case .summary(let text): summary = String(text.prefix(RememberedConversation.maximumCharacters))
    case .announce(let turn, let phrase, let language): announce(turn, phrase, language)
    case .backend(let provider, let news): tell(news, of: provider)
    case .log(let level, let text): log.write(level, text)
    case .finish(let end, _): close(end)
    }
  }

  private func answer() {
    let options = AnswerOptions(headers: headers)
    if let inline {
      return inline.answerInline(options) { [weak self] result in
        self?.assumeIsolated { $0.answered(result.mapError { $0 as any Error }) }
      }
    }
    Task {
      do { answered(.success(try await leg.answer(options))) } catch { answered(.failure(error)) }
    }
  }

  private func answered(_ result: Result<any CallMedia, any Error>) {
    switch result {
    case .success(let media):
      self.media = media
      sheet.setAnswered(date(at: now))
      handle(.answered)
    case .failure(let error as LegError): handle(.answerFailed(error.end))
    case .failure(let error):
      handle(.answerFailed(CallEnd(.failed, text: "the channel could not answer: \(type(of: error))")))
    }
  }

  /// A date of this call: when it came in, and what the engine's clock measured since.
  func date(at time: Duration) -> Date {
    let (seconds, attoseconds) = (time - startedAt).components
    return sheet.call.receivedAt.addingTimeInterval(Double(seconds) + Double(attoseconds) / 1e18)
  }
}
