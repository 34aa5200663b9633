/// One thread that runs libre's poll loop, and the executor of everything that touches libre's objects on it.
///
/// libre's reference counts are not atomic, so each object belongs to one loop for its whole life. An actor is
/// pinned to a loop by its `unownedExecutor`; a C callback on the loop re-enters that actor with `assumeIsolated`.
/// Jobs are queued under a lock and announced by one write to an eventfd a batch; they run from the eventfd's own
/// handler, never inside another callback of libre's.
///
/// A loop that nobody refers to any more ends by itself: what is pinned to it refers to it, so nothing is left there.
public final class EventLoop: SerialExecutor, @unchecked Sendable {
  /// A word for logs: `signalling`, `media-0`, ….
  public let name: String

  private let thread: LoopThread

  /// What ticks every 20 ms here; there for as long as the loop serves. Only on the loop's thread.
  var mediaClock: MediaClock? {
    get { thread.mediaClock }
    set { thread.mediaClock = newValue }
  }

  /// Starts a loop on a thread of its own; it serves until ``stop()``.
  ///
  /// - Parameters:
  ///   - name: For logs and the thread's name.
  ///   - descriptors: How many file descriptors the loop can watch; no lower than the process's limit, or libre
  ///     refuses sockets with high numbers.
  public init(name: String, descriptors: Int32 = 65536) {
    self.name = name
    thread = LoopThread()
    thread.start(name, descriptors, runningJobsOn: asUnownedSerialExecutor())
  }

  deinit { thread.close() }

  /// Whether the caller runs on this loop's thread.
  public var isCurrent: Bool { thread.isCurrent }

  /// Ends the loop's thread and waits for it. Everything that lives on the loop must have been closed before.
  /// Must not be called on the loop itself.
  public func stop() {
    precondition(!isCurrent, "a loop cannot wait for its own end")
    thread.close()
    thread.stopped.wait()
  }

  // MARK: SerialExecutor

  /// Queues a job; any thread may call it.
  public func enqueue(_ job: consuming ExecutorJob) { thread.add(.job(UnownedJob(job))) }

  /// Runs a body on the loop, in turn with its jobs; any thread may call it. A body that is queued before ``stop()``
  /// still runs.
  public func execute(_ body: @escaping @Sendable () -> Void) { thread.add(.body(body)) }

  /// A reference for an actor's `unownedExecutor`.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Two loops are the same context only when they are the same object.
  public func isSameExclusiveExecutionContext(other: EventLoop) -> Bool { self === other }

  /// Stops the program when the caller is not on this loop: the check behind `assumeIsolated`.
  public func checkIsolated() { precondition(isCurrent, "not on event loop \(name)") }

  /// Whether the caller is on this loop, without stopping the program.
  public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}
