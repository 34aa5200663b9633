/// What observers see while it happens: partial words, keys in a row, how long answers take.
extension CallMachine {
  /// Keys within this time are one line.
  static let keyPause = Duration.seconds(2)
  /// Keys of one line.
  static let maximumKeys = 64
  /// Characters of a line that is not finished; the last ones.
  static let partialCharacters = 1000

  /// The caller said something. Its line stands where the words began, not where somebody had written them down.
  mutating func heard(_ text: String, _ confidence: Double?, _ isFinal: Bool, at now: Duration)
    -> [CallAction]
  {
    let began = milliseconds(utteranceBegan ?? now)
    if isFinal { utteranceBegan = nil }
    if text.isEmpty {
      if isFinal {
        deadAir.release()
        latency.wasNothing()
      }
      return []
    }
    let entry = TranscriptEntry(.caller, .speech, text, at: began, confidence: confidence)
    if !isFinal { return [.partial(clipped(entry))] }
    hasWords = true
    return perform(turns.settle(), at: now) + [.transcript(entry)] + worked(.recognizer)
  }

  /// What the agent has said so far of a turn.
  mutating func partial(_ turn: TurnID) -> [CallAction] {
    guard let words = turns.words(of: turn), !words.text.isEmpty else { return [] }
    hasWords = true
    let entry = TranscriptEntry(.agent, .speech, words.text, at: milliseconds(words.startedAt), turn: turn)
    return [.partial(clipped(entry))]
  }

  private func clipped(_ entry: TranscriptEntry) -> TranscriptEntry {
    var entry = entry
    if entry.text.utf8.count > CallMachine.partialCharacters {
      entry.text = "…" + entry.text.suffix(CallMachine.partialCharacters)
    }
    return entry
  }

  // MARK: Keys

  mutating func press(_ key: Character, at now: Duration) {
    if keys.text.isEmpty { keys.since = now }
    keys.text.append(key)
    timers.set(.keys, at: now + CallMachine.keyPause)
  }

  /// Writes the keys that were pressed, when they are complete or another line follows them.
  mutating func withKeys(_ actions: [CallAction], at now: Duration) -> [CallAction] {
    guard !keys.text.isEmpty else { return actions }
    let isNeeded = actions.contains { action in
      switch action {
      case .transcript, .open, .finish, .runTool: true
      default: false
      }
    }
    let isComplete = !timers.contains(.keys) || keys.text.count >= CallMachine.maximumKeys
    guard isNeeded || isComplete else { return actions }
    let entry = TranscriptEntry(.caller, .digits, keys.text, at: milliseconds(keys.since))
    keys.text = ""
    hasWords = true
    timers.clear(.keys)
    return [.transcript(entry)] + actions
  }

  // MARK: Latency

  func timing(_ waterfalls: [LatencyClock.Waterfall]) -> [CallAction] {
    let agent = agent?.name
    return waterfalls.map { waterfall in
      .timing(
        TurnTiming(
          turn: waterfall.turn, agent: agent,
          callerStopped: waterfall.callerStopped.map(milliseconds),
          turnDetected: waterfall.turnDetected.map(milliseconds),
          firstToken: waterfall.firstToken.map(milliseconds),
          firstAudio: waterfall.firstAudio.map(milliseconds),
          firstPacket: waterfall.firstPacket.map(milliseconds)))
    }
  }

  // MARK: Lines

  func line(
    _ speaker: TranscriptEntry.Speaker, _ kind: TranscriptEntry.Kind, _ text: String, at now: Duration,
    confidence: Double? = nil
  ) -> CallAction {
    .transcript(TranscriptEntry(speaker, kind, text, at: milliseconds(now), confidence: confidence))
  }

  /// Milliseconds since the answer.
  func milliseconds(_ now: Duration) -> Int {
    guard let answeredAt else { return 0 }
    let (seconds, attoseconds) = (now - answeredAt).components
    return max(0, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
  }

  func entry(_ line: TurnMachine.Line) -> TranscriptEntry {
    TranscriptEntry(
      line.turn.isInterjection ? .system : .agent, .speech, line.text, at: milliseconds(line.startedAt),
      turn: line.turn,
      wasInterrupted: line.wasInterrupted)
  }

  /// Only the lines of what the turns ask for.
  func lines(_ actions: [TurnMachine.Action]) -> [CallAction] {
    actions.compactMap { if case .line(let line) = $0 { .transcript(entry(line)) } else { nil } }
  }
}
