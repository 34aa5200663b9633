internal import RouterCore

/// What the door counts, in series that are looked up once.
struct ReceptionCounters {
  /// How often a log line says that calls are turned away.
  private static let pause = Duration.seconds(1)

  private let metrics: Metrics
  private var results: [String: Metrics.Counter] = [:]
  private var trunks: [String: Metrics.Counter] = [:]
  private var untold: [SIPTurnedAway: (calls: Int, since: ContinuousClock.Instant)] = [:]

  init(_ metrics: Metrics) { self.metrics = metrics }

  /// Invitations by what became of them.
  mutating func invitations(_ result: String) -> Metrics.Counter {
    if let known = results[result] { return known }
    let counter = metrics.counter("routerd_sip_invitations_total", ["result": result])
    results[result] = counter
    return counter
  }

  /// Calls that are up.
  mutating func calls(of trunk: String) -> Metrics.Counter {
    if let known = trunks[trunk] { return known }
    let counter = metrics.counter("routerd_sip_calls", ["trunk": trunk])
    trunks[trunk] = counter
    return counter
  }

  /// How many calls were turned away since the last line about it, when it is time for one.
  mutating func turnAway(_ why: SIPTurnedAway, at now: ContinuousClock.Instant) -> Int? {
    let calls = (untold[why]?.calls ?? 0) + 1
    if let last = untold[why]?.since, now < last + ReceptionCounters.pause {
      untold[why]?.calls = calls
      return nil
    }
    untold[why] = (0, now)
    return calls
  }
}
