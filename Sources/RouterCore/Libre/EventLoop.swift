internal import CLibre
internal import CLibreShim
internal import Glibc

/// One thread that runs libre's poll loop, and the executor of everything that touches libre's objects on it.
///
/// libre's reference counts are not atomic, so each object belongs to one loop for its whole life. An actor is
/// pinned to a loop by its `unownedExecutor`; a C callback on the loop re-enters that actor with `assumeIsolated`.
/// Jobs are queued under a lock and announced by one write to an eventfd a batch; they run from the eventfd's own
/// handler, never inside another callback of libre's.
public final class EventLoop: SerialExecutor, @unchecked Sendable {
  private enum Work {
    case job(UnownedJob)
    case body(@Sendable () -> Void)
  }

  private struct Queue {
    var jobs: [Work] = []
    var isAnnounced = false
    var isClosed = false
  }

  /// A word for logs: `signalling`, `media-0`, ….
  public let name: String

  /// How often jobs may queue more jobs before packets and timers get their turn.
  private static let rounds = 16

  private let queue = Lock(Queue())
  private var running: [Work] = []  // only on the loop's thread
  /// What ticks every 20 ms here; made when the first call's media starts. Only on the loop's thread.
  var mediaClock: MediaClock?
  private let wakeUp: Int32
  private var thread = pthread_t()
  private let stopped = Gate()

  private static let initialiseLibre: Void = {
    shim_keep_memory()
    precondition(libre_init() == 0, "libre_init failed")
    dbg_init(Int32(DBG_EMERG), DBG_NONE)  // libre's own warnings would flood the log, one for each bad packet
  }()

  /// Starts a loop on a thread of its own; it serves until ``stop()``.
  ///
  /// - Parameters:
  ///   - name: For logs and the thread's name.
  ///   - descriptors: How many file descriptors the loop can watch; no lower than the process's limit, or libre
  ///     refuses sockets with high numbers.
  public init(name: String, descriptors: Int32 = 65536) {
    _ = EventLoop.initialiseLibre
    self.name = name
    wakeUp = shim_eventfd()
    precondition(wakeUp >= 0, "no eventfd: \(String(cString: strerror(errno)))")
    let started = Gate()
    let body = ThreadBody { [unowned self] in self.serve(descriptors, started) }
    let argument = Unmanaged.passRetained(body).toOpaque()
    let created = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, argument)
    precondition(created == 0, "no thread for event loop \(name)")
    started.wait()
  }

  deinit {
    _ = Glibc.close(wakeUp)
  }

  private func serve(_ descriptors: Int32, _ started: Gate) {
    shim_name_thread(String(name.prefix(15)))
    precondition(re_thread_init() == 0, "libre refused a second loop on one thread")
    precondition(fd_setsize(descriptors) == 0, "no memory for \(descriptors) descriptors")
    let me = Unmanaged.passUnretained(self).toOpaque()
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, argument in
      Unmanaged<EventLoop>.fromOpaque(argument!).takeUnretainedValue().drain()
    }
    precondition(fd_listen(wakeUp, Int32(FD_READ), handler, me) == 0, "eventfd refused")
    started.open()
    _ = re_main(nil)
    fd_close(wakeUp)
    mediaClock = nil
    re_thread_close()
    stopped.open()
  }

  /// Whether the caller runs on this loop's thread.
  public var isCurrent: Bool { pthread_equal(pthread_self(), thread) != 0 }

  /// Ends the loop's thread and waits for it. Everything that lives on the loop must have been closed before.
  /// Must not be called on the loop itself.
  public func stop() {
    precondition(!isCurrent, "a loop cannot wait for its own end")
    let first = queue.withLock { queue in
      defer { queue.isClosed = true }
      return !queue.isClosed
    }
    if first { announce() }
    stopped.wait()
  }

  private func announce() {
    var one: UInt64 = 1
    _ = write(wakeUp, &one, 8)
  }

  private func drain() {
    var count: UInt64 = 0
    _ = read(wakeUp, &count, 8)
    for _ in 0..<EventLoop.rounds {
      let isClosed = queue.withLock { queue in
        swap(&queue.jobs, &running)
        // Until it is empty nobody needs to announce: what jobs queue is run without a turn of the loop.
        queue.isAnnounced = !running.isEmpty
        return queue.isClosed
      }
      if isClosed { re_cancel() }
      if running.isEmpty { return }
      for work in running {
        switch work {
        case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        case .body(let body): body()
        }
      }
      running.removeAll(keepingCapacity: true)
    }
    announce()  // packets and timers get their turn
  }

  // MARK: SerialExecutor

  /// Queues a job; any thread may call it.
  public func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

  /// Runs a body on the loop, in turn with its jobs; any thread may call it. A body that is queued before ``stop()``
  /// still runs.
  public func execute(_ body: @escaping @Sendable () -> Void) { add(.body(body)) }

  private func add(_ work: Work) {
    let mustAnnounce = queue.withLock { queue in
      queue.jobs.append(work)
      if queue.isAnnounced { return false }
      queue.isAnnounced = true
      return true
    }
    if mustAnnounce { announce() }
  }

  /// A reference for an actor's `unownedExecutor`.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Two loops are the same context only when they are the same object.
  public func isSameExclusiveExecutionContext(other: EventLoop) -> Bool { self === other }

  /// Stops the program when the caller is not on this loop: the check behind `assumeIsolated`.
  public func checkIsolated() { precondition(isCurrent, "not on event loop \(name)") }

  /// Whether the caller is on this loop, without stopping the program.
  public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}

/// What a new thread runs.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// A door that opens once and lets every waiting thread through.
final class Gate: @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var condition = pthread_cond_t()
  private var isOpen = false

  init() {
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&condition, nil)
  }

  deinit {
    pthread_cond_destroy(&condition)
    pthread_mutex_destroy(&mutex)
  }

  func open() {
    pthread_mutex_lock(&mutex)
    isOpen = true
    pthread_cond_broadcast(&condition)
    pthread_mutex_unlock(&mutex)
  }

  func wait() {
    pthread_mutex_lock(&mutex)
    while !isOpen { pthread_cond_wait(&condition, &mutex) }
    pthread_mutex_unlock(&mutex)
  }
}
