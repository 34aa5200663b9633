import FoundationEssentials
import Testing

@testable import RouterCore

@Suite struct ExplanationTests {
  static let table = """
    numbering: {region: GB}
    providers: {cloud: {type: realtime, apiKey: "${env:KEY}"}}
    schedules: {office: {timezone: Europe/London, open: mon-fri 09:00-17:30}}
    agents:
      day:
        provider: cloud
        voiceId: alloy
        providerSettings: {temperature: 0.7}
        channels: {sip: {voiceId: ember}}
      night: {}
    routes:
      - name: day
        match: {to: "+4420*", schedule: office}
        agent: day
        overrides: {providerSettings: {temperature: 0.2}}
        limit: {calls: 5}
        fallback: [{agent: night}, {transfer: 0200}]
      - name: night
        match: {to: "+44*"}
        agent: night
    """

  private func snapshot() throws -> RouteSnapshot {
    try Fixture.snapshot(Self.table, environment: ["KEY": "hunter2"])
  }

  /// A Wednesday, 20:00 in London.
  private let evening = Fixture.call(to: "020 7946 0001", at: 1_783_537_200)
  private let noon = Fixture.call(to: "020 7946 0001", at: 1_783_508_400)

  @Test func everyStepIsThere() throws {
    let lines = try snapshot().explain(evening).lines
    #expect(
      lines == [
        "route night, routes/main.yaml:18 → agent night", "  table \(try snapshot().version)",
        "  to    020 7946 0001 → +442079460001  (separators taken out, 0 before a national number (region GB))",
        "  from  +447700900123", "  by    sip, 2026-07-08T19:00:00Z",
        "  1. day (routes/main.yaml:12): to +4420*: schedule wants office open, not closed at Wed 2026-07-08 20:00 Europe/London",
        "  2. night (routes/main.yaml:18): to +44*: takes the call", "  goes to agent night",
      ])
  }

  /// A national number reaches no route where nobody says of which country it is.
  @Test func thatANumberWasNotReadIsThere() throws {
    let snapshot = try Fixture.snapshot("agents: {a: {}}\nroutes: [{match: {to: \"+44*\"}, agent: a}]")
    let call = Fixture.call(to: "020 7946 0001")
    let hint = "  to    020 7946 0001  (not read as a number: there is no region)"
    #expect(snapshot.explain(call).lines.contains(hint))
    #expect(Explanation(snapshot.resolve(call).trace.value)?.lines.contains(hint) == true)
  }

  @Test func whoIsAskedBeforeTheAnswerIsThere() throws {
    let table = """
      agents: {a: {}}
      routes:
        - {match: {to: 1}, agent: a, hook: "https://shop.example.com/ask"}
        - match: {to: 2}
          agent: a
          hook: {url: "https://shop.example.com/${env:KEY}", secret: "${env:KEY}", timeoutMs: 500, onFailure: reject}
        - {match: {to: 3}, agent: a}
      """
    let snapshot = try Fixture.snapshot(table, environment: ["KEY": "hunter2"])
    let asks = ["1", "2", "3"].map { snapshot.explain(Fixture.call(to: $0)) }
    #expect(
      asks[0].lines.contains(
        "  asks first  https://shop.example.com/ask, for 300 ms; without an answer: continue"))
    #expect(asks[1].hook?.hasPrefix("https://shop.example.com/${env:KEY}, for 500 ms") == true)
    #expect(asks[2].hook == nil)
    #expect(
      asks.allSatisfy { !$0.lines.joined().contains("hunter2") && Explanation($0.json)?.hook == $0.hook })
  }

  @Test func theMergeIsThereWithTheOriginOfEachLeaf() throws {
    let lines = try snapshot().explain(noon).lines
    #expect(
      lines.suffix(7) == [
        "  then agent night", "  then transfer to 0200", "  limit route day: 5 calls", "  settings:",
        "    provider                      \"cloud\"  routes/main.yaml:6",
        "    providerSettings.temperature  0.2      routes/main.yaml:15",
        "    voiceId                       \"ember\"  routes/main.yaml:9",
      ])
  }

  @Test func theTraceOfARecordIsReadAgain() throws {
    for call in [evening, noon, Fixture.call(to: "nobody")] {
      let explanation = try snapshot().explain(call)
      let again = try #require(Explanation(try snapshot().resolve(call).trace.value))
      #expect(again.lines == explanation.lines)
      #expect(again.json == explanation.json)
    }
    #expect(Explanation(["a": 1]) == nil)
  }

  @Test func noSecretIsInIt() throws {
    let snapshot = try snapshot()
    guard case .agent(let agent) = snapshot.resolve(noon).targets[0] else { return }
    #expect(agent.providerConfiguration["apiKey"] == "hunter2")
    let shown =
      "\(snapshot.explain(noon))\(snapshot.resolve(noon).trace)\(snapshot.sections)\(snapshot.warnings)"
    #expect(!shown.contains("hunter2"))
    let other = try Fixture.snapshot(
      Self.table.replacing("${env:KEY}", with: "${env:OTHER}"), environment: ["OTHER": "s3cret"])
    let diff = RouteDiff(from: snapshot, to: other)
    #expect(diff.lines.contains("    apiKey: \"${env:KEY}\" → \"${env:OTHER}\""), "\(diff.lines)")
  }

  @Test func theClosestRouteIsNamed() throws {
    let explanation = try snapshot().explain(Fixture.call(to: "+33123456789"))
    #expect(explanation.closest?.route == "day")
    #expect(explanation.closest?.failure == .init(key: "to", expected: "+4420*", actual: "+33123456789"))
    #expect(explanation.route == nil)
  }

  @Test func settingsAreResolvedForACallOrWithoutOne() throws {
    let snapshot = try snapshot()
    let plain = try #require(snapshot.settings(ofAgent: "day", channel: .voip))
    #expect(ResolvedSetting.lines(plain)[1] == "providerSettings.temperature  0.7      routes/main.yaml:8")
    let routed = try #require(snapshot.settings(ofAgent: "day", channel: .sip, for: noon))
    #expect(ResolvedSetting.lines(routed)[1] == "providerSettings.temperature  0.2      routes/main.yaml:15")
    #expect(snapshot.settings(ofAgent: "nobody", channel: .sip) == nil)
    #expect(snapshot.agentName(near: "nihgt") == "night")
  }

  @Test func routesAreListed() throws {
    let routes = try snapshot().routes()
    #expect(routes.map(\.name) == ["day", "night"])
    #expect(routes[0].conditions == ["schedule: office open"])
    #expect(routes[0].targets == ["agent day", "agent night", "transfer to 0200"])
    #expect(routes[0].limit == "5 calls")
    #expect(try snapshot().routes(in: 1..<99).count == 1)
  }
}
