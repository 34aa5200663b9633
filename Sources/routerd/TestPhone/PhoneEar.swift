/// Notices when the agent speaks and when it stops, from its sound.
struct PhoneEar {
  enum Change: Equatable {
    case spoke
    /// How long it spoke, without the silence that ended it.
    case stopped(milliseconds: Int)
  }

  /// Silence that ends a turn: longer than a pause between two sentences.
  static let endSilence = 900
  /// Sound that begins one: longer than a click.
  private static let beginning = 60
  /// Mean square of a frame that is sound: -48 dBFS. An agent's line is silent between its turns, unlike a person's.
  private static let threshold = 130 * 130

  private(set) var isSpeaking = false
  /// Milliseconds of speech in all.
  private(set) var speech = 0
  private var loud = 0
  private var quiet = 0
  private var began = 0
  private var now = 0

  /// Takes the next samples, which last so long.
  mutating func hear(_ samples: some Collection<Int16>, milliseconds: Int) -> Change? {
    now += milliseconds
    let energy = samples.reduce(0) { $0 + Int($1) * Int($1) } / max(1, samples.count)
    if energy > PhoneEar.threshold {
      loud += milliseconds
      quiet = 0
    } else {
      quiet += milliseconds
      if !isSpeaking { loud = 0 }
    }
    if !isSpeaking, loud >= PhoneEar.beginning {
      isSpeaking = true
      began = now - loud
      return .spoke
    }
    if isSpeaking, quiet >= PhoneEar.endSilence {
      isSpeaking = false
      loud = 0
      let length = now - quiet - began
      speech += length
      return .stopped(milliseconds: length)
    }
    return nil
  }
}
