internal import RouterCore

/// Delivers what needs no answer, again and again until it is taken or given up.
///
/// Bounded: a webhook that is gone costs at most ``maximumWaiting`` tasks.
final class WebhookDelivery: Sendable {
  /// The first attempt and five more (docs.agentphone.ai, Webhooks).
  static let attempts = 6
  static let maximumWaiting = 1000

  private let http: any HTTPSending
  private let log: Log
  private let pause: Duration
  private let waiting = Lock(0)

  /// - Parameter pause: Before the second attempt; each further one is twice as long.
  init(http: any HTTPSending, log: Log, pause: Duration) {
    self.http = http
    self.log = log
    self.pause = pause
  }

  /// Begins to deliver a request and returns at once. `sign` makes it anew for each attempt: the signature has the time.
  func deliver(_ what: String, _ sign: @escaping @Sendable () -> HTTPRequest) {
    let isFull = waiting.withLock { waiting in
      if waiting >= Self.maximumWaiting { return true }
      waiting += 1
      return false
    }
    if isFull { return log.error("\(what) is not delivered: \(Self.maximumWaiting) others wait") }
    Task {
      await attempt(what, sign)
      waiting.withLock { $0 -= 1 }
    }
  }

  private func attempt(_ what: String, _ sign: @Sendable () -> HTTPRequest) async {
    var pause = pause
    for number in 1...Self.attempts {
      do throws(HTTPError) {
        let status = try await http.send(sign()).status
        if (200...299).contains(status) { return log.debug("\(what) is delivered") }
        log.warning("\(what): attempt \(number) of \(Self.attempts) was answered \(status)")
      } catch {
        if error.kind == .cancelled || error.kind == .closed { return }
        log.warning("\(what): attempt \(number) of \(Self.attempts) failed: \(error.message)")
      }
      guard number < Self.attempts else { break }
      // Nobody cancels this task: it ends with the attempts.
      try? await Task.sleep(for: pause)
      pause *= 2
    }
    log.error("\(what) could not be delivered")
  }
}
