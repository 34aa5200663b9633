/// Measures how long each answer takes, from what is told of it. Pure; times are those of the engine's clock.
struct LatencyClock: Sendable {
  enum Point: Sendable { case firstToken, firstPacket }

  /// The times of one turn.
  struct Waterfall: Sendable, Hashable {
    var turn: TurnID
    var callerStopped: Duration?
    var turnDetected: Duration?
    var firstToken: Duration?
    var firstAudio: Duration?
    var firstPacket: Duration?
  }

  /// Turns that are measured at once.
  static let maximum = 8

  private var turns: [Waterfall] = []
  /// The caller's turn that no answer has begun to yet.
  private var question: (stopped: Duration?, detected: Duration?) = (nil, nil)
  /// Turns up to this one are not measured any more.
  private var newest = TurnID(0)

  mutating func callerStopped(at time: Duration) { question = (time, nil) }

  mutating func turnDetected(at time: Duration) {
    // One that was told of before another turn of the caller is not the stop of this one.
    if question.detected != nil { question.stopped = nil }
    question.detected = time
  }

  /// What the caller did was no turn: the agent's next one answers nothing.
  mutating func wasNothing() { question = (nil, nil) }

  /// A turn of the session begins; it answers what the caller said last.
  mutating func began(_ turn: TurnID) {
    guard turn > newest else { return }
    newest = turn
    turns.append(Waterfall(turn: turn, callerStopped: question.stopped, turnDetected: question.detected))
    question = (nil, nil)
    if turns.count > LatencyClock.maximum { turns.removeFirst() }
  }

  /// Notes a time, the first of its kind.
  mutating func reach(_ point: Point, of turn: TurnID, at time: Duration) {
    began(turn)
    guard let index = turns.firstIndex(where: { $0.turn == turn }) else { return }
    switch point {
    case .firstToken: turns[index].firstToken = turns[index].firstToken ?? time
    case .firstPacket: turns[index].firstPacket = turns[index].firstPacket ?? time
    }
  }

  /// Notes the last time of a turn.
  /// - Returns: All its times.
  mutating func reached(
    _ point: Point, of turn: TurnID, at time: Duration, _ sound: SoundSoFar
  ) -> [Waterfall] {
    guard !turn.isInterjection else { return [] }
    reach(point, of: turn, at: time)
    guard let index = turns.firstIndex(where: { $0.turn == turn }) else { return [] }
    return [complete(turns.remove(at: index), sound)]
  }

  /// Answers that were begun and never heard.
  mutating func unfinished(_ sound: SoundSoFar) -> [Waterfall] {
    defer { turns = [] }
    return turns.filter { $0.turnDetected != nil }.map { complete($0, sound) }
  }

  private func complete(_ waterfall: Waterfall, _ sound: SoundSoFar) -> Waterfall {
    var waterfall = waterfall
    waterfall.firstAudio = sound.firstSound[waterfall.turn]
    // A model whose sound comes at once has no other first token.
    if let audio = waterfall.firstAudio, audio < waterfall.firstToken ?? audio + .seconds(1) {
      waterfall.firstToken = audio
    }
    return waterfall
  }
}
