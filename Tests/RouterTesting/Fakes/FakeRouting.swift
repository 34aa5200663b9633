public import RouterCore

/// Routing with one answer for every call.
public struct FakeRouting: CallRouting {
  public var targets: [RouteTarget]
  public var limits: [CallLimit]
  public var agents: [String: AgentConfiguration]
  public var hook: PreAnswerHook?

  /// - Parameters:
  ///   - targets: What is tried, in order.
  ///   - agents: For `fallback:`, by name.
  public init(
    _ targets: RouteTarget..., limits: [CallLimit] = [], agents: [AgentConfiguration] = [],
    hook: PreAnswerHook? = nil
  ) {
    self.targets = targets
    self.limits = limits
    self.agents = Dictionary(agents.map { ($0.name, $0) }) { first, _ in first }
    self.hook = hook
  }

  public func resolve(_ call: InboundCall) -> RouteDecision {
    var decision = RouteDecision(
      id: "d-\(call.id)", snapshotVersion: "v1", route: "front-door", location: "routes/main.yaml:14",
      targets: targets, limits: limits, fromNumber: call.from.user, toNumber: call.to.user,
      summary: "route front-door, routes/main.yaml:14 → \(targets.count) targets",
      trace: ["candidates": ["front-door"]])
    decision.hook = hook
    return decision
  }

  public func agent(
    named name: String, for call: InboundCall, under decision: RouteDecision, overrides: JSONValue
  ) -> AgentConfiguration? { agents[name] }
}

extension InboundCall {
  /// A call for tests.
  public static func example(trunk: String? = nil, to: String = "+442079460001") -> InboundCall {
    InboundCall(
      channel: .sip, from: Party(user: "+447700900123", host: "carrier.example"),
      to: Party(user: to, host: "pbx.example"), trunk: trunk,
      sourceAddress: SocketAddress(ip: "203.0.113.7", port: 5060), foreignID: "abc@carrier.example")
  }
}
