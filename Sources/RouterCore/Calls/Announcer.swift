/// Speaks the engine's own words with a synthesiser that depends on no backend, and keeps their sound.
final class Announcer: Sendable {
  /// Phrases whose sound is kept.
  static let maximumKept = 64
  /// How long a phrase may be in the making; the caller waits meanwhile.
  static let deadline = Duration.seconds(4)
  /// Milliseconds of one phrase.
  static let longest = 30_000

  private struct Key: Hashable {
    var text: String
    var language: String
  }

  private let synthesizer: any SpeechSynthesizer
  private let deadlines: Deadlines
  private let kept = Lock<[Key: [AudioFrame]]>([:])

  init(_ synthesizer: any SpeechSynthesizer, _ deadlines: Deadlines) {
    self.synthesizer = synthesizer
    self.deadlines = deadlines
  }

  /// The sound of a phrase, in the language or, when the synthesiser does not speak that, in English.
  /// - Returns: The words that are really said, and no sound of them when it cannot be had in time.
  func sound(
    of phrase: Phrase, language: String?, _ settings: EngineSettings
  ) async -> (text: String, frames: [AudioFrame]) {
    var (text, tag) = phrase.words(language, settings)
    if !synthesizer.speaks(tag) { (text, tag) = phrase.words("en", settings) }
    let key = Key(text: text, language: tag)
    if let frames = kept.withLock({ $0[key] }) { return (text, frames) }
    let made = Lock<[AudioFrame]>([])
    let isWhole = Lock(false)
    _ = await deadlines.bounded(Announcer.deadline) { [synthesizer, text, tag] in
      do {
        var milliseconds = 0
        for try await frame in synthesizer.speak(SynthesisRequest(text: text, language: tag)) {
          made.withLock { $0.append(frame) }
          milliseconds += frame.milliseconds
          if milliseconds >= Announcer.longest { break }
        }
        isWhole.withLock { $0 = true }
      } catch {}  // then the caller hears what there is: an announcement is a courtesy
    }
    let frames = made.withLock { $0 }
    if isWhole.withLock({ $0 }), !frames.isEmpty {
      kept.withLock { kept in if kept.count < Announcer.maximumKept { kept[key] = frames } }
    }
    return (text, frames)
  }
}
