/// A route as one looks at it in a list.
public struct RouteSummary: Sendable, Hashable {
  public var name: String
  /// `routes/main.yaml:14`.
  public var location: String
  public var priority: Int
  /// What it takes; empty for every number.
  public var to: [String]
  /// Its other conditions: `channel: sip or voip`.
  public var conditions: [String]
  /// Where its calls go, then its fallbacks: `agent support`.
  public var targets: [String]
  /// `20 calls`.
  public var limit: String?
}

extension RouteSnapshot {
  /// Routes in the order of the files.
  /// - Parameter range: Positions; parts of it that do not exist are passed over.
  public func routes(in range: Range<Int> = 0..<1000) -> [RouteSummary] {
    range.clamped(to: 0..<table.routes.count).map(summary)
  }

  func summary(of route: Int) -> RouteSummary {
    let entry = table.routes[route]
    let action = table.actions[Int(entry.action)]
    let limit = action.limit.map { "\($0.calls) calls" + ($0.key.map { " shared as \($0)" } ?? "") }
    return RouteSummary(
      name: table.name(of: route), location: table.location(of: route), priority: Int(entry.priority),
      to: table.to(of: route),
      conditions: table.conditions[Int(entry.conditions)].map { "\($0.key): \($0.expected)" },
      targets: ([action.target] + action.fallback).map(\.words), limit: limit)
  }

  /// An agent's effective settings with the origin of every leaf; `nil` when there is no such agent.
  /// - Parameter call: When the route that takes this call goes to the agent, the route's overrides are merged as well.
  public func settings(
    ofAgent name: String, channel: ChannelKind, for call: InboundCall? = nil
  ) -> [ResolvedSetting]? {
    guard settings.agents[name] != nil else { return nil }
    guard let call else { return resolvedSettings(of: name, channel: channel, [], of: 0) }
    let facts = CallFacts(call, numbering(for: call))
    guard let route = winner(facts) else { return resolvedSettings(of: name, channel: channel, [], of: 0) }
    let action = table.actions[Int(table.routes[route].action)]
    let overrides = ([action.target] + action.fallback).lazy.compactMap { target -> [Int]? in
      switch target {
      case .agent(name, let overrides): overrides
      case .split(let shares): shares.first { $0.agent == name }?.overrides
      default: nil
      }
    }.first
    return resolvedSettings(of: name, channel: channel, overrides ?? [], of: route)
  }

  /// The nearest name of an agent, for who mistyped one.
  public func agentName(near name: String) -> String? {
    Suggestion.nearest(to: name, in: settings.agents.keys)
  }
}

extension RouteAction.Target {
  /// For people: `agent support`, `95 × support or 5 × support-next`.
  var words: String {
    switch self {
    case .agent(let name, _): "agent \(name)"
    case .split(let shares): "split " + shares.map { "\($0.weight) × \($0.agent)" }.joined(separator: ", ")
    case .transfer(let request): "transfer to \(request.target)"
    case .reject(let rejection): "\(rejection.code)\(rejection.reason.map { " \($0)" } ?? "")"
    }
  }
}
