import Testing

@testable import RouterCore

/// Two ends of a call on the loopback.
@Suite struct RTPMediaTests {
  @Test(arguments: AudioCodec.allCases)
  func aToneIsHeard(codec: AudioCodec) async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(codec)
    b.listen(.linear16(16000))
    a.say(1500, turn: 1, rate: 24000)
    a.media.endTurn(TurnID(1))
    await bench.pass(2000)
    #expect(a.events == [.playbackStarted(TurnID(1)), .playbackEnded(TurnID(1))])
    #expect(b.frames.count >= 98)
    #expect(b.frames.allSatisfy { $0.format == .linear16(16000) && $0.bytes.count == 640 })
    let heard = b.samples
    let start = try #require(heard.firstIndex { abs(Int($0)) > 4000 })
    let middle = heard[(start + 3200)..<(start + 19200)]
    #expect(
      abs(Tone.decibels(Tone.amplitude(of: 440, in: middle, rate: 16000) / 8000)) < (codec == .opus ? 2 : 0.5)
    )
    #expect(Tone.signalToNoise(of: 440, in: middle, rate: 16000) > (codec == .opus ? 15 : 30))
    #expect(Tone.rms(heard.suffix(1600)) < 20, "silence afterwards")
    bench.close()
  }

  @Test func silenceFlowsFromTheStart() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    b.listen(.muLaw)
    await bench.pass(3000)
    #expect(b.frames.count >= 148)
    #expect(b.frames.allSatisfy { $0.format == .muLaw && $0.bytes == Array(repeating: 0xFF, count: 160) })
    a.media.close()
    b.media.close()
    await bench.pass(1)
    let figures = b.media.statistics()
    #expect(figures.codec == "PCMU")
    #expect(figures.packetsReceived >= 149 && figures.packetsSent == 150)
    #expect(figures.packetsLost == 0 && figures.packetsLate == 0 && figures.lossFraction == 0)
    #expect(figures.mos > 4.3)
    #expect(figures.jitter < 1)
    bench.close()
  }

  /// G.711 passes as it is, byte for byte, when that is what is wanted.
  @Test func nothingIsTranscodedInPassing() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcma)
    b.listen(.aLaw)
    await bench.pass(100)
    #expect(a.media.wireFormat == .aLaw)
    let bytes = (0..<3200).map { UInt8(truncatingIfNeeded: $0 &* 7) | 1 }
    a.media.play(AudioFrame(.aLaw, bytes: bytes), turn: TurnID(1))
    await bench.pass(600)
    let heard = Array(b.frames.map(\.bytes).joined())
    #expect(heard.contains(bytes))
    bench.close()
  }

  @Test(arguments: [10, 30, 40, 50, 60], [AudioCodec.pcmu, .g722, .opus])
  func otherPacketTimes(packetTime: Int, codec: AudioCodec) async throws {
    if codec == .opus, packetTime == 30 || packetTime == 50 { return }  // Opus has no such frames
    let bench = MediaBench()
    let (a, b) = try bench.pair(codec, packetTime: packetTime)
    b.listen(.linear16(8000))
    a.say(1500, turn: 1)
    await bench.pass(2000)
    #expect(b.levels.filter { $0 > 4000 }.count >= 73)
    let heard = b.samples
    let start = try #require(heard.firstIndex { abs(Int($0)) > 4000 })
    #expect(
      Tone.signalToNoise(of: 440, in: heard[(start + 800)..<(start + 10400)], rate: 8000)
        > (codec == .opus ? 15 : 30))
    #expect(b.media.statistics().packetsReceived > 900 / packetTime)
    bench.close()
  }

  @Test func bothFamiliesAtOnePort() async throws {
    let bench = MediaBench()
    let dual = try bench.end(MediaBench.settings(address: "::"))
    for address in ["127.0.0.1", "::1"] {
      let peer = try bench.end(MediaBench.settings(address: address))
      peer.listen(.linear16(8000))
      dual.media.apply(dual.parameters(peer, .pcmu, address: address))
      peer.media.apply(peer.parameters(dual, .pcmu, address: address))
      dual.say(300, turn: 1)
      await bench.pass(400)
      #expect(peer.levels.contains { $0 > 4000 }, "\(address)")
      peer.media.close()
    }
    bench.close()
  }

  // MARK: Turns

  @Test func flushStopsAtOnce() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    b.listen(.linear16(8000))
    a.say(10_000, turn: 3)
    a.media.endTurn(TurnID(3))
    await bench.pass(1000)
    let played = a.media.flush()
    #expect(played == PlayedAudio(turn: TurnID(3), milliseconds: 1000))
    a.say(1000, turn: 3)
    await bench.pass(200)
    #expect(b.levels.suffix(6).allSatisfy { $0 < 10 })
    #expect(b.levels.filter { $0 > 1000 }.count <= 51, "a second, and the fade")
    a.say(200, turn: 4)
    await bench.pass(300)
    #expect(
      a.events.map(String.init(describing:))
        == [
          LegEvent.playbackStarted(TurnID(3)), .playbackStarted(TurnID(4)),
        ].map(String.init(describing:)))
    bench.close()
  }

  @Test func aCodecChangesInTheMiddle() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    b.listen(.linear16(16000))
    for (turn, codec) in [AudioCodec.pcmu, .opus, .pcma, .g722, .pcmu].enumerated() {
      b.forget()
      a.media.apply(a.parameters(b, codec))
      b.media.apply(b.parameters(a, codec))
      a.say(500, turn: turn)
      await bench.pass(700)
      #expect(b.levels.filter { $0 > 4000 }.count >= 23, "\(codec)")
      #expect((b.levels.last ?? 0) < 50, "\(codec)")
      #expect(b.frames.allSatisfy { $0.bytes.count == 640 })
    }
    bench.close()
  }

  @Test func whatWaitsSurvivesAChangeOfCodec() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    b.listen(.linear16(8000))
    a.say(2000, turn: 1)
    a.media.endTurn(TurnID(1))
    await bench.pass(500)
    a.media.apply(a.parameters(b, .g722))
    b.media.apply(b.parameters(a, .g722))
    await bench.pass(1700)
    #expect(b.levels.filter { $0 > 3000 }.count >= 95)
    #expect(a.events.last == .playbackEnded(TurnID(1)))
    bench.close()
  }

  // MARK: Hold and silence

  @Test func holdIsSilentAndEndless() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu, MediaBench.settings(), MediaBench.settings(timeout: .seconds(60)))
    b.listen(.linear16(8000))
    await bench.pass(500)
    b.media.apply(b.parameters(a, .pcmu, direction: .recvonly))
    a.say(1500, turn: 1)  // hold music
    b.say(200, turn: 5)
    await bench.pass(2000)
    let received = b.media.statistics().packetsSent
    #expect(b.events == [.held(true)])
    // Nothing at all comes for minutes: still no time-out on hold.
    a.media.apply(a.parameters(b, .pcmu, direction: .inactive))
    await bench.pass(180_000)
    #expect(b.levels.allSatisfy { $0 == 0 })
    #expect(b.frames.count > 9000, "frames go on")
    #expect(b.events == [.held(true)], "nothing is played on hold, nothing is lost")
    #expect(b.media.statistics().packetsSent == received)
    // Taken back: what waited is said, and both are heard again.
    a.listen(.linear16(8000))
    b.forget()
    a.media.apply(a.parameters(b, .pcmu))
    b.media.apply(b.parameters(a, .pcmu))
    a.say(300, turn: 2)
    await bench.pass(600)
    #expect(b.events.prefix(2) == [.held(false), .playbackStarted(TurnID(5))])
    #expect(b.levels.contains { $0 > 4000 })
    #expect(a.levels.contains { $0 > 4000 })
    bench.close()
  }

  @Test func silenceOfTheNetworkIsNoticedOnce() async throws {
    let bench = MediaBench()
    let settings = MediaBench.settings(timeout: .seconds(30))
    let (a, b) = (try bench.end(), try bench.end(settings))
    b.media.apply(b.parameters(a, .pcmu))
    await bench.pass(28_000)
    #expect(b.events.isEmpty)
    await bench.pass(100_000)
    #expect(b.events == [.mediaLost])
    a.media.apply(a.parameters(b, .pcmu))
    await bench.pass(5000)
    a.media.apply(a.parameters(b, .pcmu, direction: .inactive))
    await bench.pass(20_000)
    #expect(b.events == [.mediaLost])
    await bench.pass(30_000)
    #expect(b.events == [.mediaLost], "reports of a held peer are signs of life")
    a.media.close()
    await bench.pass(40_000)
    #expect(b.events == [.mediaLost, .mediaLost], "a second silence is a second event")
    bench.close()
  }

  @Test func whoOnlyListensIsNotWaitedFor() async throws {
    let bench = MediaBench()
    let (a, b) = (try bench.end(), try bench.end(MediaBench.settings(timeout: .seconds(5))))
    a.listen(.linear16(8000))
    a.media.apply(a.parameters(b, .pcmu, direction: .recvonly))
    b.media.apply(b.parameters(a, .pcmu, direction: .sendonly))
    b.say(300, turn: 1)
    await bench.pass(20_000)
    #expect(!b.events.contains(.mediaLost))
    #expect(a.events == [.held(true)])
    bench.close()
  }

  // MARK: Reports

  @Test(arguments: [false, true])
  func reportsTellHowItGoes(mux: Bool) async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu, mux: mux)
    await bench.pass(25_000)
    for end in [a, b] {
      let figures = end.media.statistics()
      let roundTrip = try #require(figures.roundTrip)
      // On the manual clock a datagram has arrived when it is read: RTCP's own port once a second.
      #expect(roundTrip >= 0 && roundTrip <= 1100)
      #expect(figures.remoteLossFraction == 0)
      #expect(figures.mos > (mux ? 4 : 1))
    }
    bench.close()
  }

  // MARK: The end

  @Test func aClosedCallIsQuiet() async throws {
    let bench = MediaBench()
    let ports = MediaBench.fewPorts()
    let (a, b) = try bench.pair(.pcmu, MediaBench.settings(ports: ports), MediaBench.settings(ports: ports))
    a.listen(.muLaw)
    let pressed = Lock(false)
    let digits = Task {
      await a.media.sendDigits(String(repeating: "1,", count: 30))
      pressed.withLock { $0 = true }
    }
    #expect(await bench.pass { b.events.contains(.digit("1")) })
    #expect(!pressed.withLock { $0 })
    a.media.close()
    a.media.close()
    await digits.value
    let count = a.frames.count
    a.say(100, turn: 1)
    await a.media.sendDigits("1")
    a.media.apply(a.parameters(b, .pcmu))
    await bench.pass(200)
    #expect(a.frames.count == count)
    bench.close()
    #expect(ports.available == 5)
  }

  @Test func mediaThatIsForgottenIsClosed() async throws {
    let loop = EventLoop(name: "test")
    let ports = MediaBench.fewPorts()
    do {
      let media = try RTPMedia.open(MediaBench.settings(ports: ports), on: loop) { _ in }
      media.apply(MediaParameters(remote: SocketAddress(ip: "127.0.0.1", port: 9), codec: .pcmu))
      #expect(ports.available == 4)
    }
    loop.stop()
    #expect(ports.available == 5)
  }

  /// The one test at the real clock's pace: ticks come by themselves, and what is said is heard.
  @Test func theClockTicksByItself() async throws {
    let loop = EventLoop(name: "test")
    let heard = OneShot<Bool>()
    let a = try RTPMedia.open(MediaBench.settings(), on: loop) { _ in }
    let b = try RTPMedia.open(MediaBench.settings(), on: loop) { _ in }
    b.hear(as: .linear16(8000)) { if Tone.rms($0.bytes.linear) > 1000 { heard.resolve(true) } }
    a.apply(MediaParameters(remote: SocketAddress(ip: "127.0.0.1", port: b.port), codec: .pcmu))
    b.apply(MediaParameters(remote: SocketAddress(ip: "127.0.0.1", port: a.port), codec: .pcmu))
    let tone = Tone.samples(440, rate: 8000, milliseconds: 10_000)
    a.play(AudioFrame(samples: tone, sampleRate: 8000), turn: TurnID(1))
    let deadline = Task {
      try await Task.sleep(for: .seconds(60))
      heard.resolve(false)
    }
    #expect(await heard.value(cancelled: false))
    deadline.cancel()
    a.close()
    b.close()
    loop.stop()
  }
}
