internal import CLibreShim
internal import Glibc

/// The UDP ports of one or more channels. Ports are taken in turn, so a freed one, at which an old peer may still be
/// sending, comes back last (livekit/sip#741), and not before it has rested: a small range rather refuses a call.
public final class RTPPorts: Sendable {
  private struct State {
    var free: [UInt16] = []  // a ring: `head` is the one freed longest ago
    var freed: [ContinuousClock.Instant?] = []  // when, place for place; `nil` when nobody sends there
    var head = 0
    var count = 0
  }

  /// Even ports for RTP, each with the odd one above it for RTCP.
  public let range: ClosedRange<UInt16>
  private let state: Lock<State>
  private let rest: Duration
  private let now: @Sendable () -> ContinuousClock.Instant

  /// A range; an odd lower bound counts from the next even port, and a last even port without its odd one is left out.
  /// - Parameter rest: How long a freed port is left alone. After our BYE the old peer sends for a round trip more.
  public convenience init(
    _ range: ClosedRange<UInt16> = 10000...19999, rest: Duration = .milliseconds(500)
  ) {
    self.init(range, rest: rest) { .now }
  }

  init(
    _ range: ClosedRange<UInt16>, rest: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant
  ) {
    self.range = range
    self.rest = rest
    self.now = now
    let free = range.filter { $0 % 2 == 0 && $0 < range.upperBound }
    state = Lock(State(free: free, freed: Array(repeating: nil, count: free.count), count: free.count))
  }

  /// How many ports no call has; some of them may still have to rest.
  public var available: Int { state.withLock { $0.count } }

  /// A pair of bound sockets on the next port that the system gives; each port is tried once.
  func open(_ address: String, dscp: Int) throws(MediaError) -> MediaSockets {
    for _ in 0..<max(1, available) {
      guard let port = take() else { break }
      do throws(MediaError) {
        if let sockets = try MediaSockets(address: address, port: port, dscp: dscp, ports: self) {
          return sockets
        }
      } catch {
        release(port, wasUsed: false)
        throw error
      }
      release(port, wasUsed: false)  // somebody else has it
    }
    throw .noPort(range)
  }

  private func take() -> UInt16? {
    state.withLock { state in
      guard state.count > 0 else { return nil }
      if let freed = state.freed[state.head], now() < freed + rest { return nil }
      defer {
        state.head = (state.head + 1) % state.free.count
        state.count -= 1
      }
      return state.free[state.head]
    }
  }

  fileprivate func release(_ port: UInt16, wasUsed: Bool) {
    let freed = wasUsed ? now() : nil
    state.withLock { state in
      let place = (state.head + state.count) % state.free.count
      state.free[place] = port
      state.freed[place] = freed
      state.count += 1
    }
  }
}

/// A call's two sockets. Closed, and the port given back, when the last reference goes.
final class MediaSockets: Sendable {
  let port: UInt16
  let rtp: Int32
  let rtcp: Int32
  let isIPv6: Bool
  private let ports: RTPPorts

  /// `nil` when one of the two ports is in use.
  fileprivate init?(address: String, port: UInt16, dscp: Int, ports: RTPPorts) throws(MediaError) {
    var (first, second): (Int32, Int32) = (-1, -1)
    var isIPv6 = false
    var error = shim_media_open(address, port, Int32(dscp), &first, &isIPv6)
    if error == 0 {
      error = shim_media_open(address, port + 1, Int32(dscp), &second, &isIPv6)
      if error != 0 { close(first) }
    }
    switch error {
    case 0: break
    case EADDRINUSE, EACCES: return nil
    case EINVAL, EADDRNOTAVAIL, EAFNOSUPPORT: throw .address(address)
    default: throw .system(String(cString: strerror(error)))
    }
    self.port = port
    self.isIPv6 = isIPv6
    self.ports = ports
    rtp = first
    rtcp = second
  }

  deinit {
    close(rtp)
    close(rtcp)
    ports.release(port, wasUsed: true)
  }
}
