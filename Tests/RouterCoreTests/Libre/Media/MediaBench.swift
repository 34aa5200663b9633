import Testing

@testable import RouterCore

/// Several ends of calls on one loop whose media clock a test moves by hand: real sockets on the loopback, and time that
/// passes as fast as the machine can, the same in every run.
final class MediaBench: Sendable {
  let loop = EventLoop(name: "test")
  private let ends = Lock<[End]>([])

  init() {
    loop.execute { [loop] in loop.mediaClock = MediaClock(isManual: true) }
  }

  static let ports = RTPPorts(20000...20399, rest: .zero)

  /// A few ports that nobody else has at this moment, most likely; another run of the tests may go on beside this one.
  static func fewPorts() -> RTPPorts {
    let first = UInt16.random(in: 10_200..<10_490) * 2
    return RTPPorts(first...first + 9, rest: .zero)
  }

  static func settings(
    symmetric: SymmetricRTP = .auto, timeout: Duration? = nil, inband: Bool = false,
    address: String = "127.0.0.1",
    ports: RTPPorts = ports
  ) -> MediaSettings {
    MediaSettings(
      bindAddress: address, ports: ports, symmetric: symmetric, timeout: timeout, inbandDigits: inband)
  }

  func end(_ settings: MediaSettings = settings()) throws -> End {
    let end = try End(settings, loop)
    ends.withLock { $0.append(end) }
    return end
  }

  /// Two ends that know each other.
  func pair(
    _ codec: AudioCodec, _ first: MediaSettings = settings(), _ second: MediaSettings = settings(),
    events: UInt8? = 101, packetTime: Int = 20, mux: Bool = false
  ) throws -> (End, End) {
    let (a, b) = (try end(first), try end(second))
    a.media.apply(a.parameters(b, codec, events: events, packetTime: packetTime, mux: mux))
    b.media.apply(b.parameters(a, codec, events: events, packetTime: packetTime, mux: mux))
    return (a, b)
  }

  /// Lets milliseconds pass.
  func pass(_ milliseconds: Int) async {
    let done = OneShot<Void>()
    loop.execute { [loop] in
      MediaClock.of(loop).advance(milliseconds)
      done.resolve(())
    }
    await done.value(cancelled: ())
  }

  /// Lets time pass until something holds; false when it does not within a minute of it.
  func pass(until condition: () -> Bool) async -> Bool {
    for _ in 0..<3000 {
      if condition() { return true }
      await pass(20)
    }
    return condition()
  }

  /// Ends everything.
  func close() {
    for end in ends.withLock({ $0 }) { end.media.close() }
    loop.stop()
  }

  /// One end: what it hears and is told.
  final class End: Sendable {
    let media: RTPMedia
    private let state: Lock<(events: [LegEvent], frames: [AudioFrame])>

    fileprivate init(_ settings: MediaSettings, _ loop: EventLoop) throws {
      let state = Lock<(events: [LegEvent], frames: [AudioFrame])>(([], []))
      self.state = state
      media = try RTPMedia.open(settings, on: loop) { event in state.withLock { $0.events.append(event) } }
    }

    func listen(_ format: AudioFormat) {
      media.hear(as: format) { [state] frame in state.withLock { $0.frames.append(frame) } }
    }

    var events: [LegEvent] { state.withLock { $0.events } }
    var frames: [AudioFrame] { state.withLock { $0.frames } }
    var samples: [Int16] { frames.flatMap { $0.bytes.linear } }
    /// Root mean square of each frame.
    var levels: [Double] { frames.map { Tone.rms($0.bytes.linear) } }
    func forget() { state.withLock { $0 = ([], []) } }

    /// What an offer and an answer between this end and another one would have agreed on.
    func parameters(
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

    func say(_ milliseconds: Int, turn: Int, rate: Int = 16000) {
      media.play(
        AudioFrame(samples: Tone.samples(440, rate: rate, milliseconds: milliseconds), sampleRate: rate),
        turn: TurnID(turn))
    }
  }
}
