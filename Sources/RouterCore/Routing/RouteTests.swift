internal import FoundationEssentials

/// A call of the `tests:` of a table, with what must become of it.
struct RouteTest: Sendable {
  var name: String
  var call: InboundCall
  var expected: Expectation
  /// The test itself, for messages.
  var location: SourceLocation
  /// Where each expected value stands, with its line.
  var places: [String: Diagnostic]

  struct Expectation: Sendable {
    /// `none`: no route may win.
    var route: String?
    var agent: String?
    var transfer: String?
    var reject: Int?
    var settings: JSONValue?
  }

  /// When a test that names no time takes place: a Wednesday at noon, UTC.
  static let defaultMoment = 1_767_787_200
}

/// What came of the tests of a table.
public struct RouteTestReport: Sendable {
  /// How many there were.
  public var count: Int
  /// One error for each expectation that was not met.
  public var failures: DiagnosticList
  public var passed: Bool { failures.isEmpty }
}

extension RouteSnapshot {
  /// Runs the table's own `tests:`.
  public func runTests() -> RouteTestReport {
    var failures = DiagnosticList()
    for test in tests { run(test, &failures) }
    return RouteTestReport(count: tests.count, failures: failures)
  }

  private func run(_ test: RouteTest, _ failures: inout DiagnosticList) {
    let decision = resolve(test.call)
    func fail(_ key: String, _ message: String, _ hint: String? = nil) {
      var diagnostic = test.places[key] ?? Diagnostic(.error, "", at: test.location)
      let name = test.name.isEmpty ? "test" : "test '\(test.name)'"
      diagnostic.message = "\(name): \(message)"
      diagnostic.hint = hint
      failures.append(diagnostic)
    }
    let expected = test.expected
    if let route = expected.route, route != (decision.route ?? "none") {
      fail(
        "route", "route \(route) was expected; the call goes: \(decision.summary)", reason(route, test.call))
    }
    guard let target = decision.targets.first else { return }
    if let agent = expected.agent, target.words != "agent \(agent)" {
      fail("agent", "agent \(agent) was expected; the call goes: \(decision.summary)")
    }
    if let transfer = expected.transfer, target.words != "transfer to \(transfer)" {
      fail("transfer", "a transfer to \(transfer) was expected; the call goes: \(decision.summary)")
    }
    if let code = expected.reject {
      if case .reject(let end) = target, end.sipStatus == code {
      } else {
        fail("reject", "a rejection with \(code) was expected; the call goes: \(decision.summary)")
      }
    }
    guard let wanted = expected.settings else { return }
    let found = winningSettings(test.call).merged
    for difference in wanted.missing(from: found) { fail("settings", difference) }
  }

  /// Why a route that was expected did not win.
  private func reason(_ route: String, _ call: InboundCall) -> String? {
    let explanation = explain(call)
    if let candidate = explanation.candidates.first(where: { $0.route == route }) {
      return candidate.failure.map { "route \(route): \($0.key) wants \($0.expected), not \($0.actual)" }
    }
    guard let index = table.routes.indices.first(where: { table.name(of: $0) == route }) else { return nil }
    let to = table.texts[table.routes[index].to]
    if explanation.route == nil || to.isEmpty { return to.isEmpty ? nil : "route \(route) takes \(to)" }
    return "another route was asked before it; route \(route) takes \(to)"
  }

  /// The settings of the agent that a call reaches first, as JSON; references to secrets stay.
  private func winningSettings(_ call: InboundCall) -> (agent: String, merged: JSONValue) {
    let explanation = explain(call)
    var merged: JSONValue = [:]
    for setting in explanation.settings {
      merged = merged.setting(setting.path.split(separator: ".").map(String.init), to: setting.value)
    }
    return (explanation.targets.first ?? "", merged)
  }
}

extension JSONValue {
  /// With a value at a path of keys.
  fileprivate func setting(_ path: [String], to value: JSONValue) -> JSONValue {
    guard let first = path.first else { return value }
    var members = object ?? [:]
    members[first] = (members[first] ?? [:]).setting(Array(path.dropFirst()), to: value)
    return .object(members)
  }

  /// What of this value `other` does not have, in words; `null` means that nothing may be set.
  fileprivate func missing(from other: JSONValue, path: String = "") -> [String] {
    if case .object(let members) = self, !members.isEmpty {
      return members.sorted { $0.key < $1.key }.flatMap { key, value -> [String] in
        let place = path.isEmpty ? key : "\(path).\(key)"
        return value.missing(from: other[key] ?? .null, path: place)
      }
    }
    if self == other || number != nil && number == other.number { return [] }
    let found = other == .null ? "not set" : JSONText.compact(other, limit: 60)
    return [
      "\(path) should be \(self == .null ? "not set" : JSONText.compact(self, limit: 60)); it is \(found)"
    ]
  }
}
