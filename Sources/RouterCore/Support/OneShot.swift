/// A result that several may try to give (a callback, a deadline, a cancellation) and that one waits for.
///
/// The first `resolve` wins; later ones fall to nothing. It may be resolved before anybody waits.
public final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case open
    case waiting(CheckedContinuation<Value, Never>)
    case resolved(Value)
    case taken
  }

  private let state = Lock<State>(.open)

  /// An unresolved one.
  public init() {}

  /// Gives the result. Returns whether this call was the first.
  @discardableResult
  public func resolve(_ value: Value) -> Bool {
    let (isFirst, waiter): (Bool, CheckedContinuation<Value, Never>?) = state.withLock { state in
      switch state {
      case .open:
        state = .resolved(value)
        return (true, nil)
      case .waiting(let continuation):
        state = .taken
        return (true, continuation)
      case .resolved, .taken:
        return (false, nil)
      }
    }
    waiter?.resume(returning: value)
    return isFirst
  }

  /// Waits for the result. Only one caller may wait, once. When the waiting task is cancelled, `cancelled` is the
  /// result unless there is one already.
  public func value(cancelled: @autoclosure @escaping @Sendable () -> Value) async -> Value {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready: Value? = state.withLock { state in
          switch state {
          case .open:
            state = .waiting(continuation)
            return nil
          case .resolved(let value):
            state = .taken
            return value
          case .waiting, .taken:
            preconditionFailure("a OneShot has one waiter")
          }
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      resolve(cancelled())
    }
  }
}
