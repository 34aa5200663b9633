internal import CLibreShim
internal import Glibc

/// The loops of one routerd: one for signalling, and one or more for media, over which calls are spread.
public final class EventLoops: Sendable {
  /// Where SIP and the control of calls live.
  public let signalling: EventLoop
  /// Where RTP lives. With one entry it may be the signalling loop itself.
  public let media: [EventLoop]

  private let next = Lock(0)

  /// Starts the loops.
  ///
  /// - Parameter mediaLoops: How many media loops; `nil` is one per core (`mediaLoops: auto`). With 0, media shares
  ///   the signalling loop.
  public init(mediaLoops: Int? = nil) {
    signalling = EventLoop(name: "signalling")
    let count = mediaLoops ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    media = count == 0 ? [signalling] : (0..<count).map { EventLoop(name: "media-\($0)") }
  }

  /// The media loop for the next call, in turn.
  public func nextMediaLoop() -> EventLoop {
    next.withLock { next in
      defer { next = (next + 1) % media.count }
      return media[next]
    }
  }

  /// Stops every loop; all that lives on them must have been closed.
  public func stop() {
    for loop in media where loop !== signalling { loop.stop() }
    signalling.stop()
  }
}

/// Whether libre's timers run on our timing wheel in this process (they must; a test asserts it).
/// Call it on an event loop.
public func isTimingWheelInForce() -> Bool { shim_timing_wheel_in_force() }
