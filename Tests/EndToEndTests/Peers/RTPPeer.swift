import Foundation
import RouterCore

/// The caller's side of the audio: a UDP port that sends a tone as G.711 µ-law, keeps what comes back, and can press
/// keys, move, or be somebody who has no business here.
final class RTPPeer: Sendable {
  struct Packet: Sendable {
    var payloadType: UInt8
    var sequence: UInt16
    var timestamp: UInt32
    var source: UInt32
    var isMarked: Bool
    var payload: [UInt8]
    /// The port that it came from.
    var port: UInt16
  }

  private struct State {
    var received: [Packet] = []
    var target: SocketAddress?
    var frequency: Double?
    var keys: [UInt8] = []
    var isOver = false
  }

  private let socket: DatagramSocket
  private let state = Lock(State())
  let port: UInt16

  /// Starts to listen.
  /// - Parameters:
  ///   - frequency: The tone to send; `nil` is silent, without packets.
  ///   - target: Where to send; `nil` is wherever something came from first.
  init(sending frequency: Double? = 440, to target: SocketAddress? = nil) throws {
    guard let socket = DatagramSocket(ip: "127.0.0.1") else { throw NoSocket() }
    self.socket = socket
    port = socket.port
    state.withLock {
      $0.frequency = frequency
      $0.target = target
    }
    let thread = Thread { [self] in serve() }
    thread.name = "rtp peer"
    thread.start()
  }

  struct NoSocket: Error {}

  /// Ends the thread.
  func close() { state.withLock { $0.isOver = true } }

  /// Everything that came, in order.
  var received: [Packet] { state.withLock { $0.received } }

  /// Sends a tone or nothing from now on.
  func send(_ frequency: Double?) { state.withLock { $0.frequency = frequency } }

  /// Presses a key (RFC 4733), 100 ms long: 0…9, 10 is `*`, 11 is `#`.
  func press(_ event: UInt8) { state.withLock { $0.keys.append(event) } }

  /// What was heard, of µ-law packets.
  var sound: [Int16] {
    Tone.samples(muLaw: received.filter { $0.payloadType == 0 }.flatMap(\.payload))
  }

  /// Waits until something holds, looking every 20 ms, for ten seconds at most.
  func until(_ holds: @escaping @Sendable ([Packet]) -> Bool) async -> Bool {
    for _ in 0..<500 {
      if holds(received) { return true }
      // A test that was cancelled fails on what it looks for.
      try? await Task.sleep(for: .milliseconds(20))
    }
    return holds(received)
  }

  private func serve() {
    var sequence = UInt16.random(in: 0...1000)
    var timestamp = UInt32.random(in: 0...100_000)
    var key: (event: UInt8, timestamp: UInt32, step: Int)?
    let source = UInt32.random(in: 1...UInt32.max)
    var phase = 0
    var next = ContinuousClock.now
    while true {
      let now = state.withLock { state in
        if key == nil, !state.keys.isEmpty { key = (state.keys.removeFirst(), timestamp, 0) }
        return state
      }
      if now.isOver { return }
      if let target = now.target {
        if var pressed = key {
          socket.send(event(pressed, sequence, source), to: target)
          pressed.step += 1
          key = pressed.step < 8 ? pressed : nil
          sequence &+= 1
        } else if let frequency = now.frequency {
          let samples = (phase..<(phase + 160)).map {
            Int16(8000 * sin(2 * .pi * frequency * Double($0) / 8000))
          }
          socket.send(
            header(payloadType: 0, sequence, timestamp, source) + Tone.muLaw(samples), to: target)
          phase += 160
          sequence &+= 1
        }
      }
      timestamp &+= 160
      next += .milliseconds(20)
      receive(until: next)
    }
  }

  private func receive(until deadline: ContinuousClock.Instant) {
    while true {
      let left = deadline - .now
      let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
      guard milliseconds > 0, let (bytes, port) = socket.receive(within: Int32(milliseconds)) else { return }
      guard bytes.count >= 12, bytes[0] >> 6 == 2 else { continue }
      let packet = Packet(
        payloadType: bytes[1] & 0x7f, sequence: UInt16(bytes[2]) << 8 | UInt16(bytes[3]),
        timestamp: bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) },
        source: bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) }, isMarked: bytes[1] & 0x80 != 0,
        payload: Array(bytes[12...]), port: port)
      state.withLock { state in
        state.received.append(packet)
        if state.target == nil { state.target = SocketAddress(ip: "127.0.0.1", port: port) }
      }
    }
  }

  private func header(
    payloadType: UInt8, _ sequence: UInt16, _ timestamp: UInt32, _ source: UInt32, isMarked: Bool = false
  ) -> [UInt8] {
    [0x80, payloadType | (isMarked ? 0x80 : 0), UInt8(sequence >> 8), UInt8(sequence & 0xff)]
      + [24, 16, 8, 0].map { UInt8(timestamp >> $0 & 0xff) }
      + [24, 16, 8, 0].map { UInt8(source >> $0 & 0xff) }
  }

  /// RFC 4733 section 2.5: five packets while the key is down, the last one three times.
  private func event(
    _ key: (event: UInt8, timestamp: UInt32, step: Int), _ sequence: UInt16, _ source: UInt32
  ) -> [UInt8] {
    let duration = UInt16(min(key.step + 1, 5) * 160)
    let end: UInt8 = key.step >= 5 ? 0x80 : 0
    return header(payloadType: 101, sequence, key.timestamp, source, isMarked: key.step == 0)
      + [key.event, end | 10, UInt8(duration >> 8), UInt8(duration & 0xff)]
  }
}
