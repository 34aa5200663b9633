import Foundation
import RouterCore
import RouterTesting
import Testing

/// The admin API of a running routerd, by curl.
@Suite struct AdminTests {
  private static let token = "a-token-for-the-admin-api"

  /// Asks as an operator's script would. Returns the status and the body.
  private func curl(_ place: String, _ path: String, _ options: String..., token: String? = AdminTests.token)
    async throws
    -> (Int, JSONValue)
  {
    let workplace = try Workplace()
    let authorization = token.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
    let program = try RunningProgram(
      "/usr/bin/curl",
      ["-sS", "-m", "60", "-w", "\n%{http_code}"] + authorization + options + [place + path],
      in: workplace.folder)
    #expect(await program.exitCode() == 0, "\(program.errors)")
    let lines = program.output.split(separator: "\n")
    let status = try #require(lines.last.flatMap { Int($0) })
    let body = lines.dropLast().joined(separator: "\n")
    return (status, try JSONDecoder().decode(JSONValue.self, from: Data(body.utf8)))
  }

  @Test(.timeLimit(.minutes(2))) func anOperatorsDay() async throws {
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": RouteChangeTests.table("first")],
      settings: "routes: {watch: false}\nadmin: {listen: 127.0.0.1:0, token: \"${env:ROUTERD_ADMIN_TOKEN}\"}",
      environment: ["ROUTERD_ADMIN_TOKEN": Self.token])
    let place = try #require(try await routerd.status()["admin"]?.string?.replacing("http:", with: "http://"))
    let (code, status) = try await curl(place, "/v1/status")
    let first = try #require(status["routes"]?["version"]?.string)
    #expect(code == 200)
    #expect(status["loops"]?.array?.first?["name"]?.string == "signalling")

    // Nobody else, and nothing else.
    #expect(try await curl(place, "/v1/status", token: nil).0 == 401)
    #expect(try await curl(place, "/v1/reload", "-X", "POST", token: "a-token-for-the-admin-apj").0 == 401)
    #expect(try await curl(place, "/v1/reload", "-X", "POST", "-H", "Origin: https://example.com").0 == 403)
    #expect(try await curl(place, "/v1/nothing").1["error"]?["message"] == "nothing here")
    #expect(try await curl(place, "/v1/nothing").0 == 404)
    #expect(try await curl(place, "/v1/calls/none").0 == 404)
    #expect(try await curl(place, "/v1/reload").0 == 405)
    let long = try routerd.workplace.write(
      "long.json", "{\"to\": \"\(String(repeating: "0", count: 70_000))\"}")
    let json = "Content-Type: application/json"
    #expect(try await curl(place, "/v1/explain", "-H", json, "-d", "@\(long)").0 == 413)
    #expect(try await curl(place, "/v1/explain", "-d", "{\"to\": \"600\"}").0 == 415)
    #expect(try await curl(place, "/v1/calls?limit=x").0 == 400)

    // A change is looked at, put in force, and taken back.
    try routerd.workplace.write("routes/main.yaml", RouteChangeTests.table("second"))
    let diff = try await curl(place, "/v1/diff?calls=10").1
    #expect(diff["isEmpty"] == false)
    let (reloaded, change) = try await curl(place, "/v1/reload", "-X", "POST")
    #expect(reloaded == 200)
    #expect(change["because"] == "the admin API" && change["from"]?.string == first)
    let explained = try await curl(place, "/v1/explain", "-H", json, "-d", "{\"to\": \"600\"}").1
    #expect(explained["route"] == "second")
    let (unclear, complaint) = try await curl(place, "/v1/explain", "-H", json, "-d", "{\"too\": \"600\"}")
    #expect(unclear == 422)
    #expect(complaint["error"]?["message"]?.string?.contains("did you mean 'to'?") == true, "\(complaint)")
    try routerd.workplace.write("routes/main.yaml", "routs: []")
    let (refused, why) = try await curl(place, "/v1/reload", "-X", "POST")
    #expect(refused == 422)
    #expect(why["error"]?["message"]?.string?.contains("main.yaml:1:1") == true, "\(why)")
    #expect(try await curl(place, "/v1/rollback", "-H", json, "-d", "{\"version\": \"\(first)\"}").0 == 200)
    #expect(try await curl(place, "/v1/versions").1["version"]?.string == first)
    #expect(try await curl(place, "/v1/routes").1["routes"]?.array?.first?["name"] == "first")

    // The files say otherwise than what is in force: each is asked by its own name.
    try routerd.workplace.write("routes/main.yaml", RouteChangeTests.table("second"))
    #expect(try await routerd.workplace.routerd("explain", "--to", "600").output.hasPrefix("route second"))
    let live = try await routerd.workplace.routerd("explain", "--to", "600", "--live")
    #expect(live.output.hasPrefix("route first"), "\(live.output)\(live.errors)")

    // A real call.
    #expect(try await routerd.call("600", "--patience", "1", "--hold", "1").code == 0)
    let calls = try await curl(place, "/v1/calls?limit=5").1
    let id = try #require(calls["records"]?.array?.first?["id"]?.string)
    #expect(try await curl(place, "/v1/calls/\(id)").1["record"]?["route"] == "first")
    #expect(try await curl(place, "/v1/calls/\(id)/why").1["decision"]?["trace"]?["route"] == "first")
    _ = await routerd.stop()
    #expect(!routerd.program.output.contains(Self.token) && !routerd.program.errors.contains(Self.token))
  }

  @Test func withoutATokenItDoesNotStart() async throws {
    let workplace = try Workplace()
    try workplace.write("routes/main.yaml", RouteChangeTests.table("first"))
    try workplace.write(
      "routerd.yaml",
      "sip: {listen: [udp:127.0.0.1:0]}\nadmin: {listen: 127.0.0.1:0, token: \"${env:ROUTERD_NO_TOKEN}\"}\n")
    let run = try await workplace.routerd("run")
    #expect(run.code != 0)
    #expect(
      run.errors.contains("admin: token: the environment variable ROUTERD_NO_TOKEN is not set"),
      "\(run.errors)")
  }
}
