import Testing

@testable import RouterCore

/// Encryption, strangers and NAT over the loopback.
@Suite struct RTPSecurityTests {
  @Test(arguments: SRTPSuite.allCases, [false, true])
  func encryptedAudioIsHeard(suite: SRTPSuite, mux: Bool) async throws {
    let bench = MediaBench()
    let (a, b) = (try bench.end(), try bench.end())
    let (mine, yours) = (SRTPKey.random(suite), SRTPKey.random(suite))
    b.listen(.linear16(8000))
    a.media.apply(a.parameters(b, .pcmu, keys: (mine, yours), mux: mux))
    b.media.apply(b.parameters(a, .pcmu, keys: (yours, mine), mux: mux))
    a.say(800, turn: 1)
    await RTPDigitTests.press("4", a, bench)
    await bench.pass(25_000)
    #expect(b.levels.contains { $0 > 4000 })
    #expect(b.events.contains(.digit("4")))
    #expect(a.media.statistics().roundTrip != nil, "reports are encrypted, too")
    #expect(b.media.statistics().packetsLost == 0)
    bench.close()
  }

  @Test func theWrongKeyIsSilence() async throws {
    let bench = MediaBench()
    let (a, b) = (try bench.end(), try bench.end(MediaBench.settings(timeout: .seconds(2))))
    let (one, other) = (SRTPKey.random(.aes128sha80), SRTPKey.random(.aes128sha80))
    b.listen(.linear16(8000))
    a.media.apply(a.parameters(b, .pcmu, keys: (one, one)))
    b.media.apply(b.parameters(a, .pcmu, keys: (other, other)))
    a.say(1000, turn: 1)
    await bench.pass(5000)
    #expect(b.events == [.mediaLost])
    #expect(b.levels.allSatisfy { $0 == 0 })
    #expect(b.media.statistics().packetsReceived == 0)
    bench.close()
  }

  @Test func plainAudioIsNotBelievedWithAKey() async throws {
    let bench = MediaBench()
    let (a, b) = (try bench.end(), try bench.end())
    let keys = (SRTPKey.random(.gcm128), SRTPKey.random(.gcm128))
    b.listen(.linear16(8000))
    a.media.apply(a.parameters(b, .pcmu))
    b.media.apply(b.parameters(a, .pcmu, keys: keys))
    a.say(1000, turn: 1)
    await bench.pass(1000)
    #expect(b.levels.allSatisfy { $0 == 0 })
    bench.close()
  }

  @Test func keysChangeAndStayInTheMiddle() async throws {
    let bench = MediaBench()
    let (a, b) = (try bench.end(), try bench.end())
    let keys = (0..<4).map { _ in SRTPKey.random(.aes128sha80) }
    b.listen(.linear16(8000))
    for (turn, pair) in [(keys[0], keys[1]), (keys[0], keys[1]), (keys[2], keys[3])].enumerated() {
      a.media.apply(a.parameters(b, .pcmu, keys: pair))
      b.media.apply(b.parameters(a, .pcmu, keys: (pair.1, pair.0)))
      b.forget()
      a.say(400, turn: turn)
      await bench.pass(600)
      #expect(b.levels.filter { $0 > 4000 }.count >= 18)
    }
    #expect(b.media.statistics().packetsLost == 0)
    bench.close()
  }

  @Test func strangersAreNotHeard() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    let stranger = try bench.end()
    b.listen(.linear16(8000))
    await bench.pass(200)
    // The same host, the right payload type, a loud tone and keys: still not the call's source.
    stranger.media.apply(stranger.parameters(b, .pcmu))
    stranger.say(2000, turn: 1)
    await RTPDigitTests.press("666", stranger, bench)
    #expect(b.levels.allSatisfy { $0 == 0 })
    a.say(400, turn: 1)
    await bench.pass(600)
    #expect(b.levels.contains { $0 > 4000 })
    #expect(b.events.isEmpty)
    bench.close()
  }

  /// The SDP names an address behind NAT; packets come from elsewhere, and audio goes back there.
  @Test(arguments: [SymmetricRTP.auto, .on, .off])
  func audioGoesBackToWhereItComesFrom(mode: SymmetricRTP) async throws {
    let bench = MediaBench()
    let (a, b) = (try bench.end(), try bench.end(MediaBench.settings(symmetric: mode)))
    a.listen(.linear16(8000))
    a.media.apply(a.parameters(b, .pcmu))
    var parameters = b.parameters(a, .pcmu)
    parameters.remote = SocketAddress(ip: "127.0.0.1", port: 9)
    b.media.apply(parameters)
    b.say(2000, turn: 1)
    await bench.pass(1000)
    #expect(a.levels.contains { $0 > 4000 } == (mode != .off))
    bench.close()
  }

  @Test func withoutAnAddressTheFirstPacketsTell() async throws {
    let bench = MediaBench()
    let (a, b) = (try bench.end(), try bench.end())
    a.listen(.linear16(8000))
    var parameters = b.parameters(a, .pcmu)
    parameters.remote = nil
    parameters.remoteRTCP = nil
    b.media.apply(parameters)
    b.say(300, turn: 1)
    await bench.pass(1000)
    #expect(b.events.isEmpty, "nothing is said to nobody")
    a.media.apply(a.parameters(b, .pcmu))
    await bench.pass(1000)
    #expect(b.events == [.playbackStarted(TurnID(1))])
    #expect(a.levels.filter { $0 > 4000 }.count >= 14)
    bench.close()
  }

  /// A re-INVITE moves the other side (livekit/sip#661).
  @Test func aMovedPeerIsFollowed() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    let other = try bench.end()
    await bench.pass(300)
    b.media.apply(b.parameters(other, .pcmu))
    other.media.apply(other.parameters(b, .pcmu))
    other.listen(.linear16(8000))
    b.listen(.linear16(8000))
    b.say(400, turn: 1)
    other.say(400, turn: 1)
    a.say(3000, turn: 2)  // the old place goes on talking for a while: nobody listens
    await bench.pass(1000)
    #expect(other.levels.contains { $0 > 4000 })
    #expect(b.levels.filter { $0 > 4000 }.count <= 21)
    #expect(b.levels.filter { $0 > 4000 }.count >= 18)
    bench.close()
  }

  /// A hundred times as many packets as a call has: the call goes on, its tick is bounded.
  @Test func aFloodIsOutlived() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    let strangers = try (0..<20).map { _ in try bench.end() }
    b.listen(.linear16(8000))
    for stranger in strangers { stranger.media.apply(stranger.parameters(b, .pcmu, packetTime: 10)) }
    a.say(2000, turn: 1)
    await bench.pass(2200)
    #expect(b.levels.filter { $0 > 4000 }.count > 80)
    bench.close()
  }
}
