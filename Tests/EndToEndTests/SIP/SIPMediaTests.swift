import RouterCore
import RouterTesting
import Testing

/// Audio on the wire: both ways, through hold, to a new place, and not from strangers.
@Suite(.serialized) struct SIPMediaTests {
  /// Answers, plays 1000 Hz all the time and keeps what is heard.
  static func play(_ heard: Journal<AudioFrame>) -> Station.Script {
    { call, leg, journal in
      await Station.converse(call, leg, journal) { media in
        media.hear(as: .linear16(8000)) { heard.note($0) }
        media.play(
          AudioFrame(samples: Tone.samples(1000, milliseconds: 20_000), sampleRate: 8000), turn: TurnID(1))
      }
    }
  }

  /// The samples of the loud frames: what came before the first packet is silence.
  static func loud(_ heard: Journal<AudioFrame>) -> [Int16] {
    heard.events.map { $0.withSamples { Array($0) } }.filter { frame in frame.contains { abs(Int($0)) > 4000 }
    }
    .flatMap { $0 }
  }

  @Test func soundGoesBothWays() async throws {
    let heard = Journal<AudioFrame>()
    let peer = try RTPPeer(sending: 440)
    defer { peer.close() }
    try await Station.open(script: SIPMediaTests.play(heard)) { station in
      var sipp = Sipp("long-call", to: station.udp)
      sipp.keys["rtp_port"] = "\(peer.port)"
      try await sipp.run()
      try await station.journal.over()
    }
    #expect(Tone.share(of: 1000, in: peer.sound.dropFirst(800).prefix(8000)) > 0.9)
    #expect(Tone.share(of: 440, in: SIPMediaTests.loud(heard).dropFirst(800).prefix(8000)) > 0.9)
    // One stream without gaps, 20 ms a packet.
    let packets = peer.received.filter { $0.payloadType == 0 }
    #expect(packets.count > 150)
    #expect(Set(packets.map(\.source)).count == 1)
    #expect(packets.allSatisfy { $0.payload.count == 160 })
    // Packets in order; on a machine that is short of time a few may be missing.
    let steps = zip(packets, packets.dropFirst()).map {
      (Int($1.sequence &- $0.sequence), $1.timestamp &- $0.timestamp)
    }
    #expect(steps.count { $0 == (1, 160) } > steps.count * 9 / 10)
    #expect(steps.allSatisfy { $0.0 < 100 })
  }

  @Test func soundMovesToANewPlace() async throws {
    let first = try RTPPeer(sending: 440)
    let second = try RTPPeer(sending: nil)
    defer { first.close(); second.close() }
    try await Station.open(script: SIPMediaTests.play(Journal())) { station in
      var sipp = Sipp("moved-media", to: station.udp)
      sipp.keys = ["rtp_port": "\(first.port)", "other_port": "\(second.port)"]
      try await sipp.run()
    }
    #expect(first.received.contains { $0.payloadType == 0 })
    #expect(second.received.count > 20)
    #expect(second.received.allSatisfy { $0.payloadType == 8 })
    #expect(Set(first.received.map(\.source)) == Set(second.received.map(\.source)))
  }

  @Test func holdIsSilentAndEnds() async throws {
    let peer = try RTPPeer(sending: 440)
    defer { peer.close() }
    try await Station.open(script: SIPMediaTests.play(Journal())) { station in
      var sipp = Sipp("hold", to: station.udp)
      sipp.keys["rtp_port"] = "\(peer.port)"
      try await sipp.run()
      try await station.journal.over()
      let holds = station.journal.legEvents.compactMap {
        if case .held(let isHeld) = $0 { isHeld } else { nil }
      }
      #expect(holds == [true, false, true, false])
    }
  }

  @Test func strangersAreNotHeard() async throws {
    let heard = Journal<AudioFrame>()
    let peer = try RTPPeer(sending: 440)
    defer { peer.close() }
    try await Station.open(script: SIPMediaTests.play(heard)) { station in
      var sipp = Sipp("long-call", to: station.udp)
      sipp.keys["rtp_port"] = "\(peer.port)"
      async let call: Void = sipp.run()
      #expect(await peer.until { $0.count > 20 })
      let ours = try #require(peer.received.first?.port)
      let stranger = try RTPPeer(sending: 2000, to: SocketAddress(ip: "127.0.0.1", port: ours))
      defer { stranger.close() }
      try await call
      #expect(stranger.received.isEmpty)
    }
    let sound = SIPMediaTests.loud(heard)
    #expect(Tone.share(of: 440, in: sound.suffix(8000)) > 0.9)
    #expect(Tone.share(of: 2000, in: sound.suffix(8000)) < 0.01)
  }

  @Test func keysInTheStreamCountOnce() async throws {
    let peer = try RTPPeer(sending: 440)
    defer { peer.close() }
    try await Station.open { station in
      var sipp = Sipp("long-call", to: station.udp)
      sipp.keys["rtp_port"] = "\(peer.port)"
      async let call: Void = sipp.run()
      #expect(await peer.until { $0.count > 5 })
      for key in [UInt8(5), 5, 11, 10] { peer.press(key) }
      try await call
      try await station.journal.over()
      #expect(station.journal.digits == "55#*")
    }
  }

  @Test func silenceForTooLongIsNoticed() async throws {
    let peer = try RTPPeer(sending: nil)
    defer { peer.close() }
    try await Station.open("media: {timeoutSeconds: 1}") { station in
      var sipp = Sipp("long-call", to: station.udp)
      sipp.keys["rtp_port"] = "\(peer.port)"
      try await sipp.run()
      try await station.journal.over()
      #expect(station.journal.legEvents.filter { $0 == .mediaLost }.count == 1)
    }
  }
}
