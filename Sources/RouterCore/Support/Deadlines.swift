/// One watch for the deadlines of all calls: a task that looks every 100 ms, instead of a sleeping task for each.
final class Deadlines: Sendable {
  private struct Entry {
    var at: Duration?
    var fire: @Sendable () -> Void
  }

  private struct State {
    var entries: [Int: Entry] = [:]
    var next = 0
    var ticker: Task<Void, Never>?
  }

  /// How late a deadline may be noticed.
  static let resolution = Duration.milliseconds(100)

  let timebase: Timebase
  private let state = Lock(State())

  init(_ timebase: Timebase) { self.timebase = timebase }

  deinit { state.withLock { $0.ticker }?.cancel() }

  /// Adds somebody who has deadlines; `fire` is called when one is due, at most once for each ``move(_:to:)``. It
  /// must be quick.
  func add(_ fire: @escaping @Sendable () -> Void) -> Int {
    state.withLock { state in
      if state.ticker == nil {
        state.ticker = Task { [weak self, timebase] in
          // Ends with the engine, whose deinit cancels it.
          while (try? await timebase.sleep(Deadlines.resolution)) != nil, let self { self.look() }
        }
      }
      state.next += 1
      state.entries[state.next] = Entry(fire: fire)
      return state.next
    }
  }

  /// Sets the deadline, in the place of the one before.
  func move(_ id: Int, to deadline: Duration?) { state.withLock { $0.entries[id]?.at = deadline } }

  func remove(_ id: Int) { state.withLock { $0.entries[id] = nil } }

  private func look() {
    let now = timebase.now()
    let due = state.withLock { state -> [@Sendable () -> Void] in
      var due: [@Sendable () -> Void] = []
      for (id, entry) in state.entries {
        guard let at = entry.at, at <= now else { continue }
        state.entries[id]?.at = nil
        due.append(entry.fire)
      }
      return due
    }
    for fire in due { fire() }
  }

  /// Does something that others may delay, and waits for it no longer than `limit`; it is cancelled then.
  /// - Returns: Whether it was done in time.
  func bounded(_ limit: Duration, _ work: @escaping @Sendable () async -> Void) async -> Bool {
    let result = OneShot<Bool>()
    let id = add { result.resolve(false) }
    move(id, to: timebase.now() + limit)
    let task = Task {
      await work()
      result.resolve(true)
    }
    let isDone = await result.value(cancelled: false)
    remove(id)
    if !isDone { task.cancel() }
    return isDone
  }
}

/// A clock as the time since it was asked first: deadlines are then plain values.
struct Timebase: Sendable {
  let now: @Sendable () -> Duration
  let sleep: @Sendable (Duration) async throws -> Void

  init(_ clock: any Clock<Duration>) {
    // Every frame of audio asks for the time: of the clock in use the compiler knows how.
    if let clock = clock as? ContinuousClock { self.init(clock: clock) } else { self.init(clock: clock) }
  }

  private init<C: Clock<Duration>>(clock: C) {
    let start = clock.now
    now = { start.duration(to: clock.now) }
    sleep = { try await clock.sleep(for: $0) }
  }
}
