import FoundationEssentials
import Testing

@testable import RouterCore

@Suite struct RouteResolutionTests {
  static let table = """
    agents: {a: {}, b: {voiceId: alloy, channels: {sip: {voiceId: ember}}}, c: {}}
    trunks: {carrier: {addresses: [203.0.113.0/28]}}
    routes:
      - {name: exact, match: {to: +442079460001}, agent: a}
      - {name: long, match: {to: "+44207*"}, agent: b}
      - {name: short, match: {to: "+44*"}, agent: c}
      - {name: pattern, match: {to: "+1555???0001"}, agent: a}
      - {name: expression, match: {to: '/^\\+1555/'}, agent: b}
      - {name: extension, match: {to: 0200}, agent: c}
      - {name: user, match: {to: "sales*"}, agent: a}
      - {name: web, match: {channel: [websocket, webrtc]}, agent: b, overrides: {voiceId: shimmer}}
      - {name: trunk, match: {trunk: carrier}, agent: c}
      - {name: blocked, match: {from: [anonymous, "+1900*"]}, reject: {code: 603, reason: Declined}, priority: 10}
    """

  @Test(arguments: [
    ("+442079460001", "exact"), ("+44 20 7946-0001", "exact"), ("+442079460002", "long"),
    ("+441619460002", "short"),
    ("+15551230001", "pattern"), ("+15551230002", "expression"), ("0200", "extension"),
    ("sales-desk", "user"),
    ("+33123456789", nil), ("200", nil), ("sale", nil),
  ])
  func theMostSpecificRouteWins(to: String, route: String?) throws {
    let decision = try Fixture.snapshot(Self.table).resolve(Fixture.call(to: to))
    #expect(decision.route == route)
    if route == nil { #expect(decision.status == 404) }
  }

  @Test func priorityComesBeforeSpecificity() throws {
    let snapshot = try Fixture.snapshot(Self.table)
    let decision = snapshot.resolve(Fixture.call(to: "+442079460001", from: "+19005550000"))
    #expect(decision.route == "blocked")
    #expect(decision.status == 603)
    #expect(decision.summary == "route blocked, routes/main.yaml:13 → 603 Declined")
  }

  @Test func overridesAreMergedAgentThenChannelThenRoute() throws {
    let snapshot = try Fixture.snapshot(Self.table)
    func voice(_ to: String, _ channel: ChannelKind) -> String? {
      let decision = snapshot.resolve(Fixture.call(to: to, channel: channel))
      guard case .agent(let agent) = decision.targets[0] else { return nil }
      return agent.voiceId
    }
    #expect(voice("+442079460002", .sip) == "ember")
    #expect(voice("+442079460002", .voip) == "alloy")
    #expect(voice("x", .websocket) == "shimmer")
  }

  @Test func aListOfNobodyTakesNoCall() throws {
    let snapshot = try Fixture.snapshot(
      Fixture.agents
        + "routes: [{name: none, match: {to: []}, agent: a, priority: 1}, {name: all, agent: b}]")
    #expect(snapshot.resolve(Fixture.call(to: "1")).route == "all")
    let explanation = snapshot.explain(Fixture.call(to: "1"))
    #expect(explanation.candidates.first?.failure?.expected == "nobody")
    #expect(snapshot.lint().rendered == "")
  }

  @Test(arguments: [
    "100", "+442079460001", "+44 (20) 7946-0001", "sales", "tel:+1-555;phone-context=x", "*70#", "alice@pbx",
    "sip:alice@example.com", "sips:a@[2001:db8::1]:5061;transport=tls",
  ])
  func whoCanBeCalled(target: String) throws {
    let snapshot = try Fixture.snapshot("routes: [{match: {to: 1}, transfer: '\(target)'}]")
    guard case .transfer(let request)? = snapshot.resolve(Fixture.call(to: "1")).targets.first else {
      Issue.record("no transfer")
      return
    }
    #expect(request.target == target)
  }

  @Test func aByteOrderMarkIsPassedOver() throws {
    let snapshot = try Fixture.snapshot("\u{FEFF}" + Fixture.agents + "routes: [{agent: a}]\n")
    #expect(snapshot.resolve(Fixture.call(to: "1")).agent == "a")
  }

  @Test func conditionsPassARouteOver() throws {
    let snapshot = try Fixture.snapshot(Self.table)
    var call = Fixture.call(to: "+33123456789")
    #expect(snapshot.resolve(call).route == nil)
    call.trunk = "carrier"
    #expect(snapshot.resolve(call).route == "trunk")
  }

  @Test func withoutARouteTheCallsOwnAgentAnswers() throws {
    let snapshot = try Fixture.snapshot(Self.table)
    var call = Fixture.call(to: "+33123456789")
    call.defaultAgent = "b"
    let decision = snapshot.resolve(call)
    #expect(decision.agent == "b")
    #expect(decision.route == nil)
    call.defaultAgent = "nobody"
    #expect(snapshot.resolve(call).status == 404)
  }

  @Test func a404NamesTheClosestRoute() throws {
    let decision = try Fixture.snapshot(Self.table).resolve(Fixture.call(to: "+33123456789"))
    let closest = "route web (routes/main.yaml:11): channel wants websocket or webrtc, not sip"
    #expect(decision.summary == "no route for +33123456789 → 404; closest is \(closest)")
    #expect(decision.targets.count == 1)
  }

  @Test func theDecisionNamesItsTableAndItsCall() throws {
    let snapshot = try Fixture.snapshot(Self.table)
    let decision = snapshot.resolve(Fixture.call(to: "+442079460001"))
    #expect(decision.snapshotVersion == snapshot.version)
    #expect(decision.id == "d-\(snapshot.version)-c-test")
    #expect(decision.toNumber == "+442079460001")
    #expect(decision.location == "routes/main.yaml:4")
    #expect(decision.trace["route"] == "exact")
  }

  @Test func aSwapIsSeenByTheNextCallAndTheOldTableStaysKnown() throws {
    let old = try Fixture.snapshot(Fixture.agents + "routes: [{agent: a}]")
    let new = try Fixture.snapshot(Fixture.agents + "routes: [{agent: b, overrides: {voiceId: x}}]")
    let router = Router(old)
    let before = router.resolve(Fixture.call(to: "1"))
    router.swap(new)
    #expect(before.agent == "a")
    #expect(router.resolve(Fixture.call(to: "1")).agent == "b")
    #expect(router.snapshot(version: old.version) === old)
    let call = Fixture.call(to: "1")
    #expect(router.agent(named: "c", for: call, under: before, overrides: ["voiceId": "z"])?.voiceId == "z")
    #expect(router.agent(named: "d", for: call, under: before, overrides: [:]) == nil)
  }

  @Test func theEmbeddedTableAnswersLocalCallers() throws {
    let snapshot = try RouteTableLoader.load(.embedded).get()
    var call = Fixture.call(to: "anything")
    call.trunk = "local"
    #expect(snapshot.resolve(call).agent == "reception")
  }

  @Test func theDemonstrationTableLoads() throws {
    var directory = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    directory.append("routes")
    let snapshot = try RouteTableLoader.load(directory: directory.joined(separator: "/")).get()
    var call = Fixture.call(to: "100", from: "alice")
    call.trunk = "local"
    guard case .agent(let agent) = snapshot.resolve(call).targets[0] else {
      Issue.record("no agent")
      return
    }
    #expect(agent.name == "reception")
    #expect(agent.faqs.count == 5)
    #expect(agent.humanHandoff.transferExtension == "0200")
    #expect(snapshot.resolve(Fixture.call(to: "600")).agent == "echo")
  }
}
