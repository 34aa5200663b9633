/// Watches over the silence that an agent owes: nothing after the answer or after the caller's turn, a turn that began
/// and gives no sound, sound that is digital silence, a turn that stops in its middle, or one that never ends. Pure.
struct DeadAir: Sendable, Hashable {
  /// What the silence has come to.
  enum Verdict: Hashable, Sendable {
    /// Nothing to do before this time.
    case wait(until: Duration)
    /// The caller should hear a word.
    case word
    /// The agent has failed.
    case failed(String, drop: Bool)
    /// Nothing is owed.
    case nothing
  }

  struct Limits: Hashable, Sendable {
    /// Silence after which the caller hears a word; `nil` is never.
    var word: Duration?
    /// Silence after which an answer counts as missing; `nil` is never.
    var firstAudio: Duration?
    /// The same within a turn that has begun; `nil` is never.
    var silentTurn: Duration?
    var longestTurn: Duration
  }

  /// A look at a turn that goes on, at least so often.
  static let interval = Duration.seconds(2)

  /// What an answer is owed to.
  enum Owed: String, Hashable, Sendable {
    /// The call was answered, or taken over, and the agent is to speak first.
    case beginning = "the answer"
    case caller = "the caller's turn"
    case tool = "a tool's result"
  }

  private struct Due: Hashable {
    var since: Duration
    var toWhat: Owed
  }

  private var due: Due?
  /// The silence is counted from here at the earliest.
  private var earliest = Duration.zero
  private var audible = 0
  /// Whether this silence was bridged with a word already.
  private var wasWordSaid = false

  /// From now on the agent owes sound.
  mutating func expect(_ what: Owed, at now: Duration, _ sound: SoundSoFar) {
    due = Due(since: now, toWhat: what)
    audible = sound.audible
    earliest = now
    wasWordSaid = false
  }

  /// Nothing is owed any more: the caller speaks, or said nothing.
  mutating func release() { due = nil }

  /// A turn is complete: a model that was given a tool's result may have nothing to add.
  mutating func turnEnded() { if due?.toWhat == .tool { due = nil } }

  /// The silence until now does not count: the caller had put us on hold.
  mutating func restart(at now: Duration) { earliest = now }

  /// - Parameter turn: The turn whose sound is not complete, and when it began.
  mutating func look(
    at now: Duration, _ sound: SoundSoFar, turn: (id: TurnID, since: Duration)?, _ limits: Limits
  ) -> Verdict {
    if sound.audible > audible {
      audible = sound.audible
      due = nil
      wasWordSaid = false
    }
    guard due != nil || turn != nil else { return .nothing }
    if let turn, let verdict = endless(turn, sound, limits, at: now) { return verdict }
    let quietSince = max(due?.since ?? turn?.since ?? .zero, sound.audibleUntil, earliest)
    let (word, failure) = deadlines(limits)
    if let failure, now >= quietSince + failure { return .failed(words(turn, failure), drop: false) }
    if let word, !wasWordSaid, now >= quietSince + word {
      wasWordSaid = true
      return .word
    }
    let next = [wasWordSaid ? nil : word, failure].compactMap { $0.map { quietSince + $0 } }.min()
    guard let next else { return turn == nil ? .nothing : .wait(until: now + DeadAir.interval) }
    return .wait(until: turn == nil ? next : min(next, now + DeadAir.interval))
  }

  private func deadlines(_ limits: Limits) -> (word: Duration?, failure: Duration?) {
    (limits.word, due == nil ? limits.silentTurn : limits.firstAudio)
  }

  private func words(_ turn: (id: TurnID, since: Duration)?, _ limit: Duration) -> String {
    let seconds = DeadAir.words(limit)
    if let due { return "no sound for \(seconds) after \(due.toWhat.rawValue)" }
    return "\(turn.map { "\($0.id)" } ?? "the agent") gave no sound for \(seconds)"
  }

  /// `8 s`, `1500 ms`.
  static func words(_ time: Duration) -> String {
    let (seconds, attoseconds) = time.components
    return attoseconds == 0 ? "\(seconds) s" : "\(time / .milliseconds(1)) ms"
  }

  /// A turn that goes on and on, or gives more than anybody could ever hear.
  private func endless(
    _ turn: (id: TurnID, since: Duration), _ sound: SoundSoFar, _ limits: Limits, at now: Duration
  ) -> Verdict? {
    let lasted = now - turn.since
    if lasted >= limits.longestTurn {
      return .failed("\(turn.id) has not ended after \(limits.longestTurn.components.seconds) s", drop: true)
    }
    let ahead = Duration.milliseconds(sound.sent[turn.id] ?? 0) - lasted
    if ahead > .milliseconds(SpeakerLimit.milliseconds) {
      return .failed("\(turn.id) gave \(ahead.components.seconds) s more sound than was played", drop: true)
    }
    return nil
  }
}
