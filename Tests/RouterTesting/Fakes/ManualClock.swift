internal import RouterCore

/// A clock that stands still until a test moves it.
public final class ManualClock: Clock, Sendable {
  /// A moment of a manual clock: the time since it was made.
  public struct Instant: InstantProtocol {
    public var offset: Duration
    public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    public func duration(to other: Instant) -> Duration { other.offset - offset }
    public static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
  }

  private struct Sleeper {
    var id: Int
    var until: Instant
    var done: OneShot<Bool>
  }

  private struct State {
    var now = Instant(offset: .zero)
    var sleepers: [Sleeper] = []
    var nextID = 0
    var watchers: [OneShot<Bool>] = []
  }

  private let state = Lock(State())

  /// A clock at zero.
  public init() {}

  public var now: Instant { state.withLock { $0.now } }
  public var minimumResolution: Duration { .nanoseconds(1) }

  /// Sleeps until the clock was moved that far.
  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let done = OneShot<Bool>()
    let (id, watchers) = state.withLock { state -> (Int?, [OneShot<Bool>]) in
      guard state.now < deadline else { return (nil, []) }
      state.nextID += 1
      state.sleepers.append(Sleeper(id: state.nextID, until: deadline, done: done))
      defer { state.watchers = [] }
      return (state.nextID, state.watchers)
    }
    for watcher in watchers { watcher.resolve(true) }
    guard let id else { return try Task.checkCancellation() }
    let isOver = await done.value(cancelled: false)
    state.withLock { $0.sleepers.removeAll { $0.id == id } }
    if !isOver { throw CancellationError() }
  }

  /// Moves the clock and wakes who slept until then. Waits first until somebody sleeps, because what is on its way
  /// to sleep would otherwise miss the move.
  public func advance(by duration: Duration) async {
    let watcher = OneShot<Bool>()
    let isWatched = state.withLock { state in
      guard state.sleepers.isEmpty else { return true }
      state.watchers.append(watcher)
      return false
    }
    if !isWatched { _ = await watcher.value(cancelled: false) }
    let woken = state.withLock { state in
      state.now = state.now.advanced(by: duration)
      let now = state.now
      let woken = state.sleepers.filter { $0.until <= now }
      state.sleepers.removeAll { $0.until <= now }
      return woken
    }
    for sleeper in woken { sleeper.done.resolve(true) }
  }
}
