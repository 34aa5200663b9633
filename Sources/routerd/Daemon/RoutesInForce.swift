internal import FoundationEssentials
internal import RouterCore

/// The routes that calls are routed by, and how they change.
final class RoutesInForce: CallRouting {
  /// What came of a reload.
  struct ReloadReport: Sendable {
    var isAccepted: Bool
    var version: String
    var errors: [String] = []
  }

  var trunks: [Trunk] { [] }
  var version: String { "none" }

  func reload() async -> ReloadReport { ReloadReport(isAccepted: true, version: version) }

  func resolve(_ call: InboundCall) -> RouteDecision {
    RouteDecision(
      id: "d-0", snapshotVersion: version, route: nil, location: nil, targets: [.reject(CallEnd(.noRoute))],
      summary: "no routes")
  }

  func agent(
    named name: String, for call: InboundCall, under decision: RouteDecision, overrides: JSONValue
  ) -> AgentConfiguration? { nil }
}
