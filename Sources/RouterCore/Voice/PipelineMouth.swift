/// What a pipeline speaks into: lets sound of the turn that is being made through, and keeps the greeting until the
/// call is answered.
final class PipelineMouth: Sendable {
  private struct State {
    var isOpen = false
    var turn: TurnID?
    var kept: [(audio: AudioFrame, turn: TurnID)] = []
    var keptMilliseconds = 0
    /// When the caller began to hear the turn, and how much of it was handed over since.
    var playing: (turn: TurnID, since: Duration, milliseconds: Int)?

    mutating func count(_ audio: AudioFrame, _ turn: TurnID, at now: Duration) {
      if playing?.turn != turn { playing = (turn, now, 0) }
      playing?.milliseconds += audio.milliseconds
    }
  }

  private let state = Lock(State())
  private let opened = OneShot<Bool>()
  private let speaker: any Speaker
  private let timebase: Timebase

  init(_ speaker: any Speaker, _ timebase: Timebase) {
    self.speaker = speaker
    self.timebase = timebase
  }

  /// From now on this turn's sound is let through, and no other.
  func begin(_ turn: TurnID) { state.withLock { $0.turn = turn } }

  /// Speaks. When ``silence(_:)`` has returned, nothing of that turn follows.
  /// - Returns: `false` when the turn is not wanted any more.
  func play(_ audio: AudioFrame, _ turn: TurnID) -> Bool {
    state.withLock { state in
      guard state.turn == turn else { return false }
      if state.isOpen {
        speaker.play(audio, turn: turn)
        state.count(audio, turn, at: timebase.now())
      } else {
        state.kept.append((audio, turn))
        state.keptMilliseconds += audio.milliseconds
      }
      return true
    }
  }

  /// Stops a turn, and drops what was kept of it.
  func silence(_ turn: TurnID) {
    state.withLock { state in
      if state.turn == turn { state.turn = nil }
      state.kept.removeAll { $0.turn == turn }
    }
  }

  /// The call was answered: speaks what was kept.
  func open() {
    state.withLock { state in
      state.isOpen = true
      for (audio, turn) in state.kept {
        speaker.play(audio, turn: turn)
        state.count(audio, turn, at: timebase.now())
      }
      state.kept = []
    }
    opened.resolve(true)
  }

  /// Nothing is spoken any more.
  func shut() {
    state.withLock { state in
      state.turn = nil
      state.kept = []
    }
    opened.resolve(false)
  }

  /// Waits for the answer when enough was made in advance. Only the task of the greeting may call it.
  func waitIfFull() async {
    let isFull = state.withLock { !$0.isOpen && $0.keptMilliseconds >= PipelineLimit.prepared }
    if isFull { _ = await opened.value(cancelled: false) }
  }

  /// Waits a little when the caller is far behind what was made of the turn.
  /// - Returns: Whether it has waited; it may then be asked again.
  func waitIfAhead(_ turn: TurnID) async throws -> Bool {
    let ahead = state.withLock { state -> Duration in
      guard let playing = state.playing, playing.turn == turn else { return .zero }
      return .milliseconds(playing.milliseconds) - (timebase.now() - playing.since)
    }
    guard ahead > PipelineLimit.ahead else { return false }
    try await timebase.sleep(min(ahead - PipelineLimit.ahead, .seconds(5)))
    return true
  }
}
