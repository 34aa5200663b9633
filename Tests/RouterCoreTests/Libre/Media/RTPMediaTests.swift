import Testing

@testable import RouterCore

/// Two ends of a call on the loopback, over real sockets and at the pace of the clock.
@Suite struct RTPMediaTests {
  static let ports = RTPPorts(20000...20399)

  static func settings(
    _ ports: RTPPorts = ports, symmetric: SymmetricRTP = .auto, timeout: Duration? = nil,
    inband: Bool = false,
    address: String = "127.0.0.1"
  ) -> MediaSettings {
    MediaSettings(
      bindAddress: address, ports: ports, symmetric: symmetric, timeout: timeout, inbandDigits: inband)
  }

  /// One end: what it hears and is told, for a test to wait on.
  final class End: Sendable {
    let media: RTPMedia
    let log: Recorder

    init(_ settings: MediaSettings, _ loop: EventLoop) throws {
      let log = Recorder()
      self.log = log
      media = try RTPMedia.open(settings, on: loop) { log.add($0) }
    }

    func listen(_ format: AudioFormat) { media.hear(as: format) { [log] in log.add($0) } }

    func expect(
      _ other: End, _ codec: AudioCodec, direction: MediaDirection = .sendrecv, events: UInt8? = 101,
      keys: (SRTPKey, SRTPKey)? = nil, packetTime: Int = 20, mux: Bool = false, address: String = "127.0.0.1"
    ) -> MediaParameters {
      MediaParameters(
        remote: SocketAddress(ip: address, port: other.media.port),
        remoteRTCP: SocketAddress(ip: address, port: other.media.port + (mux ? 0 : 1)), codec: codec,
        telephoneEvents: events.map {
          .init(sendPayloadType: $0, receivePayloadType: $0, clockRate: codec.clockRate)
        }, direction: direction, packetTime: packetTime, rtcpMux: mux, sendKey: keys?.0, receiveKey: keys?.1)
    }
  }

  /// Collects what happens and lets a test wait for it.
  final class Recorder: Sendable {
    struct State {
      var events: [LegEvent] = []
      var frames: [AudioFrame] = []
      var waiters: [(condition: @Sendable (State) -> Bool, done: OneShot<Bool>)] = []
    }
    private let state = Lock(State())

    func add(_ event: LegEvent) { change { $0.events.append(event) } }
    func add(_ frame: AudioFrame) { change { $0.frames.append(frame) } }

    private func change(_ body: (inout State) -> Void) {
      state.withLock { state in
        body(&state)
        let copy = state
        state.waiters.removeAll { waiter in
          guard waiter.condition(copy) else { return false }
          waiter.done.resolve(true)
          return true
        }
      }
    }

    var frames: [AudioFrame] { state.withLock { $0.frames } }
    var events: [LegEvent] { state.withLock { $0.events } }
    func forgetFrames() { state.withLock { $0.frames.removeAll() } }

    /// Waits until the condition holds; false after a deadline that only a broken program meets.
    func wait(_ condition: @escaping @Sendable (State) -> Bool) async -> Bool {
      let done = OneShot<Bool>()
      let isNow = state.withLock { state in
        if condition(state) { return true }
        state.waiters.append((condition, done))
        return false
      }
      if isNow { return true }
      let deadline = Task {
        try await Task.sleep(for: .seconds(20))
        done.resolve(false)
      }
      defer { deadline.cancel() }
      return await done.value(cancelled: false)
    }

    func wait(for event: LegEvent) async -> Bool { await wait { $0.events.contains(event) } }
  }

  /// Runs a test on a loop of its own and ends everything.
  static func withEnds(
    _ first: MediaSettings = settings(), _ second: MediaSettings = settings(),
    _ body: (End, End) async throws -> Void
  ) async throws {
    let loop = EventLoop(name: "test")
    let (a, b) = (try End(first, loop), try End(second, loop))
    do { try await body(a, b) } catch { Issue.record(error) }
    a.media.close()
    b.media.close()
    loop.stop()
  }

  static func tone(_ codec: AudioCodec, milliseconds: Int) -> AudioFrame {
    AudioFrame(samples: Tone.samples(440, rate: 16000, milliseconds: milliseconds), sampleRate: 16000)
  }

  @Test(arguments: AudioCodec.allCases)
  func aToneIsHeard(codec: AudioCodec) async throws {
    try await Self.withEnds { a, b in
      b.listen(.linear16(16000))
      a.media.apply(a.expect(b, codec))
      b.media.apply(b.expect(a, codec))
      a.media.play(Self.tone(codec, milliseconds: 1500), turn: TurnID(1))
      a.media.endTurn(TurnID(1))
      #expect(await a.log.wait(for: .playbackEnded(TurnID(1))))
      #expect(a.log.events == [.playbackStarted(TurnID(1)), .playbackEnded(TurnID(1))])
      let count = b.log.frames.count
      #expect(await b.log.wait { $0.frames.count > count + 20 })
      let frames = b.log.frames
      #expect(frames.allSatisfy { $0.bytes.count == 640 })
      let heard = frames.flatMap { $0.bytes.linear }
      let start = try #require(heard.firstIndex { abs(Int($0)) > 4000 })
      let middle = heard[(start + 4800)..<(start + 4800 + 8000)]
      #expect(abs(Tone.decibels(Tone.amplitude(of: 440, in: middle, rate: 16000) / 8000)) < 2)
      #expect(Tone.signalToNoise(of: 440, in: middle, rate: 16000) > 15)
      #expect(Tone.rms(heard.suffix(1600)) < 100, "silence afterwards")
    }
  }
}
