internal import Glibc
internal import RouterCore

/// Lines on their way to one client: made by tasks, written by the client's thread.
final class ControlReply: @unchecked Sendable {
  /// Lines that may wait; a client that reads more slowly than events come loses the oldest.
  static let maximumWaiting = 1024

  private var mutex = pthread_mutex_t()
  private var condition = pthread_cond_t()
  private var waiting: [String] = []  // under the mutex, as all below
  private var isFinished = false
  private var isAbandoned = false

  init() {
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&condition, nil)
  }

  deinit {
    pthread_cond_destroy(&condition)
    pthread_mutex_destroy(&mutex)
  }

  /// Sends an event. Returns whether the client is still there.
  @discardableResult
  func event(_ value: JSONValue) -> Bool {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    guard !isFinished, !isAbandoned else { return false }
    if waiting.count >= ControlReply.maximumWaiting { waiting.removeFirst() }
    waiting.append(ControlReply.text(.event(value)))
    pthread_cond_signal(&condition)
    return true
  }

  /// Sends the last line.
  func finish(_ line: ControlLine) {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    guard !isFinished else { return }
    isFinished = true
    waiting.append(ControlReply.text(line))
    pthread_cond_signal(&condition)
  }

  /// The client is gone: what comes from now on falls to nothing.
  func abandon() {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    isAbandoned = true
    waiting.removeAll()
  }

  /// For the client's thread: the lines that wait; none after a second without any; `nil` after the last one.
  func next() -> [String]? {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    if waiting.isEmpty, !isFinished {
      var deadline = timespec()
      clock_gettime(CLOCK_REALTIME, &deadline)
      deadline.tv_sec += 1
      pthread_cond_timedwait(&condition, &mutex, &deadline)
    }
    if waiting.isEmpty, isFinished { return nil }
    defer { waiting.removeAll(keepingCapacity: true) }
    return waiting
  }

  /// A line as it is written; one that cannot be, or is too long for its reader, becomes a failure.
  static func text(_ line: ControlLine) -> String {
    do {
      let text = try JSON.encode(line)
      if text.utf8.count <= ControlLine.maximumBytes { return text }
      return
        "{\"failure\":{\"code\":1,\"message\":\"the answer is longer than \(ControlLine.maximumBytes) bytes\"}}"
    } catch {
      return "{\"failure\":{\"code\":70,\"message\":\"the answer cannot be written as JSON\"}}"
    }
  }
}
