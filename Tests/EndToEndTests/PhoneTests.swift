import RouterTesting
import Foundation
import RouterCore
import Testing

/// The test phone against the built routerd, over real SIP and RTP.
@Suite(.serialized) struct PhoneTests {
  static let routes = """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    providers:
      echo: {type: echo}
    agents:
      echo: {provider: echo}
    routes:
      - {name: echo, match: {to: echo, trunk: local}, agent: echo}
      - {name: busy, match: {to: busy}, reject: {code: 486, reason: Busy Here}}
      - {name: declined, match: {to: declined}, reject: {code: 603, reason: Declined}}
    """

  private func serve(engine: String = "mediaLoops: 1") async throws -> ServingRouterd {
    try await ServingRouterd(routes: ["main.yaml": Self.routes], engine: engine)
  }

  @Test func theEchoIsHeardAndRecorded() async throws {
    let routerd = try await serve()
    let tone = try routerd.workplace.writeTone("tone.wav", seconds: 2)
    let recording = routerd.workplace.path("call.wav")
    let call = try await routerd.call(
      "echo", "--wav", tone, "--patience", "1", "--record", recording, "--from", "+15550001")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let answered = try #require(call.events("answered").first)
    #expect(answered["codec"] as? String == "PCMU")
    #expect(call.events("speaks").count == 1, "\(call.output)")

    let sound = try StereoSound(recording)
    #expect(sound.loudSeconds(sound.left) > 1.8)
    #expect(sound.loudSeconds(sound.right) > 1.6)
    let sent = try #require(sound.onset(sound.left))
    let heard = try #require(sound.onset(sound.right))
    #expect(heard >= sent, "an echo before its sound: the sides are not aligned")
    #expect(heard - sent < 2)

    let record = try #require(try await routerd.records().first)
    #expect(record.route == "echo")
    #expect(record.agent == "echo")
    #expect(record.decisionID == answered["decision"] as? String)
    #expect(record.end.reason == .callerHungUp)
    #expect(record.from.user == "+15550001")
    #expect(record.audio?.packetsReceived ?? 0 > 50)
  }

  @Test func refusalsAreTold() async throws {
    let routerd = try await serve()
    #expect(try await routerd.call("busy").code == 2)
    #expect(try await routerd.call("declined").code == 3)
    let unknown = try await routerd.call("nobody")
    #expect(unknown.code == 3)
    #expect((unknown.events("ended").first?["status"] as? Int) == 404)
    let records = try await routerd.records()
    #expect(records.map(\.end.sipStatus) == [404, 603, 486])
    #expect(records.map(\.end.reason) == [.noRoute, .rejectedByRoute, .rejectedByRoute])
  }

  @Test func anAddressThatIsSilent() async throws {
    let workplace = try Workplace()
    let call = try await workplace.routerd("call", "sip:x@127.0.0.1:16599", "--transport", "tcp")
    #expect(call.code == 69, "\(call.output)\(call.errors)")
    #expect(call.output.contains("ended: 127.0.0.1:16599 cannot be reached by TCP"), "\(call.output)")
  }

  @Test func aNameThatNobodyKnows() async throws {
    let workplace = try Workplace()
    let call = try await workplace.routerd("call", "sip:x@nobody.invalid")
    #expect(call.code == 69, "\(call.output)\(call.errors)")
    #expect(call.output.contains("ended: the name nobody.invalid could not be resolved"), "\(call.output)")
  }

  @Test func everyTransportAndOffer() async throws {
    let routerd = try await serve()
    for options in [
      ["--transport", "tcp"], ["--late-offer"], ["--codec", "opus"], ["--codec", "g722,pcma"],
    ] {
      let port = options.contains("tcp") ? try await routerd.port(of: "tcp") : routerd.port
      let call = try await routerd.workplace.run(
        ["call", "sip:echo@127.0.0.1:\(port)", "--json", "--patience", "1"] + options)
      #expect(call.code == 0, "\(options): \(call.output)\(call.errors)")
      let ended = try #require(call.events("ended").first)
      #expect(ended["packetsReceived"] as? Int ?? 0 > 20, "\(options)")
    }
  }

  @Test func holdAndResume() async throws {
    let routerd = try await serve()
    let tone = try routerd.workplace.writeTone("tone.wav", seconds: 1)
    let call = try await routerd.call("echo", "--patience", "1", "--hold", "2", "--wav", tone)
    #expect(call.code == 0, "\(call.output)")
    #expect(call.events("hold").count == 1)
    #expect(call.events("resume").count == 1)
    #expect(call.events("warning").allSatisfy { ($0["words"] as? String)?.contains("re-INVITE") != true })
    #expect(call.events("speaks").count == 1, "the echo is heard again after the hold:\n\(call.output)")
  }

  @Test func drainingRefusesNewCallsAndLetsLiveOnesFinish() async throws {
    let routerd = try await serve()
    let live = try RunningProgram(
      Product.routerd, ["call", routerd.uri("echo"), "--json", "--stay", "--seconds", "4"],
      in: routerd.workplace.folder)
    try await routerd.wait(forLiveCalls: 1)
    #expect(try await routerd.workplace.routerd("drain").code == 0)
    let refused = try await routerd.call("echo")
    #expect(refused.code == 5, "\(refused.output)")
    #expect((refused.events("ended").first?["status"] as? Int) == 503)
    #expect(await live.exitCode() == 0, "\(live.output)")
    #expect(await routerd.program.exitCode(within: .seconds(30)) == 0)
  }

  @Test func aSecondSignalEndsLiveCallsAtOnce() async throws {
    let routerd = try await serve()
    let live = try RunningProgram(
      Product.routerd, ["call", routerd.uri("echo"), "--json", "--stay", "--seconds", "60"],
      in: routerd.workplace.folder)
    try await routerd.wait(forLiveCalls: 1)
    routerd.program.send(SIGTERM)
    try await routerd.wait(forState: "draining")
    routerd.program.send(SIGTERM)
    #expect(await routerd.program.exitCode(within: .seconds(30)) == 0)
    #expect(await live.exitCode() == 0)
    #expect(live.output.contains("the other side hung up"), "\(live.output)")
  }

  @Test func recordsSurviveAKilledProcess() async throws {
    let routerd = try await serve()
    #expect(try await routerd.call("echo", "--patience", "1").code == 0)
    let before = try await routerd.records()
    routerd.program.send(SIGKILL)
    #expect(await routerd.program.exitCode() == 128 + SIGKILL)
    let again = try await ServingRouterd(
      routes: ["main.yaml": Self.routes], workplace: routerd.workplace)
    let after = try await again.records()
    #expect(after.map(\.id) == before.map(\.id))
    #expect(after.count == 1)
  }

  @Test func followersSeeTheCall() async throws {
    let routerd = try await serve()
    let follower = try RunningProgram(
      Product.routerd, ["calls", "--follow"], in: routerd.workplace.folder)
    let call = try await routerd.call("echo", "--patience", "1", "--transcript")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(
      call.events("decision").first?["summary"] as? String == "route echo, routes/main.yaml:8 → agent echo",
      "\(call.output)")
    follower.send(SIGINT)
    _ = await follower.exitCode()
    #expect(follower.output.contains("→ agent echo"), "\(follower.output)")
  }
}
