import Testing

@testable import RouterCore

/// Keys over the loopback.
@Suite struct RTPDigitTests {
  /// Presses keys at one end while time passes.
  static func press(_ digits: String, _ end: MediaBench.End, _ bench: MediaBench) async {
    let done = Lock(false)
    let press = Task {
      await end.media.sendDigits(digits)
      done.withLock { $0 = true }
    }
    #expect(await bench.pass { done.withLock { $0 } })
    await press.value
    await bench.pass(200)
  }

  @Test(arguments: AudioCodec.allCases)
  func keysGoAsEvents(codec: AudioCodec) async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(codec)
    await Self.press("1559#", a, bench)
    await Self.press("*A,1", b, bench)
    #expect(b.events == [.digit("1"), .digit("5"), .digit("5"), .digit("9"), .digit("#")])
    #expect(a.events == [.digit("*"), .digit("A"), .digit("1")])
    let figures = b.media.statistics()
    #expect(figures.packetsLost == 0 && figures.packetsLate == 0)
    bench.close()
  }

  @Test(arguments: [AudioCodec.pcmu, .pcma, .g722, .opus])
  func keysGoAsTonesWithoutEvents(codec: AudioCodec) async throws {
    let bench = MediaBench()
    let settings = MediaBench.settings(inband: true)
    let (a, b) = try bench.pair(codec, settings, settings, events: nil)
    await Self.press("7", a, bench)
    await Self.press("73*", a, bench)
    #expect(b.events == [.digit("7"), .digit("7"), .digit("3"), .digit("*")])
    bench.close()
  }

  @Test func tonesCountOnlyWithoutEvents() async throws {
    let bench = MediaBench()
    let settings = MediaBench.settings(inband: true)
    let (a, b) = try bench.pair(.pcmu, settings, settings)
    a.media.play(AudioFrame(samples: KeyTones.samples(of: "123"), sampleRate: 8000), turn: TurnID(1))
    await bench.pass(1000)
    #expect(b.events.isEmpty)
    bench.close()
  }

  @Test func speechGoesOnAfterAKey() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    b.listen(.linear16(8000))
    a.say(3000, turn: 1)
    await bench.pass(500)
    await Self.press("4", a, bench)
    await bench.pass(500)
    #expect(b.events == [.digit("4")])
    #expect(b.levels.suffix(20).allSatisfy { $0 > 4000 })
    bench.close()
  }

  @Test func whatIsNoKeyIsNoWait() async throws {
    let bench = MediaBench()
    let (a, b) = try bench.pair(.pcmu)
    await Self.press("", a, bench)
    await Self.press("xyz", a, bench)
    #expect(b.events.isEmpty)
    bench.close()
  }
}
