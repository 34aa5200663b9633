/// The mouth of a call: takes audio from the one session that has the call, and counts it.
///
/// A session is opened before there is media and may go on after it was given up; what it says then is dropped here.
final class CallMouth: Sendable {
  private struct State {
    var media: (any CallMedia)?
    var attempt = 0
    var sound = SoundSoFar()
    /// The turn that is speaking, and what it gave that is not in `sound` yet: a dictionary would cost each frame a hash.
    var speaking: TurnID?
    var uncounted = 0
    var hasSounded = false

    mutating func settle() {
      if let speaking, uncounted > 0 { sound.count(uncounted, of: speaking, limit: CallMouth.countedTurns) }
      uncounted = 0
    }

    mutating func speaks(_ turn: TurnID) {
      if turn == speaking { return }
      settle()
      speaking = turn
      hasSounded = sound.firstSound[turn] != nil
    }
  }

  /// Turns whose audio is counted; the oldest goes first.
  static let countedTurns = 8

  private let state = Lock(State())
  private let now: @Sendable () -> Duration

  /// - Parameter now: The engine's clock.
  init(now: @escaping @Sendable () -> Duration) { self.now = now }

  fileprivate func play(_ audio: AudioFrame, _ turn: TurnID, from attempt: Int) {
    let isSilent = audio.isDigitalSilence
    let media = state.withLock { state -> (any CallMedia)? in
      guard state.attempt == attempt, let media = state.media else { return nil }
      let length = audio.milliseconds
      state.speaks(turn)
      state.uncounted += length
      if !isSilent {
        let now = now()
        if !state.hasSounded {
          state.settle()
          state.sound.firstSound[turn] = now
          state.hasSounded = true
        }
        state.sound.audible += length
        state.sound.audibleUntil = max(state.sound.audibleUntil, now) + .milliseconds(length)
      }
      return media
    }
    media?.play(audio, turn: turn)
  }

  /// Says words of the engine's own.
  /// - Returns: How long they are.
  func interject(_ frames: [AudioFrame], _ turn: TurnID, to media: any CallMedia) -> Int {
    let length = frames.reduce(0) { $0 + $1.milliseconds }
    state.withLock { state in
      state.settle()
      state.sound.count(length, of: turn, limit: CallMouth.countedTurns)
    }
    for frame in frames { media.play(frame, turn: turn) }
    return length
  }

  /// What passed.
  var sound: SoundSoFar {
    state.withLock { state in
      state.settle()
      return state.sound
    }
  }

  /// Nothing waits to be played any more.
  func flushed() { state.withLock { $0.sound.audibleUntil = now() } }

  /// From now on the session of this attempt is heard, and no other.
  func open(for attempt: Int, to media: any CallMedia) {
    state.withLock { state in
      state.attempt = attempt
      state.media = media
    }
  }

  /// Nobody is heard any more, if it was this session.
  func shut(_ attempt: Int) {
    state.withLock { state in
      if state.attempt == attempt { state.media = nil }
    }
  }
}

extension SoundSoFar {
  fileprivate mutating func count(_ length: Int, of turn: TurnID, limit: Int) {
    sent[turn, default: 0] += length
    if sent.count > limit, let oldest = sent.keys.min() {
      sent[oldest] = nil
      firstSound[oldest] = nil
    }
  }
}

/// What one session speaks into.
struct SpeakerGate: Speaker {
  let mouth: CallMouth
  let attempt: Int

  func play(_ audio: AudioFrame, turn: TurnID) { mouth.play(audio, turn, from: attempt) }
}
