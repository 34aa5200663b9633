internal import Glibc
internal import RouterCore

/// Runs `body` on a thread of its own that nobody waits for: for what blocks. Without threads there is no program.
func detachThread(_ body: @escaping @Sendable () -> Void) { pthread_detach(startThread(body)) }

/// Runs `body` on a thread of its own and waits for what comes of it, without holding any other thread.
/// - Parameter isPatient: Whether calls go first: for what takes long and is in no hurry.
func onThread<Value: Sendable>(
  isPatient: Bool = false, _ body: @escaping @Sendable () -> Value
) async -> Value {
  await withCheckedContinuation { continuation in
    detachThread { continuation.resume(returning: isPatient ? patiently(body) : body()) }
  }
}

/// Runs `body` on a thread that stands back, and blocks until it is done. Who stands back never gets his rights again, nor
/// do the threads that the system makes when he wakes others up: so he wakes nobody but us.
func patiently<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
  let result = Lock<Value?>(nil)
  let thread = startThread {
    ThreadPriority.standBack()
    let value = body()
    result.withLock { $0 = value }
  }
  pthread_join(thread, nil)
  guard let value = result.withLock(\.self) else { preconditionFailure("a thread ended without its result") }
  return value
}

private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(Box(body)).toOpaque()
  let created = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
      return nil
    }, argument)
  precondition(created == 0, "the system refuses a thread")
  return thread
}

/// Lets the thread sleep, at most a second: for threads that nobody waits for.
func pause(_ duration: Duration) {
  usleep(UInt32(max(1, min(duration / .microseconds(1), 999_999))))
}
