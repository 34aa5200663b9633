import FoundationEssentials
import Testing

@testable import RouterCore

@Suite struct RouteDiffTests {
  private let old = """
    agents: {a: {voiceId: x, providerSettings: {temperature: 0.5}}, gone: {}}
    routes:
      - {name: front, match: {to: +442079460001}, agent: a}
      - {name: same, match: {to: +442079460002}, agent: a, overrides: {voiceId: y}}
      - {match: {to: "+44*"}, agent: gone}
    """
  private let new = """
    agents: {a: {voiceId: z, providerSettings: {temperature: 0.5, top: 1}}, b: {}}
    routes:
      - {name: extra, match: {channel: voip}, reject: 404}
      - {name: same, match: {to: +442079460002}, agent: a, overrides: {voiceId: y}}
      - {name: front, match: {to: +442079460001, channel: sip}, agent: b, priority: 5, limit: 3}
    """

  @Test func whatChangedIsNamed() throws {
    let (before, after) = (try Fixture.snapshot(old), try Fixture.snapshot(new))
    #expect(
      RouteDiff(from: before, to: after).lines == [
        "\(before.version) → \(after.version)", "+ routes extra", "    404", "~ routes front",
        "    priority: 0 → 5",
        "    match: none → channel: sip", "    goes to: agent a → agent b", "    limit: none → 3 calls",
        "- routes (to +44*)", "~ agents a", "    providerSettings.top: added 1", "    voiceId: \"x\" → \"z\"",
        "+ agents b",
        "- agents gone",
      ])
    #expect(RouteDiff(from: before, to: before).isEmpty)
    // Lines moved, nothing changed.
    let moved = try Fixture.snapshot("# a comment\n" + old)
    #expect(RouteDiff(from: before, to: moved).isEmpty)
    #expect(moved.version != before.version)
  }

  @Test func recordedCallsThatWouldMoveAreListed() throws {
    let (before, after) = (try Fixture.snapshot(old), try Fixture.snapshot(new))
    let records = ["+442079460001", "+442079460002", "+442079460003"].map { to in
      let call = Fixture.call(to: to)
      var record = CallRecord(call: call, endedAt: call.receivedAt, end: CallEnd(.callerHungUp))
      record.decision = ["trace": before.resolve(call).trace.value]
      return record
    }
    let replay = RouteReplay(records, from: before, to: after)
    #expect(replay.count == 3)
    #expect(
      replay.moved.map(\.after) == ["route front, routes/main.yaml:5 → agent b", replay.moved[1].after])
    #expect(replay.moved[1].after.hasPrefix("no route for +442079460003 → 404"))
    #expect(RouteReplay(records, from: before, to: before).moved.isEmpty)
  }

  @Test func aReplayedCallHasWhatRoutesLookAt() throws {
    let snapshot = try Fixture.snapshot(
      Fixture.agents
        + "routes: [{match: {header: {X-Tenant: red}, language: en, diversion: +44207}, agent: a}, {agent: b}]"
    )
    var call = Fixture.call(to: "1")
    call.headers = [Header("x-tenant", "red"), Header("Authorization", "Digest secret")]
    call.language = "en-GB"
    call.diversion = [Party(user: "+44207")]
    call.attestation = .full
    #expect(snapshot.resolve(call).agent == "a")
    var record = CallRecord(call: call, endedAt: call.receivedAt, end: CallEnd(.callerHungUp))
    record.decision = ["trace": snapshot.resolve(call).trace.value]
    #expect(snapshot.resolve(InboundCall(replaying: record)).agent == "a")
    #expect(record.decision?.text.contains("Digest") == false)
  }
}
