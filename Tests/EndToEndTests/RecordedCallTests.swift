import Foundation
import RouterCore
import RouterTesting
import Testing

/// What the command line tells of real calls: `calls`, `why`, `diff --against calls`, `routes`, with routerd and without.
@Suite(.serialized) struct RecordedCallTests {
  static let routes = """
    numbering: {region: US}
    trunks:
      loopback: {addresses: [127.0.0.0/8]}
    providers:
      echo: {type: echo}
    agents:
      mirror: {provider: echo}
      night: {provider: echo}
    schedules:
      never: {timezone: UTC, open: daily, closed: ["*-*-*"]}
    routes:
      - {name: by-night, match: {to: "+15551230001", schedule: never}, agent: night}
      - {name: front-door, match: {to: "+1555*"}, agent: mirror, limit: 5}
      - {name: blocked, match: {from: "+1900*"}, reject: 603, priority: 3}
    """

  @Test func whyACallWentWhereItWent() async throws {
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": Self.routes], settings: "routes: {watch: false}")
    let address = SocketAddress(ip: "127.0.0.1", port: UInt16(clamping: routerd.port))
    var call = Sipp("call", to: address)
    call.number = "5551230001"
    try await call.run()
    var unknown = Sipp("not-found", to: address)
    unknown.number = "999"
    try await unknown.run()
    let records = try await routerd.records()
    let taken = try #require(records.first { $0.route == "front-door" })
    let lost = try #require(records.first { $0.end.sipStatus == 404 })
    let workplace = routerd.workplace

    func check(_ why: Finished, _ loss: Finished) {
      #expect(why.code == 0, "\(why.errors)")
      for words in [
        "route front-door, routes/main.yaml:13 → agent mirror", "5551230001 → +15551230001", "by-night",
        "schedule wants never open",
      ] { #expect(why.output.contains(words), "\(words) is missing in:\n\(why.output)") }
      #expect(loss.output.contains("no route for 999 → 404; closest is"), "\(loss.output)")
    }
    check(
      try await workplace.routerd("why", taken.id.text), try await workplace.routerd("why", lost.id.text))
    let json = try await workplace.routerd("why", taken.id.text, "--json")
    let answer = try JSONDecoder().decode(JSONValue.self, from: Data(json.output.utf8))
    #expect(answer["decisionID"]?.string == taken.decisionID)
    #expect(answer["version"]?.string == taken.snapshotVersion)
    #expect(try await workplace.routerd("why", "c-nothing").code == 66)

    let listed = try await workplace.routerd("routes")
    #expect(
      listed.output.contains("front-door") && listed.output.contains("→ agent mirror")
        && listed.output.contains("priority 3"), "\(listed.output)")

    // Which of these calls would a reload move?
    #expect(try await workplace.routerd("diff", "--against", "calls").code == 0)
    try workplace.write(
      "routes/main.yaml", Self.routes.replacing("agent: mirror, limit", with: "agent: night, limit"))
    let diff = try await workplace.routerd("diff", "--against", "calls")
    #expect(diff.code == 1)
    for words in [
      "~ routes front-door", "goes to: agent mirror → agent night", "1 of 2 calls would go elsewhere",
      taken.id.text,
    ] { #expect(diff.output.contains(words), "\(words) is missing in:\n\(diff.output)") }
    #expect(await routerd.stop() == 0)

    // And when no routerd runs, from the records.
    check(
      try await workplace.routerd("why", taken.id.text), try await workplace.routerd("why", lost.id.text))
    let calls = try await workplace.routerd("calls")
    #expect(calls.code == 0 && calls.errors.contains("from the records"), "\(calls.errors)")
    #expect(calls.output.contains(taken.id.text))
    #expect(try await workplace.routerd("calls", taken.id.text, "--json").output.contains("\"front-door\""))
    #expect(try await workplace.routerd("status").code == 69)
    #expect(try await Workplace().routerd("calls").code == 69)
  }

  @Test func aHookIsAskedBeforeTheAnswer() async throws {
    let workplace = try Workplace()
    let server = try RunningProgram(
      "/usr/bin/python3", [try workplace.write("hook.py", Self.hookServer), workplace.path("port")],
      in: workplace.folder)
    defer { server.send(SIGKILL) }
    var port = ""
    for _ in 0..<200 where port.isEmpty {
      // Not there yet: the next look will tell.
      port = (try? String(contentsOfFile: workplace.path("port"), encoding: .utf8)) ?? ""
      try await Task.sleep(for: .milliseconds(50))
    }
    func route(_ number: Int, _ rest: String) -> String {
      """
        - name: r\(number)
          match: {to: "\(number)"}
          agent: mirror
          hook: {allowPrivate: true, url: "http://127.0.0.1:\(port)/ask", secret: sesame\(rest)}

      """
    }
    let table =
      RouteChangeTests.table("plain") + "\n" + route(700, "") + route(701, ", timeoutMs: 200")
      + route(702, ", timeoutMs: 200, onFailure: reject") + route(703, "") + route(704, "")
    let routerd = try await ServingRouterd(routes: ["main.yaml": table], workplace: workplace)
    let address = SocketAddress(ip: "127.0.0.1", port: UInt16(clamping: routerd.port))
    for (number, scenario) in [
      ("700", "call"), ("701", "call"), ("702", "unavailable"), ("703", "declined"), ("704", "call"),
    ] {
      var call = Sipp(scenario, to: address)
      call.number = number
      // What the answer looks like besides its status is others' business.
      if scenario == "call" { try await call.run() } else { _ = try await call.play() }
    }
    let records = try await routerd.records()
    func record(_ route: String) throws -> CallRecord { try #require(records.first { $0.route == route }) }
    #expect(try record("r700").agent == "other")
    #expect(try record("r701").agent == "mirror")  // too late: the route's own
    #expect(try record("r702").end.sipStatus == 503)
    #expect(try record("r703").end.sipStatus == 603)
    #expect(try record("r704").agent == "mirror")  // 500: the route's own
    #expect(!server.errors.contains("wrong signature"), "\(server.errors)")
    #expect(server.errors.components(separatedBy: "asked about").count == 6, "\(server.errors)")
    #expect(!routerd.program.errors.contains("sesame"))
    _ = await routerd.stop()
  }

  /// Answers by the called number, after it has checked the signature as the documentation says.
  private static let hookServer = """
    import hashlib, hmac, http.server, json, os, sys, time

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signature = dict(part.split("=") for part in self.headers["X-Routerd-Signature"].split(","))
            wanted = hmac.new(b"sesame", f"{signature['t']}.".encode() + body, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(wanted, signature["v1"]) or abs(time.time() - int(signature["t"])) > 60:
                print("wrong signature", file=sys.stderr, flush=True)
            question = json.loads(body)
            number = question["call"]["to"]["user"]
            assert question["decision"]["route"] == "r" + number
            print("asked about", number, file=sys.stderr, flush=True)
            if number in ("701", "702"):
                time.sleep(2)
            answer = {"700": {"action": "agent", "agent": "other"}, "703": {"action": "reject", "code": 603}}
            self.send_response(500 if number == "704" else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer.get(number, {})).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(str(server.server_port))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    server.serve_forever()
    """
}
