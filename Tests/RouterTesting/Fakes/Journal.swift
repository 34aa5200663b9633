internal import RouterCore

/// What happened, in order, and a way to wait for it without sleeping. Any thread.
public final class Journal<Event: Sendable>: Sendable {
  private struct Waiter {
    var start: Int
    var matches: @Sendable (Event) -> Bool
    var result: OneShot<Event?>
  }

  private struct State {
    var events: [Event] = []
    var waiters: [Waiter] = []
  }

  private let state = Lock(State())

  /// An empty one.
  public init() {}

  /// Everything so far.
  public var events: [Event] { state.withLock { $0.events } }

  /// Notes an event and wakes who waits for it.
  public func note(_ event: Event) {
    let woken = state.withLock { state in
      state.events.append(event)
      let index = state.events.count - 1
      var woken: [Waiter] = []
      // Each is asked once: what it asks for may be a sum.
      state.waiters.removeAll { waiter in
        guard index >= waiter.start, waiter.matches(event) else { return false }
        woken.append(waiter)
        return true
      }
      return woken
    }
    for waiter in woken { waiter.result.resolve(event) }
  }

  /// The first event from position `start` on that matches, waiting for it if need be.
  /// - Throws: ``NothingHappened`` after `limit`, which is generous: only a failing test meets it.
  @discardableResult
  public func first(
    after start: Int = 0, within limit: Duration = .seconds(30), _ what: String = "event",
    where matches: @escaping @Sendable (Event) -> Bool
  ) async throws -> Event {
    let result = OneShot<Event?>()
    let ready = state.withLock { state -> Event? in
      if let found = state.events.dropFirst(start).first(where: matches) { return found }
      state.waiters.append(Waiter(start: start, matches: matches, result: result))
      return nil
    }
    if let ready { return ready }
    let alarm = Task {
      try await Task.sleep(for: limit)
      result.resolve(nil)
    }
    defer { alarm.cancel() }
    guard let event = await result.value(cancelled: nil) else {
      throw NothingHappened(waitedFor: what, instead: events.map { "\($0)" })
    }
    return event
  }
}

extension Journal where Event: Equatable {
  /// Waits until exactly this was noted.
  public func wait(for event: Event, within limit: Duration = .seconds(30)) async throws {
    try await first(within: limit, "\(event)") { $0 == event }
  }
}

/// What a test waited for did not happen in time.
public struct NothingHappened: Error, CustomStringConvertible {
  public var waitedFor: String
  /// What happened instead.
  public var instead: [String]

  public init(waitedFor: String, instead: [String]) {
    self.waitedFor = waitedFor
    self.instead = instead
  }

  public var description: String {
    "waited in vain for \(waitedFor); there was: \(instead.joined(separator: ", "))"
  }
}
