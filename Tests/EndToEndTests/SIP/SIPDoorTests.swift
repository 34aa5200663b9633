import RouterCore
import RouterTesting
import Testing

/// Who comes in, and what the others get.
@Suite(.serialized) struct SIPDoorTests {
  static let elsewhere = [Trunk(name: "carrier", addresses: ["192.0.2.0/24"])]

  @Test func strangersAreForbidden() async throws {
    try await Station.open(trunks: SIPDoorTests.elsewhere) { station in
      try await Sipp("forbidden", to: station.udp).run()
      #expect(station.journal.events.isEmpty)
    }
  }

  @Test func strangersAreIgnored() async throws {
    try await Station.open("unknownSources: ignore", trunks: SIPDoorTests.elsewhere) { station in
      try await Sipp("silence", to: station.udp).run()
      #expect(station.journal.events.isEmpty)
    }
  }

  @Test func strangersAreWelcome() async throws {
    try await Station.open("unknownSources: accept", trunks: []) { station in
      try await Sipp("call", to: station.udp).run()
      #expect(station.journal.calls.first?.trunk == nil)
    }
  }

  static let guarded: [[Trunk]] = [
    [
      Trunk(name: "gateway", addresses: ["127.0.0.1"], credentials: .init(username: "gw", password: "secret"))
    ],
    [Trunk(name: "gateway", credentials: .init(username: "gw", password: "secret"))],
  ]

  @Test(arguments: guarded) func aPasswordOpens(_ trunks: [Trunk]) async throws {
    try await Station.open(trunks: trunks) { station in
      var sipp = Sipp("digest", to: station.udp)
      sipp.options = ["-au", "gw", "-ap", "secret", "-auth_uri", "600@\(station.udp)"]
      try await sipp.run()
      #expect(station.journal.calls.map(\.trunk) == ["gateway"])
      let names = try #require(station.journal.calls.first).headers.map { $0.name.lowercased() }
      #expect(!names.contains("authorization"))
    }
  }

  @Test(arguments: [("gw", "guess"), ("admin", "secret")])
  func aWrongPasswordDoesNot(_ username: String, _ password: String) async throws {
    try await Station.open(trunks: SIPDoorTests.guarded[0]) { station in
      var sipp = Sipp("digest-wrong", to: station.udp)
      sipp.options = ["-au", username, "-ap", password, "-auth_uri", "600@\(station.udp)"]
      try await sipp.run()
      #expect(station.journal.events.isEmpty)
    }
  }

  struct CalledCase: Sendable, CustomTestStringConvertible {
    var source: Trunk.CalledNumberSource
    var user: String
    var testDescription: String { "\(source)" }
  }

  static let called: [CalledCase] = [
    CalledCase(source: .requestURI, user: "600"), CalledCase(source: .to, user: "+15550101"),
    CalledCase(source: .calledPartyID, user: "+15550102"), CalledCase(source: .diversion, user: "+15550104"),
    CalledCase(source: .header("X-Dialled"), user: "+15550105"),
  ]

  @Test(arguments: called) func theTrunkSaysWhereTheNumberIs(_ each: CalledCase) async throws {
    let trunks = [Trunk(name: "t", addresses: ["127.0.0.1"], calledNumberFrom: [each.source])]
    try await Station.open(trunks: trunks, script: Station.reject(CallEnd(.noRoute))) { station in
      _ = try await Sipp("called-number", to: station.udp).run()
      let call = try #require(station.journal.calls.first)
      #expect(call.to.user == each.user)
      #expect(call.from.user == "+15550177")
      #expect(call.from.displayName == "Ada")
      #expect(call.diversion.map(\.user) == ["+15550103", "+15550104"])
      #expect(call.attestation == .full)
      #expect(call.values(ofHeader: "x-dialled") == ["+15550105"])
    }
  }

  @Test func nothingInCommon() async throws {
    try await Station.open { station in
      try await Sipp("no-common-codec", to: station.udp).run()
      try await Sipp("not-sdp", to: station.udp).run()
      try await Sipp("unknown-extension", to: station.udp).run()
      let statuses = station.journal.events.compactMap { event in
        if case .refused(_, let end) = event { end.sipStatus } else { nil }
      }
      #expect(statuses == [488, 415, 420])
      #expect(station.journal.calls.isEmpty)
    }
  }

  /// Models are opened in the wire's format before the answer.
  @Test(arguments: [("8 0", AudioFormat.aLaw), ("0 8", .muLaw), ("9", .linear16(16000))])
  func theOfferSaysWhatTheWireWillCarry(_ types: String, _ format: AudioFormat) async throws {
    let expected = Lock<AudioFormat?>(nil)
    let script: Station.Script = { _, leg, _ in
      expected.withLock { $0 = leg.expectedFormat }
      await leg.reject(CallEnd(.noRoute), headers: [])
    }
    try await Station.open(script: script) { station in
      let socket = try #require(DatagramSocket(ip: "127.0.0.1"))
      let sdp = SIPHostilityTests.sdp.replacing("RTP/AVP 0", with: "RTP/AVP \(types)")
      socket.send(
        Array(SIPHostilityTests.invite(station.udp, port: socket.port, sdp: sdp).utf8), to: station.udp)
      try await station.journal.first("the call") { if case .arrived = $0 { true } else { false } }
      while let answer = socket.receive(within: 5000) {
        if String(decoding: answer.bytes, as: UTF8.self).hasPrefix("SIP/2.0 404 ") { break }
      }
    }
    #expect(expected.withLock { $0 } == format)
  }

  @Test func noRoute() async throws {
    let script = Station.reject(CallEnd(.noRoute), headers: [Header("X-Route-Decision", "d-1")])
    try await Station.open(script: script) { station in
      try await Sipp("not-found", to: station.udp).run()
    }
  }

  @Test func tooManyCalls() async throws {
    try await Station.open("limits: {callsPerTrunk: 1}") { station in
      async let first: Void = Sipp("long-call", to: station.udp).run()
      try await station.journal.first { if case .answered = $0 { true } else { false } }
      try await Sipp("unavailable", to: station.udp).run()
      try await first
      // The place is free again.
      try await Sipp("call", to: station.udp).run()
    }
  }

  @Test func whoLooksWhetherWeLive() async throws {
    try await Station.open { station in try await Sipp("options", to: station.udp).run() }
    try await Station.open(isDraining: true) { station in
      try await Sipp("options-draining", to: station.udp).run()
    }
  }
}
