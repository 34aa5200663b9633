internal import FoundationEssentials

/// Makes tests of their nodes. What is made of nodes that ``SchemaCheck`` refused is never run.
struct RouteTestCompiler {
  let definitions: Definitions
  let schedules: [String: Schedule]
  let trunks: [Trunk]
  /// Names of all routes.
  let isRoute: (String) -> Bool

  func test(_ node: YAMLNode, _ check: inout SchemaCheck) -> RouteTest? {
    check.check(node, .object(RouteSchema.test))
    guard let callNode = node["call"], let expect = node["expect"] else { return nil }
    var expected = RouteTest.Expectation()
    expected.route = expect["route"]?.text
    expected.agent = expect["agent"]?.text
    expected.transfer = expect["transfer"]?.text
    expected.reject = expect["reject"]?.integer
    expected.settings = expect["settings"].map { JSONValue($0, .patch(RouteSchema.agentSettings)) }
    checkNames(callNode, expect, &check)
    if expect.kind == .mapping, expect.count == 0 {
      check.append(
        expect.diagnostic(.error, "a test expects something", hint: "write e.g. expect: {agent: NAME}"))
    }
    var places: [String: Diagnostic] = [:]
    for (key, value) in expect.pairs { places[key.text ?? ""] = value.diagnostic(.error, "") }
    let calls = RouteTestCalls(schedules: schedules, trunks: trunks)
    return RouteTest(
      name: node["name"]?.text ?? "", call: calls.call(callNode, &check), expected: expected,
      location: node.location,
      places: places)
  }

  private func checkNames(_ call: YAMLNode, _ expect: YAMLNode, _ check: inout SchemaCheck) {
    definitions.refer(call["trunk"], "trunk", in: "trunks", &check)
    definitions.refer(call["connection"], "connection", in: "connections", &check)
    definitions.refer(call["defaultAgent"], "agent", in: "agents", &check)
    definitions.refer(expect["agent"], "agent", in: "agents", &check)
    if let route = expect["route"], let name = route.text, name != "none", !definitions.isIncomplete,
      !isRoute(name)
    {
      check.append(
        route.diagnostic(.error, "there is no route '\(name)'", hint: "write 'none' when no route may win"))
    }
  }

}

/// Makes calls of nodes that ``SchemaCheck`` found sound.
struct RouteTestCalls {
  let schedules: [String: Schedule]
  let trunks: [Trunk]

  func call(_ node: YAMLNode, _ check: inout SchemaCheck) -> InboundCall {
    let channel = node["channel"]?.text ?? ChannelKind.sip.rawValue
    var call = InboundCall(
      id: CallID("test"), channel: ChannelKind(rawValue: channel),
      from: RouteTestCalls.party(node["from"]?.text ?? "caller"),
      to: RouteTestCalls.party(node["to"]?.text ?? ""),
      receivedAt: Date(timeIntervalSince1970: Double(moment(node["at"], &check))))
    call.provider = node["provider"]?.text
    call.trunk = node["trunk"]?.text
    call.connection = node["connection"]?.text
    call.language = node["language"]?.text
    call.attestation = node["attestation"]?.text.flatMap(Attestation.init)
    call.defaultAgent = node["defaultAgent"]?.text
    if let address = node["sourceAddress"]?.text {
      call.sourceAddress = SocketAddress(ip: address, port: 5060)
      if call.trunk == nil { call.trunk = trunks.name(from: address) }
    }
    let diversion = node["diversion"].map { $0.kind == .sequence ? $0.elements : [$0] } ?? []
    call.diversion = diversion.compactMap(\.text).map(RouteTestCalls.party)
    for (name, value) in node["header"]?.pairs ?? [] {
      for element in value.kind == .sequence ? value.elements : [value] {
        call.headers.append(Header(name.text ?? "", element.text ?? ""))
      }
    }
    return call
  }

  /// A number or a name as the network sends it.
  private static func party(_ text: String) -> Party {
    text == "anonymous" ? Party(user: text, host: "anonymous.invalid", isAnonymous: true) : Party(user: text)
  }

  private func moment(_ node: YAMLNode?, _ check: inout SchemaCheck) -> Int {
    guard let node, let time = node.text.flatMap(CallTime.init) else { return RouteTest.defaultMoment }
    if let offset = time.offset { return time.secondsAsUTC - offset }
    let zones = Set(schedules.values.map(\.zone.name))
    if zones.count > 1 {
      check.append(
        node.diagnostic(
          .error, "the schedules have different time zones, so this time is not clear",
          hint: "write the offset behind it, e.g. \(node.text ?? "")Z or \(node.text ?? "")+01:00"))
    }
    return (schedules.values.first?.zone ?? .utc).moment(wallTime: time.secondsAsUTC)
  }
}

extension [Trunk] {
  /// The trunk that a source address belongs to: the longest prefix has it.
  func name(from address: String) -> String? {
    guard let bits = AddressPrefix.bits(of: address) else { return nil }
    var best: (length: Int, name: String)?
    for trunk in self {
      for prefix in trunk.addresses.compactMap(AddressPrefix.init)
      where bits & AddressPrefix.mask(prefix.length) == prefix.bits && prefix.length > best?.length ?? -1 {
        best = (prefix.length, trunk.name)
      }
    }
    return best?.name
  }
}
