internal import CLibre
internal import CLibreShim
internal import Glibc

/// The thread of an ``EventLoop``, and the work that waits for it. The thread refers to this, not to the loop.
final class LoopThread: @unchecked Sendable {
  enum Work {
    case job(UnownedJob)
    case body(@Sendable () -> Void)
  }

  private struct Queue {
    var jobs: [Work] = []
    var isAnnounced = false
    var isClosed = false
  }

  /// How often jobs may queue more jobs before packets and timers get their turn.
  private static let rounds = 16

  /// Opens when the thread is over.
  let stopped = Gate()
  /// Only on the thread; made when it starts.
  var mediaClock: MediaClock?

  private let queue = Lock(Queue())
  private var running: [Work] = []  // only on the thread
  /// Whoever has jobs here refers to the loop, so the loop is there for as long as there are jobs.
  private var executor: UnownedSerialExecutor?
  private let wakeUp = shim_eventfd()
  private var thread = pthread_t()

  private static let initialiseLibre: Void = {
    shim_keep_memory()
    precondition(libre_init() == 0, "libre_init failed")
    dbg_init(Int32(DBG_EMERG), DBG_NONE)  // libre's own warnings would flood the log, one for each bad packet
  }()

  init() {
    _ = LoopThread.initialiseLibre
    precondition(wakeUp >= 0, "no eventfd: \(String(cString: strerror(errno)))")
  }

  deinit {
    _ = Glibc.close(wakeUp)
  }

  /// Starts the thread; returns when it serves.
  func start(_ name: String, _ descriptors: Int32, runningJobsOn executor: UnownedSerialExecutor) {
    self.executor = executor
    let started = Gate()
    let body = ThreadBody { self.serve(name, descriptors, started) }
    let argument = Unmanaged.passRetained(body).toOpaque()
    let created = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument)
    precondition(created == 0, "no thread for event loop \(name)")
    pthread_detach(thread)
    started.wait()
  }

  /// Whether the caller runs on it.
  var isCurrent: Bool { pthread_equal(pthread_self(), thread) != 0 }

  /// Lets the thread end after what is queued. Any thread; again is nothing.
  func close() {
    let isFirst = queue.withLock { queue in
      defer { queue.isClosed = true }
      return !queue.isClosed
    }
    if isFirst { announce() }
  }

  func add(_ work: Work) {
    let mustAnnounce = queue.withLock { queue in
      queue.jobs.append(work)
      if queue.isAnnounced { return false }
      queue.isAnnounced = true
      return true
    }
    if mustAnnounce { announce() }
  }

  private func announce() {
    var one: UInt64 = 1
    _ = write(wakeUp, &one, 8)
  }

  // MARK: On the thread

  private func serve(_ name: String, _ descriptors: Int32, _ started: Gate) {
    shim_name_thread(String(name.prefix(15)))
    ThreadPriority.stepForward()
    precondition(re_thread_init() == 0, "libre refused a second loop on one thread")
    precondition(fd_setsize(descriptors) == 0, "no memory for \(descriptors) descriptors")
    let me = Unmanaged.passUnretained(self).toOpaque()
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, argument in
      guard let argument else { return }
      Unmanaged<LoopThread>.fromOpaque(argument).takeUnretainedValue().drain()
    }
    let error = fd_listen(wakeUp, Int32(FD_READ), handler, me)
    precondition(error == 0, "event loop \(name) cannot watch descriptor \(wakeUp): error \(error)")
    // Now, not at the first call: it takes a descriptor, and later none may be left.
    mediaClock = MediaClock()
    started.open()
    _ = re_main(nil)
    fd_close(wakeUp)
    mediaClock = nil
    re_thread_close()
    stopped.open()
  }

  private func drain() {
    var count: UInt64 = 0
    _ = read(wakeUp, &count, 8)
    for _ in 0..<LoopThread.rounds {
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
        case .job(let job): if let executor { job.runSynchronously(on: executor) }
        case .body(let body): body()
        }
      }
      running.removeAll(keepingCapacity: true)
    }
    announce()  // packets and timers get their turn
  }
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
