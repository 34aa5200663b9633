internal import FoundationEssentials
internal import Glibc
internal import RouterCore

/// Takes log events from any thread and writes them from a thread of its own, so that a slow terminal or a full pipe
/// never holds up an event loop. What does not fit into the queue is counted and told.
final class LogWriter: @unchecked Sendable {
  /// Events that may wait.
  static let maximumWaiting = 8192
  /// Microseconds that lines gather before they are written: one change of threads for all of them, not one for each.
  private static let gathering: UInt32 = 10_000

  private let form: LogForm
  private let isColoured: Bool
  private let descriptor: Int32
  private var limiter: LogLimiter  // only on the thread, as the next one
  private var lines: [UInt8] = []

  private var mutex = pthread_mutex_t()
  private var condition = pthread_cond_t()
  private var waiting: [LogEvent] = []  // under the mutex, as all below
  private var dropped = 0
  private var isWriting = false
  /// Whether the thread sleeps and has to be woken.
  private var isIdle = false
  private var isClosed = false

  /// - Parameter isColoured: `nil` colours on a terminal only, and not with `NO_COLOR`.
  init(_ form: LogForm, to descriptor: Int32 = 2, isColoured: Bool? = nil, limiter: LogLimiter = LogLimiter())
  {
    self.form = form
    self.descriptor = descriptor
    self.isColoured = isColoured ?? Terminal.isColoured(descriptor)
    self.limiter = limiter
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&condition, nil)
    detachThread { self.serve() }
  }

  /// A log that writes here.
  func log(level: LogLevel) -> Log { Log(label: "routerd", level: level) { event in self.accept(event) } }

  private func accept(_ event: LogEvent) {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    guard waiting.count < LogWriter.maximumWaiting else {
      dropped += 1
      return
    }
    waiting.append(event)
    if isIdle {
      isIdle = false
      pthread_cond_broadcast(&condition)  // not only the thread: somebody may wait in flush()
    }
  }

  /// Waits until everything is written, at most as long as the reader of the log takes.
  func flush() {
    pthread_mutex_lock(&mutex)
    while isWriting || !waiting.isEmpty { pthread_cond_wait(&condition, &mutex) }
    pthread_mutex_unlock(&mutex)
  }

  private func serve() {
    while true {
      let (events, dropped) = next()
      lines.removeAll(keepingCapacity: lines.capacity < 1 << 20)
      for event in events {
        let (isAdmitted, reports) = limiter.admit(event)
        for report in reports { add(report) }
        if isAdmitted { add(event) }
      }
      for report in limiter.expire(Date().timeIntervalSinceReferenceDate) { add(report) }
      if dropped > 0 {
        add(
          LogEvent(
            date: Date(), level: .warning, label: "log",
            message: "dropped \(dropped) lines: the log is read too slowly"))
      }
      lines.withUnsafeBytes { Terminal.write($0, to: descriptor) }
    }
  }

  /// Waits for events; wakes up once a second without any, so that reports of suppressed lines are not late.
  private func next() -> ([LogEvent], Int) {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    isWriting = false
    if waiting.isEmpty {
      pthread_cond_broadcast(&condition)  // whoever waits in flush()
      var deadline = timespec()
      clock_gettime(CLOCK_REALTIME, &deadline)
      deadline.tv_sec += 1
      isIdle = true
      pthread_cond_timedwait(&condition, &mutex, &deadline)
      isIdle = false
    }
    isWriting = true
    if !waiting.isEmpty {
      pthread_mutex_unlock(&mutex)
      usleep(LogWriter.gathering)
      pthread_mutex_lock(&mutex)
    }
    defer {
      waiting.removeAll(keepingCapacity: true)
      dropped = 0
    }
    return (waiting, dropped)
  }

  private func add(_ event: LogEvent) { LogLine.append(event, form, isColoured: isColoured, to: &lines) }
}
