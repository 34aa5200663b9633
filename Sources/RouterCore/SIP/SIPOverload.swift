/// Whether new calls can be taken, by how long datagrams waited before we read them (decision 101).
///
/// When all have waited longer than a limit for as long as that limit, more comes than is served. New calls are refused
/// then, which costs a fraction of serving them, until one was read in time again; whatever belongs to a call is always
/// served. A machine that merely paused has read what waited before that. Streams slow their senders down by themselves,
/// but their calls are refused too while datagrams wait.
struct SIPOverload {
  /// Without news from datagrams this long, nothing is known.
  static let memory = Duration.seconds(3)

  private let limit: Duration
  /// Since when all were late, and the last of them.
  private var late: (since: ContinuousClock.Instant, last: ContinuousClock.Instant)?

  init(limit: Duration) { self.limit = limit }

  /// A datagram was read.
  mutating func read(after waiting: Duration, now: @autoclosure () -> ContinuousClock.Instant) {
    if waiting <= limit {
      if late != nil { late = nil }
      return
    }
    let now = now()
    if let late, now - late.last < SIPOverload.memory {
      self.late = (late.since, now)
    } else {
      late = (now, now)
    }
  }

  /// Whether a new call must be refused.
  func refuses(now: @autoclosure () -> ContinuousClock.Instant) -> Bool {
    guard let late else { return false }
    let now = now()
    return now - late.since >= limit && now - late.last < SIPOverload.memory
  }
}
