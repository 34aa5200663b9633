/// Finds where a caller's turn begins and ends, from how loud each 20 ms are. A pure value.
///
/// Speech is what stands out of the noise. The noise is the least that was heard within the last two seconds: speech
/// has gaps that short, so the estimate needs no decision about speech first and cannot lock itself out (minimum
/// statistics, R. Martin 2001, in its simplest form). A noise that sets in suddenly passes for speech until it is two
/// seconds old; a turn never lasts longer than ``Limits/maximumUtterance``.
public struct TurnDetector: Sendable {
  /// What a frame changed.
  public enum Change: Hashable, Sendable {
    /// A turn began, so many frames before this one.
    case started(framesAgo: Int)
    /// It is over. - Parameter frames: How long it was, without the silence that ended it.
    case ended(frames: Int, EndReason)
  }

  /// Why a turn is over.
  public enum EndReason: Hashable, Sendable {
    case silence
    /// It reached ``Limits/maximumUtterance``; what follows is a new turn.
    case tooLong
  }

  /// Durations in milliseconds that the agent's `turnDetection` does not name.
  public struct Limits: Hashable, Sendable {
    /// Sound that is shorter is a click.
    public var minimumSpeech = 80
    /// While the agent speaks, sound that is shorter is a cough or an "mhm", and no reason to stop.
    public var minimumInterruption = 240
    /// A turn that is longer is ended.
    public var maximumUtterance = 30_000
    public init() {}
  }

  /// Length of a frame in milliseconds.
  public static let frame = 20

  /// Whether the agent is speaking: the caller must then be clearer and longer to count.
  public var isAgentSpeaking = false
  /// Whether a turn is going on.
  public private(set) var isSpeech = false

  private let margin: Double
  private let silenceFrames: Int
  private let limits: Limits
  private var noise = NoiseFloor()
  /// Frames that stood out, less those that did not, since sound set in.
  private var evidence = 0
  private var framesSinceOnset = 0
  private var quietFrames = 0
  private var loudFrames = 0
  private var speechFrames = 0

  /// - Parameter settings: `threshold` 0…1 becomes 3 to 11 dB over the noise; `silence_duration_ms` is taken between
  ///   100 and 10,000.
  public init(_ settings: AgentConfiguration.TurnDetection = .init(), limits: Limits = .init()) {
    let threshold = settings.threshold.isNaN ? 0.5 : min(max(settings.threshold, 0), 1)
    margin = 3 + 8 * threshold
    silenceFrames = min(max(settings.silenceDuration, 100), 10_000) / TurnDetector.frame
    self.limits = limits
  }

  /// Listens to 20 ms in any format.
  public mutating func hear(_ audio: AudioFrame) -> Change? { hear(decibels: SpeechLevel.decibels(audio)) }

  /// Forgets a turn that is going on; what it knows of the noise stays.
  public mutating func reset() {
    isSpeech = false
    evidence = 0
  }

  /// Listens to 20 ms by their level, in decibels below full scale.
  mutating func hear(decibels level: Double) -> Change? {
    noise.hear(level)
    guard let floor = noise.level else { return nil }
    return isSpeech ? goOn(level - floor) : lookForOnset(level - floor)
  }

  private mutating func lookForOnset(_ height: Double) -> Change? {
    if evidence > 0 { framesSinceOnset += 1 }
    // Our own voice comes back from many telephones, faintly.
    if height > margin + (isAgentSpeaking ? 3 : 0) {
      if evidence == 0 { framesSinceOnset = 0 }
      evidence += 1
    } else {
      evidence = max(0, evidence - 1)
    }
    let needed = isAgentSpeaking ? limits.minimumInterruption : limits.minimumSpeech
    guard evidence * TurnDetector.frame >= max(needed, TurnDetector.frame) else { return nil }
    isSpeech = true
    evidence = 0
    quietFrames = 0
    loudFrames = 0
    speechFrames = framesSinceOnset + 1
    return .started(framesAgo: framesSinceOnset)
  }

  private mutating func goOn(_ height: Double) -> Change? {
    speechFrames += 1
    // Hysteresis: words fade out lower than they begin. A click in the silence does not start it anew.
    if height > max(2, margin - 3) {
      loudFrames += 1
      if loudFrames >= 2 { quietFrames = 0 } else { quietFrames += 1 }
    } else {
      loudFrames = 0
      quietFrames += 1
    }
    if quietFrames >= silenceFrames { return end(.silence, frames: speechFrames - quietFrames) }
    if speechFrames * TurnDetector.frame >= limits.maximumUtterance {
      return end(.tooLong, frames: speechFrames)
    }
    return nil
  }

  private mutating func end(_ reason: EndReason, frames: Int) -> Change {
    isSpeech = false
    evidence = 0
    return .ended(frames: frames, reason)
  }
}

/// The level of the background noise: the least that was heard lately.
struct NoiseFloor: Sendable {
  /// A floor below this would make the faintest crackle stand out (digital silence, comfort noise).
  static let lowest = -62.0
  /// A floor above this would make ordinary speech vanish in it.
  static let highest = -25.0
  /// Frames that are only listened to, at the start.
  private static let calibration = 10
  /// The last two seconds are kept as eight blocks, so that one frame costs one comparison.
  private static let blockFrames = 12
  private static let blocks = 8

  /// `nil` until there is enough to go by.
  private(set) var level: Double?

  private var minima: [Double] = []
  private var current = Double.infinity
  private var frames = 0
  private var smoothed: Double?

  mutating func hear(_ decibels: Double) {
    // Single frames of noise scatter by half a decibel; the mean of a few less.
    let smooth = smoothed.map { $0 + 0.4 * (decibels - $0) } ?? decibels
    smoothed = smooth
    current = min(current, smooth)
    frames += 1
    if frames % NoiseFloor.blockFrames == 0 {
      minima.append(current)
      if minima.count > NoiseFloor.blocks { minima.removeFirst() }
      current = smooth
    }
    guard frames >= NoiseFloor.calibration else { return }
    let least = min(current, minima.min() ?? current)
    // The least of a hundred frames lies about a decibel below their mean.
    level = min(max(least + 1, NoiseFloor.lowest), NoiseFloor.highest)
  }
}
