import RouterCore
import RouterTesting
import Testing

/// Peers that are broken or mean no good: they get an answer or silence, and a call that is up notices nothing.
@Suite(.serialized) struct SIPHostilityTests {
  /// Runs `attack` while a call is up, and looks that the call, and then another one, go on as if nothing was.
  private func duringACall(
    _ settings: String = "listen: [udp:127.0.0.1:0, tcp:127.0.0.1:0]",
    _ attack: (Station) async throws -> Void
  ) async throws {
    let peer = try RTPPeer(sending: 440)
    defer { peer.close() }
    try await Station.open(settings, script: SIPMediaTests.play(Journal())) { station in
      var sipp = Sipp("long-call", to: station.udp)
      sipp.keys["rtp_port"] = "\(peer.port)"
      async let call: Void = sipp.run()
      try await station.journal.first("the call") { if case .answered = $0 { true } else { false } }
      try await attack(station)
      try await call
      try await Sipp("call", to: station.udp).run()
      try await Sipp("options", to: station.udp).run()
    }
    #expect(Tone.share(of: 1000, in: peer.sound) > 0.9)
    #expect(peer.received.count > 100)
  }

  /// An INVITE as it should be, to be spoiled.
  static func invite(_ station: SocketAddress, port: UInt16, sdp: String = SIPHostilityTests.sdp) -> String {
    """
    INVITE sip:600@\(station) SIP/2.0\r
    Via: SIP/2.0/UDP 127.0.0.1:\(port);branch=z9hG4bK-\(port)-\(UInt32.random(in: 0...UInt32.max))\r
    From: <sip:mallory@127.0.0.1>;tag=\(UInt32.random(in: 0...UInt32.max))\r
    To: <sip:600@127.0.0.1>\r
    Call-ID: \(UInt64.random(in: 0...UInt64.max))\r
    CSeq: 1 INVITE\r
    Contact: <sip:mallory@127.0.0.1:\(port)>\r
    Max-Forwards: 70\r
    Content-Type: application/sdp\r
    Content-Length: \(sdp.utf8.count)\r
    \r
    \(sdp)
    """
  }

  static let sdp =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"

  @Test func malformedMessages() async throws {
    try await duringACall { station in
      let socket = try #require(DatagramSocket(ip: "127.0.0.1"))
      let good = SIPHostilityTests.invite(station.udp, port: socket.port)
      let lines = good.split(separator: "\r\n", omittingEmptySubsequences: false)
      var messages = [
        "", "\r\n\r\n", "\0\0\0\0", "INVITE", "INVITE \r\n\r\n", "SIP/2.0 200 OK\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
      ]
      // Without each of its lines, with each line twice, cut off behind each line, and with a broken line.
      for index in lines.indices.prefix(11) {
        var spoiled = lines
        spoiled.remove(at: index)
        messages.append(spoiled.joined(separator: "\r\n"))
        spoiled.insert(contentsOf: [lines[index], lines[index]], at: index)
        messages.append(spoiled.joined(separator: "\r\n"))
        messages.append(lines[...index].joined(separator: "\r\n"))
        spoiled = lines
        spoiled[index] = "%n%n%s\u{1}" + spoiled[index].dropFirst(3)
        messages.append(spoiled.joined(separator: "\r\n"))
      }
      messages.append(good.replacing("Content-Length: ", with: "Content-Length: 99"))
      messages.append(good.replacing("Content-Length: ", with: "Content-Length: -"))
      messages.append(good.replacing("CSeq: 1 INVITE", with: "CSeq: 99999999999999999999 INVITE"))
      messages.append(good.replacing("CSeq: 1 INVITE", with: "CSeq: 1 BYE"))
      messages.append(good.replacing("Max-Forwards: 70", with: "Max-Forwards: 0"))
      messages.append(good.replacing("SIP/2.0\r\nVia", with: "SIP/7.0\r\nVia"))
      messages.append(good.replacing("sip:600@", with: "nobodyKnowsThis:600@"))
      messages.append(good.replacing("To: <", with: "To: \"Mr. J. User <"))
      messages.append(
        good.replacing("Max-Forwards", with: String(repeating: "X: y\r\n", count: 5000) + "Max-Forwards"))
      messages.append(good.replacing("mallory", with: String(repeating: "a", count: 30_000)))
      messages.append(String(repeating: "<", count: 60_000))
      for message in messages { socket.send(Array(message.utf8), to: station.udp) }
      for _ in 0..<300 {
        socket.send((0..<Int.random(in: 1...1200)).map { _ in UInt8.random(in: 0...255) }, to: station.udp)
      }
      // Whatever comes back is an answer.
      let end = ContinuousClock.now + .seconds(1)
      while ContinuousClock.now < end, let (bytes, _) = socket.receive(within: 300) {
        #expect(bytes.starts(with: Array("SIP/2.0 ".utf8)))
      }
    }
  }

  @Test func sessionDescriptionBombs() async throws {
    try await duringACall { station in
      let socket = try #require(DatagramSocket(ip: "127.0.0.1"))
      let bombs = [
        SIPHostilityTests.sdp + String(repeating: "m=audio 9 RTP/AVP 0\r\n", count: 2000),
        SIPHostilityTests.sdp + String(repeating: "a=x\r\n", count: 8000),
        SIPHostilityTests.sdp.replacing("AVP 0", with: "AVP" + String(repeating: " 0", count: 20_000)),
        SIPHostilityTests.sdp + "a=" + String(repeating: "b", count: 50_000) + "\r\n",
        String(repeating: "\r\n", count: 20_000), "v=0", "\0", "m=audio 70000 RTP/AVP 999 -1 x\r\n",
      ]
      for bomb in bombs {
        socket.send(
          Array(SIPHostilityTests.invite(station.udp, port: socket.port, sdp: bomb).utf8), to: station.udp)
        let answer = try #require(finalAnswer(socket))
        #expect(answer.hasPrefix("SIP/2.0 4"), "\(answer.prefix(40))")
      }
      #expect(station.journal.calls.count == 1)
    }
  }

  private func finalAnswer(_ socket: DatagramSocket) -> String? {
    while let (bytes, _) = socket.receive(within: 3000) {
      let answer = String(decoding: bytes, as: UTF8.self)
      if !answer.hasPrefix("SIP/2.0 1") { return answer }
    }
    return nil
  }

  @Test func aFloodOfInvitations() async throws {
    let settings = "limits: {invitesPerSecondPerAddress: 20}"
    try await duringACall(settings) { station in
      let socket = try #require(DatagramSocket(ip: "127.0.0.1"))
      let start = ContinuousClock.now
      for _ in 0..<2000 {
        socket.send(Array(SIPHostilityTests.invite(station.udp, port: socket.port).utf8), to: station.udp)
      }
      var refusals = 0
      while ContinuousClock.now - start < .seconds(2), let (bytes, _) = socket.receive(within: 300) {
        if bytes.starts(with: Array("SIP/2.0 503".utf8)) { refusals += 1 }
      }
      #expect(refusals > 0)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      #expect(Double(station.journal.calls.count) <= 1 + 40 + 20 * (seconds + 1))
    }
  }

  private static let options = """
    OPTIONS sip:127.0.0.1 SIP/2.0\r
    Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK-1\r
    From: <sip:a@127.0.0.1>;tag=1\r
    To: <sip:127.0.0.1>\r
    Call-ID: 1\r
    CSeq: 1 OPTIONS\r
    Max-Forwards: 70\r
    Content-Length: 0\r
    \r

    """

  /// What OPTIONS on a new connection is answered with: empty when the connection is closed at once.
  private func ask(_ target: SocketAddress) -> String? {
    guard let socket = StreamSocket(to: target) else { return nil }
    socket.send(SIPHostilityTests.options)
    return socket.receive(within: 5000)
  }

  @Test func halfOpenConnections() async throws {
    let settings = "{listen: [udp:127.0.0.1:0, tcp:127.0.0.1:0], limits: {connectionsPerAddress: 8}}"
    try await duringACall(settings) { station in
      let tcp = station.addresses[1]
      #expect(ask(tcp)?.hasPrefix("SIP/2.0 200") == true)
      var open = (0..<8).compactMap { _ in StreamSocket(to: tcp) }
      for socket in open.prefix(4) { socket.send("INVITE sip:600@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP") }
      // The ninth is one too many, and there is room again when the others are gone.
      #expect(ask(tcp) == "")
      open.removeAll()
      var answer = ask(tcp)
      for _ in 0..<50 where answer == "" {
        try await Task.sleep(for: .milliseconds(100))
        answer = ask(tcp)
      }
      #expect(answer?.hasPrefix("SIP/2.0 200") == true)
    }
  }

  @Test func rubbishOverTCP() async throws {
    try await duringACall { station in
      let tcp = station.addresses[1]
      for rubbish in ["GET / HTTP/1.0\r\n\r\n", "\0\0\0\0\0\0\0\0", String(repeating: "A", count: 200_000)] {
        let socket = try #require(StreamSocket(to: tcp))
        socket.send(rubbish)
        _ = socket.receive(within: 500)
      }
      var sipp = Sipp("call", to: tcp)
      sipp.transport = .tcp
      try await sipp.run()
    }
  }
}
