/// Whether new calls can be taken, by how long datagrams waited before we read them (decision 101).
///
/// What waits longer than a limit tells that more comes than is served. New calls are refused then, which costs a
/// fraction of serving them, until the rest is up to date again; whatever belongs to a call is always served. Streams
/// slow their senders down by themselves, but their calls are refused too while datagrams wait.
struct SIPOverload {
  /// Without news from datagrams this long, nothing is known.
  static let memory = Duration.seconds(1)

  private let limit: Duration
  private var until: ContinuousClock.Instant?

  init(limit: Duration) { self.limit = limit }

  /// A datagram was read.
  mutating func read(after waiting: Duration, now: @autoclosure () -> ContinuousClock.Instant) {
    if waiting > limit {
      until = now() + SIPOverload.memory
    } else if until != nil {
      until = nil
    }
  }

  /// Whether a new call must be refused.
  func refuses(now: @autoclosure () -> ContinuousClock.Instant) -> Bool {
    until.map { now() < $0 } ?? false
  }
}
