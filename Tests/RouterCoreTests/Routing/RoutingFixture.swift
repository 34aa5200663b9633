import FoundationEssentials
import Testing

@testable import RouterCore

/// Tables and calls for tests.
enum Fixture {
  /// A snapshot of one file, which must load.
  static func snapshot(
    _ text: String, lists: [String: String] = [:], environment: [String: String] = [:],
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws -> RouteSnapshot {
    switch load(text, lists: lists, environment: environment) {
    case .success(let snapshot): return snapshot
    case .failure(let problems):
      Issue.record("\(problems.rendered)", sourceLocation: sourceLocation)
      throw problems
    }
  }

  static func load(
    _ text: String, lists: [String: String] = [:], environment: [String: String] = [:]
  ) -> Result<RouteSnapshot, DiagnosticList> {
    RouteTableLoader.load(source([("routes/main.yaml", text)], lists: lists, environment: environment))
  }

  static func source(
    _ files: [(String, String)], lists: [String: String] = [:], environment: [String: String] = [:]
  ) -> RouteSource {
    RouteSource(
      root: "routes", files: files.map { RouteSource.File($0.0, $0.1) },
      read: { path in
        guard let text = lists[path] else { throw RouteSource.ReadFailure("no such file") }
        return Array(text.utf8)
      }, environment: { environment[$0] })
  }

  /// What is said of a table that must not load.
  static func complaint(
    _ text: String, lists: [String: String] = [:], environment: [String: String] = [:]
  ) -> String {
    switch load(text, lists: lists, environment: environment) {
    case .success: "no complaint"
    case .failure(let problems): problems.rendered
    }
  }

  /// A call over SIP.
  static func call(
    to: String, from: String = "+447700900123", channel: ChannelKind = .sip, at moment: Double = 1_790_000_000
  ) -> InboundCall {
    InboundCall(
      id: CallID("c-test"), channel: channel, from: Party(user: from, host: "x"),
      to: Party(user: to, host: "y"),
      receivedAt: Date(timeIntervalSince1970: moment))
  }

  /// Agents `a`, `b` and `c`, for tables that are about routes.
  static let agents = "agents: {a: {}, b: {}, c: {}}\n"
}

extension RouteDecision {
  /// The name of the first target's agent.
  var agent: String? { if case .agent(let agent) = targets.first { agent.name } else { nil } }
  /// The status of the first target, when it is a rejection.
  var status: Int? { if case .reject(let end) = targets.first { end.sipStatus } else { nil } }
}
