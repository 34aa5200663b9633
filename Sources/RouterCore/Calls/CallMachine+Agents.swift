/// Which agent has the call: trying the candidates, answering, going on with another one.
extension CallMachine {
  /// Goes to the next candidate, or ends the call when there is none.
  mutating func tryNext(at now: Duration) -> [CallAction] {
    var actions: [CallAction] = []
    while !candidates.isEmpty {
      let candidate = candidates.removeFirst()
      guard targets < settings.maximumTargets else {
        actions.append(.log(.warning, "gave up after \(targets) targets (maximumTargets)"))
        break
      }
      targets += 1
      switch candidate {
      case .target(.agent(let agent)):
        if let opening = open(agent, &actions, at: now) { return actions + opening }
      case .agentNamed(let name):
        guard !tried.contains(name) else { continue }
        guard let agent = agentNamed(name) else {
          actions.append(.log(.error, "there is no agent \(name) to fall back to"))
          continue
        }
        if let opening = open(agent, &actions, at: now) { return actions + opening }
      case .target(.transfer(let request)):
        if answeredAt != nil { return actions + startTransfer(request, tool: nil, attempt: nil, at: now) }
        phase = .answering(.transfer(request))
        startAnswering(at: now)
        return actions + [.answer]
      case .target(.reject(let end)):
        // Once it was answered there is no refusing any more.
        let end =
          answeredAt == nil ? end : CallEnd(end.reason, text: end.text, sipStatus: 200, q850: end.q850)
        return actions + finish(end)
      }
    }
    return actions + noneLeft(at: now)
  }

  /// Opens a session for an agent; `nil` when that is impossible and the next candidate's turn.
  private mutating func open(
    _ agent: AgentConfiguration, _ actions: inout [CallAction], at now: Duration
  ) -> [CallAction]? {
    guard tried.insert(agent.name).inserted else { return nil }
    guard models(agent.providerType) else {
      lastFailure = CallEnd(
        .agentUnavailable, text: "agent \(agent.name): no model for provider type \(agent.providerType)")
      actions.append(.log(.error, lastFailure.text))
      candidates.insert(contentsOf: agent.fallback.map(Candidate.init), at: 0)
      return nil
    }
    return open(agent, at: now)
  }

  private mutating func open(_ agent: AgentConfiguration, at now: Duration) -> [CallAction] {
    attempts += 1
    self.agent = agent
    phase = .opening(attempt: attempts)
    timers.set(.open, at: now + .seconds(settings.answerDeadline))
    let open = CallAction.open(attempt: attempts, agent)
    guard answeredAt == nil && attempts == 1 else { return [open] }
    if settings.ringDelayMilliseconds == 0 { return [.ring, open] }
    timers.set(.ring, at: now + .milliseconds(settings.ringDelayMilliseconds))
    return [open]
  }

  /// A session is there: answer the call for it, or let it take over.
  mutating func opened(_ attempt: Int, at now: Duration) -> [CallAction] {
    guard phase == .opening(attempt: attempt) else {
      return attempt == current ? [] : [.close(attempt: attempt)]  // too late
    }
    timers.clear(.open)
    if answeredAt != nil { return begin(attempt, at: now) }
    phase = .answering(.agent(attempt: attempt))
    startAnswering(at: now)
    return [.answer]
  }

  private mutating func startAnswering(at now: Duration) {
    timers.clear(.ring)
    timers.clear(.ringing)
    timers.set(.answer, at: now + .seconds(CallMachine.answerSeconds))
  }

  mutating func answered(at now: Duration) -> [CallAction] {
    guard case .answering(let purpose) = phase else { return [] }
    answeredAt = now
    timers.clear(.answer)
    switch purpose {
    case .agent(let attempt):
      limitDuration(at: now)
      guard let failure = failedWhileAnswering else { return begin(attempt, at: now) }
      phase = .opening(attempt: attempt)
      return failOver(attempt, failure, at: now)
    case .transfer(let request):
      timers.set(.maximumDuration, at: now + .seconds(settings.maximumDuration))
      return startTransfer(request, tool: nil, attempt: nil, at: now)
    }
  }

  private mutating func limitDuration(at now: Duration) {
    let seconds = min(settings.maximumDuration, max(1, agent?.maximumDuration ?? settings.maximumDuration))
    timers.set(.maximumDuration, at: now + .seconds(seconds))
  }

  /// The session has the call.
  private mutating func begin(_ attempt: Int, at now: Duration) -> [CallAction] {
    timers.clear(.noAgent)
    if isApologising {
      let end = CallEnd(
        .agentUnavailable, text: lastFailure.text, sipStatus: 200, q850: CallEnd.cause(ofStatus: 500))
      phase = .leaving(attempt: attempt, .hangUp(end), mustSpeak: true)
      timers.set(.goodbye, at: now + .seconds(settings.goodbyeSeconds))
      return [.attach(attempt: attempt), .send(attempt: attempt, .say(settings.apology))]
    }
    phase = .talking(attempt: attempt)
    var actions: [CallAction] = [.attach(attempt: attempt), .send(attempt: attempt, .begin)]
    if isHeld { actions.append(.send(attempt: attempt, .held(true))) }
    return actions
  }

  /// A session ended by itself. While the answer is on its way, which cannot be taken back, that has to wait.
  mutating func lost(_ attempt: Int, _ failure: VoiceFailure, at now: Duration) -> [CallAction] {
    if phase == .answering(.agent(attempt: attempt)) {
      failedWhileAnswering = failedWhileAnswering ?? failure
      return []
    }
    guard attached == attempt || phase == .opening(attempt: attempt) else { return [] }
    return failOver(attempt, failure, at: now)
  }

  /// An agent's session is of no use (any more): its `fallback:` and then the route's next targets are tried.
  mutating func failOver(_ attempt: Int, _ failure: VoiceFailure, at now: Duration) -> [CallAction] {
    let name = agent?.name ?? ""
    let text = "agent \(name): \(failure.kind.rawValue): \(failure.message)"
    var actions: [CallAction] = [.log(.warning, text)]
    if answeredAt != nil { actions.append(line(.system, .note, text, at: now)) }
    actions += tools.keys.sorted().map { .cancelTool(id: $0) }
    tools.removeAll()
    timers.clear(.open)
    timers.clear(.silentTurn)
    lastFailure = CallEnd(.agentUnavailable, text: text)
    actions += perform(turns.sessionEnded(), at: now)
    actions.append(.close(attempt: attempt))
    lastClosed = attempt
    switch phase {
    case .leaving(_, .hangUp(let end), _): return actions + finish(end)
    case .leaving(_, .transfer(_, let request), _):
      return actions + startTransfer(request, tool: nil, attempt: nil, at: now)
    case .transferring(let id, _, _, let hungUp):
      phase = .transferring(id: id, attempt: nil, tool: nil, hungUp: hungUp)
      return actions
    case .waiting, .opening, .answering, .talking, .over: break
    }
    candidates.insert(contentsOf: (agent?.fallback ?? []).map(Candidate.init), at: 0)
    if answeredAt != nil { timers.set(.noAgent, at: now + .seconds(settings.noAgentSeconds)) }
    return actions + tryNext(at: now)
  }

  /// Nobody is left: words of apology for a caller who was answered, if something can say them.
  mutating func noneLeft(at now: Duration) -> [CallAction] {
    guard answeredAt != nil else { return finish(lastFailure) }
    if !isApologising && !settings.apology.isEmpty && models(settings.apologyProvider) {
      isApologising = true
      timers.set(.noAgent, at: now + .seconds(settings.noAgentSeconds))
      return open(
        AgentConfiguration(
          name: agent?.name ?? "apology", language: agent?.language, provider: settings.apologyProvider,
          providerType: settings.apologyProvider), at: now)
    }
    return finish(
      CallEnd(.agentUnavailable, text: lastFailure.text, sipStatus: 200, q850: CallEnd.cause(ofStatus: 500)))
  }
}
