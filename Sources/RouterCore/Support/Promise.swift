/// A result that is given once and that several may wait for, each as long as it likes.
public final class Promise<Value: Sendable>: Sendable {
  private enum State {
    case open([Int: OneShot<Value?>])
    case resolved(Value)
  }

  private struct Book {
    var state = State.open([:])
    var next = 0
  }

  private let book = Lock(Book())

  /// An unresolved one.
  public init() {}

  /// Gives the result. Returns whether this call was the first.
  @discardableResult
  public func resolve(_ value: Value) -> Bool {
    let waiters = book.withLock { book -> [OneShot<Value?>]? in
      guard case .open(let waiters) = book.state else { return nil }
      book.state = .resolved(value)
      return Array(waiters.values)
    }
    guard let waiters else { return false }
    for waiter in waiters { waiter.resolve(value) }
    return true
  }

  /// The result, when it is there.
  public var current: Value? {
    book.withLock { if case .resolved(let value) = $0.state { value } else { nil } }
  }

  /// Waits for the result; `nil` when it is not there in time, or the task is cancelled.
  public func value(within limit: Duration) async -> Value? {
    let waiter = OneShot<Value?>()
    let id = book.withLock { book -> Int? in
      guard case .open(var waiters) = book.state else { return nil }
      book.next += 1
      waiters[book.next] = waiter
      book.state = .open(waiters)
      return book.next
    }
    guard let id else { return current }
    let alarm = Task {
      // Cancelled when the result came in time.
      if (try? await Task.sleep(for: limit)) != nil { waiter.resolve(nil) }
    }
    let value = await waiter.value(cancelled: nil)
    alarm.cancel()
    book.withLock { book in
      guard case .open(var waiters) = book.state else { return }
      waiters[id] = nil
      book.state = .open(waiters)
    }
    return value
  }
}
