import RouterCore
import RouterTesting
import Testing

/// The life of a call on the wire, with sipp as the caller.
@Suite(.serialized) struct SIPCallTests {
  @Test func aCallOverUDP() async throws {
    try await Station.open { station in
      try await Sipp("call", to: station.udp).run()
      try await station.journal.over()
      let call = try #require(station.journal.calls.first)
      #expect(call.to.user == "600")
      #expect(call.from.user == "+15550177")
      #expect(call.trunk == "loopback")
      #expect(call.sourceAddress?.ip == "127.0.0.1")
      #expect(station.journal.ending?.reason == .callerHungUp)
    }
  }

  @Test func aCallOverTCP() async throws {
    try await Station.open("listen: [tcp:127.0.0.1:0]") { station in
      var sipp = Sipp("call", to: station.addresses[0])
      sipp.transport = .tcp
      try await sipp.run()
      try await station.journal.over()
    }
  }

  @Test(arguments: [SIPTransport.udp, .tcp]) func aCallOverIPv6(_ transport: SIPTransport) async throws {
    try await Station.open("listen: [\"\(transport.rawValue):[::1]:0\"]") { station in
      var sipp = Sipp("call", to: station.addresses[0])
      sipp.transport = transport
      try await sipp.run()
      try await station.journal.over()
      #expect(station.journal.calls.first?.sourceAddress?.ip == "::1")
    }
  }

  @Test func severalListenersServeTheSameCalls() async throws {
    let listen = "listen: [\"udp:0.0.0.0:0\", \"tcp:0.0.0.0:0\", \"udp:[::1]:0\"]"
    try await Station.open(listen) { station in
      let loopback = station.addresses.map {
        SocketAddress(ip: $0.ip == "0.0.0.0" ? "127.0.0.1" : $0.ip, port: $0.port)
      }
      async let udp: Void = Sipp("call", to: loopback[0]).run()
      var overTCP = Sipp("call", to: loopback[1])
      overTCP.transport = .tcp
      async let tcp: Void = overTCP.run()
      async let ipv6: Void = Sipp("call", to: loopback[2]).run()
      _ = try await (udp, tcp, ipv6)
      #expect(station.journal.calls.count == 3)
    }
  }

  @Test func behindNATTheAdvertisedAddressIsNamed() async throws {
    try await Station.open("{advertise: \"203.0.113.7:5070\", media: {advertise: 203.0.113.8}}") { station in
      try await Sipp("advertised", to: station.udp).run()
    }
  }

  @Test func weHangUpAndSayWhy() async throws {
    try await Station.open(script: Station.answerAndHangUp) { station in
      try await Sipp("call-that-we-end", to: station.udp).run()
    }
  }

  @Test func theCallerGivesUp() async throws {
    try await Station.open(script: Station.ringForever) { station in
      try await Sipp("cancel", to: station.udp).run()
      try await station.journal.over()
      #expect(station.journal.legEvents == [.cancelled])
    }
  }

  /// RFC 3261 sections 17.2.1 and 13.3.1.4: INVITE that comes again is the same one, and 200 is sent until ACK comes.
  @Test func retransmissionsAreOneCall() async throws {
    try await Station.open { station in
      let socket = try #require(DatagramSocket(ip: "127.0.0.1"))
      let invite = SIPHostilityTests.invite(station.udp, port: socket.port)
      for _ in 0..<3 { socket.send(Array(invite.utf8), to: station.udp) }
      var answers: [String] = []
      while answers.count < 2, let (bytes, _) = socket.receive(within: 10_000) {
        let message = String(decoding: bytes, as: UTF8.self)
        if message.hasPrefix("SIP/2.0 200") { answers.append(message) }
      }
      #expect(answers.count == 2)
      #expect(answers.first == answers.last)
      #expect(station.journal.calls.count == 1)
    }
  }

  @Test func anOfferOfOurs() async throws {
    try await Station.open { station in
      try await Sipp("late-offer", to: station.udp).run()
      try await station.journal.over()
      #expect(station.journal.ending?.reason == .callerHungUp)
    }
  }

  @Test func anOfferOfOursWithoutAnAnswer() async throws {
    try await Station.open { station in
      try await Sipp("late-offer-unanswered", to: station.udp).run()
    }
  }

  @Test func ringingThatMustBeConfirmed() async throws {
    try await Station.open(script: Station.ringAndAnswer) { station in
      try await Sipp("reliable-ringing", to: station.udp).run()
      try await station.journal.over()
    }
  }

  @Test func ourRequestsGoAlongTheProxies() async throws {
    try await Station.open(script: Station.answerAndHangUp) { station in
      try await Sipp("record-route", to: station.udp).run()
    }
  }

  @Test func keysByInfo() async throws {
    try await Station.open { station in
      try await Sipp("info-digits", to: station.udp).run()
      try await station.journal.over()
      #expect(station.journal.digits == "1##")
    }
  }
}
