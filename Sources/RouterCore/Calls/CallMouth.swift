/// The mouth of a call: takes audio from the one session that has the call, and counts it.
///
/// A session is opened before there is media and may go on after it was given up; what it says then is dropped here.
final class CallMouth: Sendable {
  private struct State {
    var media: (any CallMedia)?
    var attempt = 0
    var sent: [TurnID: Int] = [:]
  }

  /// Turns whose audio is counted; the oldest goes first.
  static let countedTurns = 8

  private let state = Lock(State())

  fileprivate func play(_ audio: AudioFrame, _ turn: TurnID, from attempt: Int) {
    let media = state.withLock { state -> (any CallMedia)? in
      guard state.attempt == attempt, let media = state.media else { return nil }
      state.sent[turn, default: 0] += audio.milliseconds
      if state.sent.count > CallMouth.countedTurns, let oldest = state.sent.keys.min() {
        state.sent[oldest] = nil
      }
      return media
    }
    media?.play(audio, turn: turn)
  }

  /// Milliseconds of audio that passed, by turn.
  var sent: [TurnID: Int] { state.withLock { $0.sent } }

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

/// What one session speaks into.
struct SpeakerGate: Speaker {
  let mouth: CallMouth
  let attempt: Int

  func play(_ audio: AudioFrame, turn: TurnID) { mouth.play(audio, turn, from: attempt) }
}
