/// The deadlines of one call, by what they are for. A pure value: somebody else watches the clock.
struct TimerSet: Sendable {
  enum Timer: Hashable, Sendable {
    /// Nobody is ready yet: tell the caller's network that it rings.
    case ring
    /// An agent took too long to be ready.
    case open
    /// The caller waited too long for the answer.
    case ringing
    /// The leg took too long to answer.
    case answer
    /// An answered call was without an agent for too long.
    case noAgent
    case maximumDuration
    /// Sound that is owed did not come.
    case silentTurn
    /// The call is between two agents for so long that the caller should hear a word.
    case switchWord
    /// No more keys came: those before are a line.
    case keys
    /// The last words took too long.
    case goodbye
    case transfer
    case tool(String)
    /// A tool runs, and nobody has said a word since.
    case filler
  }

  private var timers: [(timer: Timer, at: Duration)] = []

  /// The earliest deadline.
  var next: Duration? { timers.lazy.map(\.at).min() }

  /// Sets a timer, in the place of an earlier one for the same.
  mutating func set(_ timer: Timer, at deadline: Duration) {
    clear(timer)
    timers.append((timer, deadline))
  }

  mutating func clear(_ timer: Timer) { timers.removeAll { $0.timer == timer } }

  func contains(_ timer: Timer) -> Bool { timers.contains { $0.timer == timer } }

  mutating func clearAll() { timers.removeAll() }

  /// Takes one timer out that is due, the earliest first.
  mutating func popDue(at now: Duration) -> Timer? {
    guard let first = timers.indices.min(by: { timers[$0].at < timers[$1].at }), timers[first].at <= now
    else { return nil }
    return timers.remove(at: first).timer
  }
}
