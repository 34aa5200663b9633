internal import RouterCore

/// The stories about sound.
extension Scene {
  /// So much sound that no channel plays it before the story goes on.
  private static let longSpeech = 20_000

  private func sound(milliseconds: Int) -> AudioFrame {
    AudioFrame(.muLaw, bytes: [UInt8](repeating: 0x2A, count: 8 * milliseconds))
  }

  func hearing(_ findings: inout Findings) async throws {
    let (caller, near, media) = try await answered()
    for format in [AudioFormat.linear16(16000), .muLaw, .linear16(24000)] {
      let frames = Journal<AudioFrame>()
      media.hear(as: format) { frames.note($0) }
      let spoke = Task { try await caller.speak(milliseconds: 200) }
      try await frames.first(after: 4, within: patience, "five frames of \(format)") { _ in true }
      _ = try await spoke.value
      let odd = frames.events.first { $0.format != format || $0.milliseconds != 20 }
      findings.expect(
        odd == nil, "the caller is heard in frames of 20 ms in the format that was asked for",
        "\(odd?.milliseconds ?? 0) ms in \(String(describing: odd?.format))")
    }
    let first = Journal<AudioFrame>()
    media.hear(as: .muLaw) { first.note($0) }
    let second = Journal<AudioFrame>()
    media.hear(as: .muLaw) { second.note($0) }
    let count = first.events.count
    let spoke = Task { try await caller.speak(milliseconds: 200) }
    try await second.first(after: 4, within: patience, "frames for the second listener") { _ in true }
    _ = try await spoke.value
    findings.expect(
      first.events.count <= count + 1, "a second listener takes the place of the first",
      "the first heard \(first.events.count - count) frames more")
    try await finish(near)
  }

  func playing(_ findings: inout Findings) async throws {
    let (_, near, media) = try await answered()
    for turn in [TurnID(1), TurnID(2)] {
      media.play(sound(milliseconds: 100), turn: turn)
      media.play(sound(milliseconds: 60), turn: turn)
      media.endTurn(turn)
      try await near.events.wait(for: .playbackEnded(turn), within: patience)
    }
    let told = near.events.events.filter { event in
      switch event {
      case .playbackStarted, .playbackEnded: true
      default: false
      }
    }
    let expected: [LegEvent?] = [
      .playbackStarted(TurnID(1)), .playbackEnded(TurnID(1)), .playbackStarted(TurnID(2)),
      .playbackEnded(TurnID(2)),
    ]
    findings.expect(told == expected, "a turn's beginning and end are told, each once", "\(told)")
    try await finish(near)
  }

  /// Milliseconds until the caller heard nothing any more. Told, and never asserted: this machine may be busy.
  private func silence(
    _ caller: any ChannelCaller, since cut: ContinuousClock.Instant
  ) async throws -> Int? {
    guard var last = await caller.lastSound() else { return nil }
    for _ in 0..<20 {
      try await Task.sleep(for: .milliseconds(100))
      guard let next = await caller.lastSound(), next != last else { break }
      last = next
    }
    let (seconds, attoseconds) = (last - cut).components
    return max(0, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
  }

  func flush(_ findings: inout Findings) async throws {
    let (caller, near, media) = try await answered()
    media.play(sound(milliseconds: Scene.longSpeech), turn: TurnID(1))
    media.endTurn(TurnID(1))
    try await near.events.wait(for: .playbackStarted(TurnID(1)), within: patience)
    // So much is on its way that a flush has something to stop.
    for _ in 0..<100 where caller.listens {
      if await caller.lastSound() != nil { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    let cut = ContinuousClock.now
    let played = media.flush()
    if let silence = try await silence(caller, since: cut) { tell("a flush was silence after \(silence) ms") }
    findings.expect(played.turn == TurnID(1), "a flush names the turn that was playing", "\(played)")
    findings.expect(
      (0..<Scene.longSpeech).contains(played.milliseconds), "a flush tells how much was heard", "\(played)")
    findings.expect(media.flush().turn == nil, "a second flush finds nothing", "it found something")
    // Late, from a session that does not know of the flush yet.
    media.play(sound(milliseconds: Scene.longSpeech), turn: TurnID(1))
    media.play(sound(milliseconds: 60), turn: TurnID(2))
    media.endTurn(TurnID(2))
    // Had the late sound been taken, the next turn would come far later than anybody waits.
    try await near.events.wait(for: .playbackEnded(TurnID(2)), within: min(patience, .seconds(15)))
    findings.expect(
      !near.events.events.contains(.playbackEnded(TurnID(1))), "a turn that was flushed does not end",
      "it did")
    try await finish(near)
  }
}
