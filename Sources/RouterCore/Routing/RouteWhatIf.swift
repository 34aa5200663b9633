public import FoundationEssentials

extension RouteSnapshot {
  /// A call that never was, to ``explain(_:)`` or ``resolve(_:)``: the keys of a test's `call:` (routes/README.md), with
  /// the same errors. Without `at` it is made now, without `from` by nobody known.
  ///
  /// Throws everything that is wrong with it, with places in its JSON text.
  public func whatIf(_ call: JSONValue, now: Date = Date()) throws(DiagnosticList) -> InboundCall {
    guard let node = try YAML.parse(Array(call.text.utf8), file: "call") else {
      throw DiagnosticList([
        Diagnostic(.error, "there is no call", hint: "write e.g. {\"to\": \"+15551230001\"}")
      ])
    }
    var check = SchemaCheck()
    check.check(node, .object(RouteSchema.testCall))
    func know(_ key: String, _ noun: String, _ isKnown: (String) -> Bool) {
      guard let value = node[key], let name = value.text, !isKnown(name) else { return }
      check.append(value.diagnostic(.error, "there is no \(noun) '\(name)'"))
    }
    know("trunk", "trunk") { name in trunks.contains { $0.name == name } }
    know("connection", "connection") { name in connections.contains { $0.name == name } }
    know("defaultAgent", "agent") { settings.agents[$0] != nil }
    if check.diagnostics.hasErrors { throw check.diagnostics }
    let reader = RouteTestCalls(schedules: context.schedules, trunks: trunks)
    var found = reader.call(node, &check)
    if check.diagnostics.hasErrors { throw check.diagnostics }
    if node["at"] == nil { found.receivedAt = now }
    if node["from"] == nil { found.from = Party(user: "", isAnonymous: true) }
    return found
  }
}
