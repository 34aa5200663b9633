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
        if answeredAt != nil { return actions + part(.transfer(nil, request), .handOver, at: now) }
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
    if lastResort == nil, agent.humanHandoff.enabled, let target = agent.humanHandoff.transferExtension {
      lastResort = TransferRequest(target: target)
    }
    guard models(agent.providerType) else {
      let text = "no model for provider type \(agent.providerType)"
      actions += passOver(agent, .error, "noModel", text, at: now)
      return nil
    }
    if let provider = leftAlone(backends(agent).providers) {
      let text = "provider \(provider) has failed too often and is left alone for a while"
      actions += passOver(agent, .warning, "leftAlone", text, at: now)
      return nil
    }
    return open(agent, at: now)
  }

  private mutating func open(_ agent: AgentConfiguration, at now: Duration) -> [CallAction] {
    attempts += 1
    self.agent = agent
    proven = []
    phase = .opening(attempt: attempts)
    note(agent, attempts, at: now)
    timers.set(.open, at: now + openLimit)
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
    timers.clear(.switchWord)
    expectOpening(at: now)
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
    let reason = agent?.withoutSecrets(failure.message) ?? failure.message
    let text = "agent \(agent?.name ?? ""): \(failure.kind.rawValue): \(reason)"
    var actions: [CallAction] = [.log(.warning, text)]
    if let agent {
      let provider = backends(agent).provider(of: failure.part)
      actions.append(.backend(provider: provider, .failed(failure.kind)))
    }
    noteFailure(of: attempt, failure.kind.rawValue, reason, at: now)
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
    case .leaving(_, .hangUp(let end)): return actions + finish(end)
    case .leaving(_, .transfer(_, let request)):
      return actions + startTransfer(request, tool: nil, attempt: nil, at: now)
    case .transferring(let id, _, _, let hungUp):
      phase = .transferring(id: id, attempt: nil, tool: nil, hungUp: hungUp)
      return actions
    case .waiting, .opening, .answering, .talking, .parting, .over: break
    }
    candidates.insert(contentsOf: (agent?.fallback ?? []).map(Candidate.init), at: 0)
    if answeredAt != nil {
      timers.set(.noAgent, at: now + .seconds(settings.noAgentSeconds))
      if canAnnounce, settings.failover.switchWordMilliseconds > 0 {
        timers.set(.switchWord, at: now + .milliseconds(settings.failover.switchWordMilliseconds))
      }
    }
    return actions + tryNext(at: now)
  }
}
