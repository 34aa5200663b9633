internal import FoundationEssentials

/// One call from its decision to its record: obeys ``CallMachine``.
///
/// Lives on the executor of the call's media, so hearing, speaking and deciding need no hop. ``handle(_:)`` never
/// waits: what takes time runs in a task of its own and comes back as an event. So there is no state to look up
/// again after a wait, and a slow peer holds up nobody.
actor CallSession {
  /// What all calls of an engine share.
  final class Surroundings: Sendable {
    let models: [String: any VoiceModel]
    let tools: [String: ToolBinding]
    let settings: EngineSettings
    let deadlines: Deadlines
    let live: LiveCalls

    init(
      models: [String: any VoiceModel], tools: [String: ToolBinding], settings: EngineSettings,
      deadlines: Deadlines, live: LiveCalls
    ) {
      self.models = models
      self.tools = tools
      self.settings = settings
      self.deadlines = deadlines
      self.live = live
    }
  }

  let surroundings: Surroundings
  let leg: any CallLeg
  let decision: RouteDecision
  let sheet: CallSheet
  let log: Log
  var media: (any CallMedia)?
  let mouth = CallMouth()
  /// The sessions that are open or being opened, by attempt.
  var voices: [Int: VoiceLine] = [:]

  private var machine: CallMachine
  private var tools: ToolRunner
  private let executor: any SerialExecutor
  private let startedAt: Duration
  private var listening: Task<Void, Never>?
  private var deadline = 0
  private var lastDeadline: Duration?
  private var agentName: String?
  /// Resolved when the machine has ended the call: `true`; `false` when the call's task was cancelled.
  private let over = OneShot<Bool>()

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(
    _ sheet: CallSheet, on leg: any CallLeg, decision: RouteDecision, routing: any CallRouting, log: Log,
    _ surroundings: Surroundings
  ) {
    self.surroundings = surroundings
    self.leg = leg
    self.decision = decision
    self.sheet = sheet
    self.log = log
    executor = leg.executor
    startedAt = surroundings.deadlines.timebase.now()
    let call = sheet.call
    machine = CallMachine(
      settings: surroundings.settings,
      agentNamed: { routing.agent(named: $0, for: call, under: decision, overrides: [:]) },
      models: { [models = surroundings.models] in models[$0] != nil })
    tools = ToolRunner(surroundings.tools, for: call, maximumBytes: surroundings.settings.toolResultBytes)
  }

  /// The header that names the decision, on answers and refusals.
  private var headers: [Header] { [Header("X-Route-Decision", decision.id)] }
  private var deadlines: Deadlines { surroundings.deadlines }
  private var now: Duration { deadlines.timebase.now() }

  /// Lives the call. Returns when both sides are closed; its task's cancellation hangs up.
  /// - Parameter question: Somebody to ask first, within a limit of its own; gives the targets to try.
  func run(
    _ targets: [RouteTarget], question: (@Sendable () async -> [RouteTarget])? = nil
  ) async -> CallRecord {
    deadline = deadlines.add { [weak self] in
      guard let self else { return }
      Task { await self.handle(.tick) }
    }
    listening = Task { [self] in
      for await event in leg.events { handle(.leg(event)) }
      handle(.legFinished)
    }
    if let question {
      Task { handle(.start(await question())) }
    } else {
      handle(.start(targets))
    }
    if await !over.value(cancelled: false) {
      handle(.stop(CallEnd(.draining, text: "routerd is stopping")))
    }
    // A task of its own: what is left must be done although this one may have been cancelled.
    return await Task { await close() }.value
  }

  /// Ends the call from outside.
  func stop(_ end: CallEnd) { handle(.stop(end)) }

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
    } else if case .tick = event {
      deadlines.move(deadline, to: lastDeadline)  // it fires once for each move
    }
    publish()
    for action in actions { perform(action) }
  }

  private func publish() {
    let id = sheet.call.id
    if sheet.setState(machine.state) {
      surroundings.live.tell(.changed(id, machine.state))
    }
    if let agent = machine.agent?.name, agent != agentName {
      agentName = agent
      sheet.setAgent(agent)
      surroundings.live.tell(.agent(id, name: agent))
    }
  }

  private func perform(_ action: CallAction) {
    switch action {
    case .ring: Task { await leg.ring() }
    case .open(let attempt, let agent): open(attempt, agent)
    case .close(let attempt): close(attempt)
    case .answer: answer()
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
      if let entry = sheet.append(entry) { surroundings.live.tell(.transcript(sheet.call.id, entry)) }
    case .log(let level, let text): log.write(level, text)
    case .finish: over.resolve(true)
    }
  }

  private func answer() {
    Task {
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
  }

  private func toolFinished(_ attempt: Int, _ result: ToolResult) {
    tools.finished(result.callID)
    handle(.toolFinished(attempt: attempt, result))
  }

  // MARK: What a session is told

  /// What was said so far, for a session that takes over: also words that are just being played.
  var transcript: [TranscriptEntry] {
    (sheet.transcript + machine.turns.openLines.map(machine.entry)).inOrder
  }
  var firstTurn: TurnID { machine.turns.nextFree }
  func tools(for agent: AgentConfiguration) -> [Tool] { tools.tools(for: agent) }

  // MARK: The end

  /// Tells the caller's side, waits for the sessions to close, both within a limit, and makes the record.
  private func close() async -> CallRecord {
    guard case .over(let end) = machine.phase else { preconditionFailure("closed a call that is not over") }
    deadlines.move(deadline, to: nil)
    deadlines.remove(deadline)
    let endedAt = date(at: now)
    let wasAnswered = machine.answeredAt != nil
    let isClosed = await deadlines.bounded(.seconds(surroundings.settings.hangUpSeconds)) { [self] in
      if wasAnswered { await leg.hangUp(end) } else { await leg.reject(end, headers: headers) }
      await closeVoices()
    }
    if !isClosed { log.error("the call could not be closed in time") }
    listening?.cancel()
    var record = CallRecord(
      call: sheet.call, answeredAt: machine.answeredAt.map(date), endedAt: endedAt, end: end,
      transcript: sheet.transcript.inOrder, audio: media?.statistics())
    record.agent = sheet.agent
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
  fileprivate var inOrder: [TranscriptEntry] { sorted { $0.at < $1.at } }
}
