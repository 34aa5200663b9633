internal import RouterCore

/// Hears when the caller speaks, where the server does not (`turn_detection: null`). Pure.
///
/// Only speech goes to the server, with the padding before it: what it got since the last commit is the caller's turn.
struct CallerEar {
  /// Frames that a turn may have begun before it is noticed, besides the padding.
  private static let longestOnset = 50

  private var detector: TurnDetector
  private var history: [AudioFrame] = []
  private let padding: Int

  init(_ detection: AgentConfiguration.TurnDetection) {
    detector = TurnDetector(detection)
    padding = min(max(detection.prefixPadding, 0), 2000) / TurnDetector.frame
  }

  /// While the agent speaks, it takes more to count as speech.
  var isAgentSpeaking: Bool {
    get { detector.isAgentSpeaking }
    set { detector.isAgentSpeaking = newValue }
  }

  /// 20 ms of the caller. Returns what goes to the server, and whether a turn begins or ends.
  mutating func hear(_ audio: AudioFrame) -> (frames: [AudioFrame], change: TurnDetector.Change?) {
    let wasSpeech = detector.isSpeech
    let change = detector.hear(audio)
    if wasSpeech { return ([audio], change) }
    history.append(audio)
    if history.count > padding + CallerEar.longestOnset { history.removeFirst() }
    guard case .started(let framesAgo) = change else { return ([], change) }
    defer { history = [] }
    return (history.suffix(framesAgo + 1 + padding), change)
  }
}
