internal import Glibc

/// A thread of its own for work that waits for the disk. Event loops and Swift's pool must not.
///
/// Hands over everything that is queued at once, so that one wait for the disk serves many. What comes first waits a
/// moment for the others.
final class Worker<Job: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var queue: [Job] = []
  private var isClosed = false
  private let maximum: Int
  private let gathering: UInt32

  /// - Parameters:
  ///   - maximum: Jobs that may wait; ``add(_:)`` refuses more.
  ///   - gathering: Microseconds that the first job waits for others.
  ///   - work: Called on the thread with all waiting jobs, in order; with none when the worker closes.
  init(maximum: Int, gathering: UInt32, _ work: @escaping @Sendable ([Job]) -> Void) {
    self.maximum = maximum
    self.gathering = gathering
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    startThread {
      // The thread keeps the worker until it was closed.
      while let jobs = self.next() { work(jobs) }
      work([])
    }
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Queues a job; `false` when too many wait or the worker is closed.
  func add(_ job: Job) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard !isClosed, queue.count < maximum else { return false }
    queue.append(job)
    if queue.count == 1 { pthread_cond_signal(condition) }
    return true
  }

  /// Ends the thread when all that waits is done.
  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  private func next() -> [Job]? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while queue.isEmpty && !isClosed { pthread_cond_wait(condition, mutex) }
    if queue.isEmpty { return nil }
    if !isClosed {
      pthread_mutex_unlock(mutex)
      usleep(gathering)
      pthread_mutex_lock(mutex)
    }
    defer { queue = [] }
    return queue
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func startThread(_ run: @escaping @Sendable () -> Void) {
  var thread = pthread_t()
  let created = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
      return nil
    }, Unmanaged.passRetained(ThreadBody(run)).toOpaque())
  precondition(created == 0, "no thread for the store")
  pthread_detach(thread)
}
