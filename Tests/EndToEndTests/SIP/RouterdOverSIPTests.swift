import Foundation
import RouterCore
import Testing

/// The whole line as a trunk sees it: the built routerd, its routes and an agent.
@Suite(.serialized) struct RouterdOverSIPTests {
  static let routes = """
    trunks:
      loopback: {addresses: [127.0.0.0/8]}
    providers:
      echo: {type: echo}
    agents:
      mirror: {provider: echo}
    routes:
      - name: front-door
        match: {to: "600"}
        agent: mirror
      - name: closed
        match: {to: "601"}
        reject: {code: 603, reason: Not today}
      - name: desk
        match: {to: "602"}
        transfer: "0200"
    """

  private func serve(_ body: (ServingRouterd, SocketAddress) async throws -> Void) async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": RouterdOverSIPTests.routes])
    let port = try #require(UInt16(exactly: routerd.port))
    try await body(routerd, SocketAddress(ip: "127.0.0.1", port: port))
    _ = await routerd.stop()
  }

  @Test func aCallIsAnsweredMirroredAndRecorded() async throws {
    let peer = try RTPPeer(sending: 440)
    defer { peer.close() }
    try await serve { routerd, address in
      var sipp = Sipp("long-call", to: address)
      sipp.keys["rtp_port"] = "\(peer.port)"
      try await sipp.run()
      let record = try #require(try await routerd.records().first)
      #expect(record.route == "front-door")
      #expect(record.agent == "mirror")
      #expect(record.trunk == "loopback")
      #expect(record.end.reason == .callerHungUp)
      #expect(record.end.sipStatus == 200)
      #expect(record.end.q850 == 16)
      #expect(record.decisionID != nil)
      let audio = try #require(record.audio)
      #expect(audio.packetsReceived > 100)
      #expect(audio.lossFraction == 0)
      #expect(audio.mos > 4)
    }
    #expect(Tone.share(of: 440, in: peer.sound.suffix(8000)) > 0.9)
  }

  @Test func whatIsNotAnsweredIsRecordedToo() async throws {
    try await serve { routerd, address in
      var unknown = Sipp("not-found", to: address)
      unknown.number = "999"
      try await unknown.run()
      var declined = Sipp("declined", to: address)
      declined.number = "601"
      try await declined.run()
      try await Sipp("no-common-codec", to: address).run()
      let records = try await routerd.records()
      #expect(records.map(\.end.sipStatus).sorted() == [404, 488, 603])
      #expect(Set(records.map(\.end.reason)) == [.noRoute, .rejectedByRoute, .noCommonCodec])
      #expect(records.allSatisfy { $0.answeredAt == nil && $0.trunk == "loopback" })
    }
  }

  @Test func aRouteHandsOver() async throws {
    try await serve { routerd, address in
      var done = Sipp("refer", to: address)
      done.number = "602"
      try await done.run()
      let record = try #require(try await routerd.records().first)
      #expect(record.route == "desk")
      #expect(record.end.reason == .transferred)
    }
  }

  @Test func drainingSendsNewCallsElsewhere() async throws {
    try await serve { routerd, address in
      async let call: Void = Sipp("long-call", to: address).run()
      for _ in 0..<200 {
        if try await routerd.workplace.routerd("calls", "--json").output.contains("conversation") { break }
        try await Task.sleep(for: .milliseconds(50))
      }
      routerd.program.send(SIGTERM)
      try await Task.sleep(for: .milliseconds(300))
      try await Sipp("unavailable", to: address).run()
      try await Sipp("options-draining", to: address).run()
      try await call
      #expect(await routerd.program.exitCode(within: .seconds(30)) == 0)
    }
  }
}
