import RouterTesting
import Foundation
import Testing

/// `check`, `explain` and `resolve` of the built program.
@Suite struct RouteCommandTests {
  static let routes = """
    trunks:
      local: {addresses: [127.0.0.0/8]}
    agents:
      reception: {initialSpeech: Good day., voiceId: kal}
      night: {initialSpeech: We are closed.}
    routes:
      - name: front-door
        match: {to: "+1555*", trunk: local}
        agent: reception
        overrides: {voiceId: slt}
      - name: blocked
        match: {from: anonymous}
        reject: {code: 603, reason: Declined}
        priority: 10
    """

  @Test func goodRoutes() async throws {
    let workplace = try Workplace()
    try workplace.write("routes/main.yaml", Self.routes)
    let check = try await workplace.routerd("check")
    #expect(check.code == 0, "\(check.errors)")
    #expect(check.output.hasPrefix("routes: 2 routes, 2 agents, 1 trunk, 0 tests passed, version "))
    let json = try await workplace.routerd("check", "--json", "--routes", "routes")
    #expect(json.output.contains("\"isGood\" : true"))
  }

  @Test func everyErrorAtOnceWithItsPlace() async throws {
    let workplace = try Workplace()
    try workplace.write("routerd.yaml", "sip: {listen: 5060}\n")
    try workplace.write("routes/a.yaml", "agents:\n  x: {voiceid: a}\nroutes:\n  - {name: r, agent: y}\n")
    try workplace.write("routes/b.yaml", "agents:\n  x: {}\n")
    let check = try await workplace.routerd("check")
    #expect(check.code == 1)
    #expect(check.output.isEmpty)
    for place in [
      "routerd.yaml:1:15: error:", "routes/a.yaml:2:7: error:", "routes/a.yaml:4:22: error:",
      "routes/b.yaml:2:3: error:",
    ] {
      #expect(check.errors.contains(place), "\(place) is missing in:\n\(check.errors)")
    }
    let run = try await workplace.routerd("run")
    #expect(run.code == 1)
    #expect(!FileManager.default.fileExists(atPath: workplace.path("routerd.sock")))
  }

  /// What `run` would refuse; neither makes anything.
  @Test func whatKeepsSettingsFromBeingUsed() async throws {
    let workplace = try Workplace()
    try workplace.write("routes/main.yaml", Self.routes)
    try workplace.write(
      "routerd.yaml",
      """
      sip: {listen: [tls:127.0.0.1:0], certificate: gone.crt, privateKey: gone.key}
      sqlite: {path: gone/calls.sqlite}
      admin: {listen: 127.0.0.1:0, token: "${env:ROUTERD_NO_TOKEN}"}
      offlineSpeech: {modelDirectory: gone}
      """)
    for command in ["check", "run"] {
      let found = try await workplace.routerd(command)
      #expect(found.code == 1, "\(found.output)\(found.errors)")
      for place in ["1:47", "1:69", "2:16", "3:37", "4:33"] {
        #expect(found.errors.contains("routerd.yaml:\(place): error:"), "\(place): \(found.errors)")
      }
    }
    for made in ["gone", "calls.sqlite", "routerd.sock", "route-versions"] {
      #expect(!FileManager.default.fileExists(atPath: workplace.path(made)), "\(made)")
    }
  }

  /// A secret in plain words is refused, and not shown.
  @Test func aSecretInPlainWords() async throws {
    let workplace = try Workplace()
    let provider = "providers:\n  phone: {type: twilio, accountSid: AC1, authToken: SESAME1}\n"
    try workplace.write("routes/main.yaml", provider + Self.routes)
    let check = try await workplace.routerd("check")
    #expect(
      check.code == 1 && check.errors.contains("error: the 'authToken' of the provider 'phone'"),
      "\(check.errors)")
    let json = try await workplace.routerd("check", "--json")
    #expect(!(check.output + check.errors + json.output + json.errors).contains("SESAME1"))
  }

  @Test func explains() async throws {
    let workplace = try Workplace()
    try workplace.write("routes/main.yaml", Self.routes)
    let taken = try await workplace.routerd(
      "explain", "--to", "+15551230001", "--from", "+1555", "--trunk", "local")
    #expect(taken.code == 0, "\(taken.errors)")
    #expect(
      taken.output.hasPrefix("route front-door, routes/main.yaml:7 → agent reception"), "\(taken.output)")
    let refused = try await workplace.routerd("explain", "--to", "+15551230001", "--json")
    #expect(refused.output.contains("\"route\" : \"blocked\""), "\(refused.output)")
    let resolved = try await workplace.routerd(
      "resolve", "--to", "+15551230001", "--from", "1", "--trunk", "local")
    #expect(resolved.output.contains("routes/main.yaml:10"), "\(resolved.output)")
    #expect(resolved.output.contains("\"slt\""))
    #expect(try await workplace.routerd("explain").code == 64)
  }
}
