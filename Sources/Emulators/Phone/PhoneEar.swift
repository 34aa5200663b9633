public import RouterCore

/// Notices when the agent speaks and when it stops, from its sound.
public struct PhoneEar {
  public enum Change: Equatable {
    case spoke
    /// How long it spoke, without the silence that ended it.
    case stopped(milliseconds: Int)
  }

  /// Silence that ends a turn: longer than a pause between two sentences.
  public static let endSilence = 900

  /// Milliseconds of speech in all.
  public private(set) var speech = 0
  private var detector: TurnDetector

  /// An ear that has heard nothing yet.
  public init() {
    var settings = AgentConfiguration.TurnDetection()
    settings.silenceDuration = PhoneEar.endSilence
    var limits = TurnDetector.Limits()
    limits.maximumUtterance = 600_000  // an agent may read a page
    detector = TurnDetector(settings, limits: limits)
  }

  /// Takes the next 20 ms.
  public mutating func hear(_ audio: AudioFrame) -> Change? {
    switch detector.hear(audio) {
    case .started?: return .spoke
    case .ended(let frames, _)?:
      let length = frames * TurnDetector.frame
      speech += length
      return .stopped(milliseconds: length)
    case nil: return nil
    }
  }
}
