/// Listens to the caller on the call's media loop: finds utterances and hands their sound to the recogniser.
///
/// A frame costs its level and a lock that nobody else wants; words go on by an event.
final class PipelineEar: Sendable {
  /// What was heard.
  enum Sound: Sendable {
    case started(Int)
    case ended(Int, milliseconds: Int)
  }

  private struct State {
    var detector: TurnDetector
    var isOpen = false
    var utterances = 0
    /// The last frames, as a ring: an utterance begins before it is noticed.
    var history: [AudioFrame] = []
    var oldest = 0
  }

  /// Frames that an utterance can have begun before it is noticed, besides the padding.
  private static let longestOnset = 50

  private let state: Lock<State>
  private let recognition: any RecognitionSession
  private let format: AudioFormat
  private let padding: Int
  private let report: @Sendable (Sound) -> Void

  init(
    _ settings: AgentConfiguration.TurnDetection, _ limits: TurnDetector.Limits,
    _ recognition: any RecognitionSession, _ report: @escaping @Sendable (Sound) -> Void
  ) {
    state = Lock(State(detector: TurnDetector(settings, limits: limits)))
    padding = min(max(settings.prefixPadding, 0), 2000) / TurnDetector.frame
    self.recognition = recognition
    format = recognition.hearingFormat
    self.report = report
  }

  func open() { state.withLock { $0.isOpen = true } }

  func shut() {
    state.withLock { state in
      state.isOpen = false
      state.history = []
    }
  }

  /// While the agent speaks, it takes more to count as speech.
  func setAgentSpeaks(_ speaks: Bool) { state.withLock { $0.detector.isAgentSpeaking = speaks } }

  /// Puts an end to an utterance that nobody wants to hear any more.
  /// - Returns: Its number, if there was one.
  func abandon() -> Int? {
    state.withLock { state in
      guard state.isOpen, state.detector.isSpeech else { return nil }
      state.detector.reset()
      recognition.endUtterance()
      return state.utterances
    }
  }

  /// 20 ms of the caller; another format than the recogniser's is dropped.
  func hear(_ audio: AudioFrame) {
    guard audio.format == format else { return }
    state.withLock { state in
      guard state.isOpen else { return }
      let wasSpeech = state.detector.isSpeech
      let change = state.detector.hear(audio)
      if wasSpeech { recognition.hear(audio) } else { remember(audio, in: &state) }
      switch change {
      case .started(let framesAgo):
        state.utterances += 1
        recall(framesAgo + 1 + padding, of: &state)
        report(.started(state.utterances))
      case .ended(let frames, _):
        recognition.endUtterance()
        report(.ended(state.utterances, milliseconds: frames * TurnDetector.frame))
      case nil: break
      }
    }
  }

  private func remember(_ audio: AudioFrame, in state: inout State) {
    if state.history.count < padding + PipelineEar.longestOnset {
      state.history.append(audio)
    } else {
      state.history[state.oldest] = audio
      state.oldest = (state.oldest + 1) % state.history.count
    }
  }

  /// Gives the recogniser the last frames; they are then forgotten, so that no sound belongs to two utterances.
  private func recall(_ count: Int, of state: inout State) {
    let all = state.history[state.oldest...] + state.history[..<state.oldest]
    for frame in all.suffix(count) { recognition.hear(frame) }
    state.history.removeAll(keepingCapacity: true)
    state.oldest = 0
  }
}
