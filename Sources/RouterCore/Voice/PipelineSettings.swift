/// How a ``SpeechPipeline`` listens and waits; every value may stand in an agent's `providerSettings` too.
public struct PipelineSettings: Sendable, Hashable {
  /// Seconds after which a caller who says nothing is asked again (`silenceTimeout`).
  public var silenceTimeout = 8
  /// How often that is done before the agent says goodbye (`maximumSilences`).
  public var maximumSilences = 3
  /// Milliseconds within which another key belongs to the same number (`interDigitTimeout`).
  public var interDigitTimeout = 2000
  /// Keys that one number can have.
  public var maximumDigits = 32
  /// When a caller's turn begins and ends (`turnDetection`), and the limits that it does not name.
  public var speech = TurnDetector.Limits()
  /// An utterance during the agent's speech of which the recogniser is less sure was no interruption: the agent goes
  /// on with the sentence that was cut.
  public var interruptionConfidence = 0.15
  /// Milliseconds of silence that end the caller's turn (`turnDetection`).
  public var silenceDuration = 500
  /// A model or a synthesiser that gives nothing for so long has failed.
  public var turn = Duration.seconds(20)
  /// What the agent says before it hangs up on silence.
  public var farewell = "I cannot hear you. Goodbye."

  public init() {}

  /// The settings of one agent.
  func merged(with agent: AgentConfiguration) -> PipelineSettings {
    func value(_ key: String, _ range: ClosedRange<Int>, _ otherwise: Int) -> Int {
      agent.providerSettings[key]?.integer.map { min(max($0, range.lowerBound), range.upperBound) }
        ?? otherwise
    }
    var settings = self
    settings.silenceTimeout = value("silenceTimeout", 1...600, silenceTimeout)
    settings.maximumSilences = value("maximumSilences", 0...100, maximumSilences)
    settings.interDigitTimeout = value("interDigitTimeout", 200...30_000, interDigitTimeout)
    settings.silenceDuration = min(max(agent.turnDetection.silenceDuration, 100), 10_000)
    let detection = agent.providerSettings["turnDetection"]
    if let interruption = detection?["interruption_duration_ms"]?.integer {
      settings.speech.minimumInterruption = min(max(interruption, 20), 5000)
    }
    return settings
  }
}

/// Limits of the pipeline that nobody needs to change.
enum PipelineLimit {
  /// A recogniser that gives no result for an utterance has failed.
  static let recognition = Duration.seconds(10)
  /// How long the engine may take to stop the agent's sound when the caller interrupts.
  static let interruption = Duration.milliseconds(500)
  /// How much longer than its sound a turn may take to be played.
  static let playback = Duration.seconds(10)
  /// Characters of one turn; what a model writes beyond is not spoken.
  static let turnText = 16_384
  /// Lines of the transcript that a model is given; older ones are forgotten.
  static let transcript = 400
  /// Announcements that wait for the end of a turn.
  static let announcements = 8
  /// Sound that is made while the phone rings, in milliseconds.
  static let prepared = 30_000
  /// How much sooner than the caller hears it a turn is made: what is cut off was paid for in vain.
  static let ahead = Duration.seconds(60)
  /// The most sound that a text can be, in milliseconds. A calm voice says a letter in 70, a slow one a figure in 500;
  /// what goes on beyond that is no speech.
  static func longestSound(of text: String) -> Int { 10_000 + text.count * 500 }
  /// How often in a row an interrupted turn is taken up again.
  static let resumptions = 3
}
