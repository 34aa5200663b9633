extension RouteSnapshot {
  /// Where a call goes. Pure: no I/O, no failure.
  public func resolve(_ call: InboundCall) -> RouteDecision {
    let facts = CallFacts(call, numbering(for: call))
    // What the trace says is made when it is asked for, and then from what is known already.
    return decide(facts).tracing { [self] in explain(facts, $0).write(to: &$1) }
  }

  /// The decision, without a trace.
  func decide(_ facts: CallFacts) -> RouteDecision {
    winner(facts).map { decision($0, facts) } ?? decisionWithoutRoute(facts)
  }

  private func decision(_ route: Int, _ facts: CallFacts) -> RouteDecision {
    let name = table.name(of: route)
    let action = table.actions[Int(table.routes[route].action)]
    let targets = ([action.target] + action.fallback).compactMap { target($0, route, facts) }
    let location = table.location(of: route)
    let place = name == location ? "route \(location)" : "route \(name), \(location)"
    let end = CallEnd(.failed, text: "route \(name) has no target")
    var decision = RouteDecision(
      id: decisionID(facts.call), snapshotVersion: version, route: name, location: location,
      targets: targets.isEmpty ? [.reject(end)] : targets, limits: limits(action, name),
      fromNumber: facts.from.number?.description, toNumber: facts.to.number?.description,
      summary: "\(place) → \(targets.first?.words ?? "nothing")")
    decision.hook = action.hook.map(filled)
    return decision
  }

  private func decisionWithoutRoute(_ facts: CallFacts) -> RouteDecision {
    let call = facts.call
    let target: RouteTarget
    let summary: String
    if let agent = ownAgent(of: call),
      let configuration = configuration(of: agent, channel: call.channel.rawValue, overrides: [])
    {
      target = .agent(configuration)
      summary =
        "no route → agent \(agent), the default of the \(call.connection == nil ? "call" : "connection")"
    } else {
      let closest = closestRoute(facts).map { "; closest is \($0)" } ?? ""
      target = .reject(CallEnd(.noRoute, text: "no route for \(facts.to.described)"))
      summary = "no route for \(facts.to.described) → 404\(closest)"
    }
    return RouteDecision(
      id: decisionID(call), snapshotVersion: version, route: nil, location: nil, targets: [target],
      fromNumber: facts.from.number?.description, toNumber: facts.to.number?.description, summary: summary)
  }

  /// The agent that answers when no route matches: the call's own, or its connection's.
  func ownAgent(of call: InboundCall) -> String? {
    if let name = call.defaultAgent, settings.agents[name] != nil { return name }
    return call.connection.flatMap { name in connections.first { $0.name == name }?.agentId }
  }

  /// Names one decision: the call and the table.
  private func decisionID(_ call: InboundCall) -> String { "d-\(version)-\(call.id.text)" }

  private func limits(_ action: RouteAction, _ name: String) -> [CallLimit] {
    action.limit.map { [CallLimit(key: $0.key.map { "limit \($0)" } ?? "route \(name)", maximum: $0.calls)] }
      ?? []
  }

  private func filled(_ hook: PreAnswerHook) -> PreAnswerHook {
    var hook = hook
    hook.url = secrets.fill(hook.url)
    hook.secret = hook.secret.map(secrets.fill)
    return hook
  }

  private func target(_ target: RouteAction.Target, _ route: Int, _ facts: CallFacts) -> RouteTarget? {
    let channel = facts.call.channel.rawValue
    switch target {
    case .agent(let name, let overrides):
      return configuration(of: name, channel: channel, overrides: overrides).map { .agent($0) }
    case .split(let shares):
      guard let share = shares.pick(facts.share(of: "split " + table.name(of: route))) else { return nil }
      return configuration(of: share.agent, channel: channel, overrides: share.overrides).map { .agent($0) }
    case .transfer(let request): return .transfer(request)
    case .reject(let rejection):
      let text = rejection.reason ?? "rejected by route \(table.name(of: route))"
      return .reject(
        CallEnd(.rejectedByRoute, text: text, sipStatus: rejection.code, retryAfter: rejection.retryAfter))
    }
  }
}

extension RouteTarget {
  /// For people: `agent reception`.
  var words: String {
    switch self {
    case .agent(let agent): "agent \(agent.name)"
    case .transfer(let request): "transfer to \(request.target)"
    case .reject(let end): "\(end.sipStatus)\(end.text.isEmpty ? "" : " \(end.text)")"
    }
  }
}
