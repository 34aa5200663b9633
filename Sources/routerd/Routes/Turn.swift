internal import RouterCore

/// Lets one task after the other do something, in the order in which they ask.
final class Turn: Sendable {
  private let last = Lock<Task<Void, Never>?>(nil)

  /// Runs `body` when all that asked before are done.
  func wait<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
    let task = last.withLock { last -> Task<Value, Never> in
      let before = last
      let task = Task {
        await before?.value
        return await body()
      }
      last = Task { _ = await task.value }
      return task
    }
    return await task.value
  }
}
