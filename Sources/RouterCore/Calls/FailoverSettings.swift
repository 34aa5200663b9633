/// The `failover:` part of the `engine:` section: when a silent backend is given up, and what the caller hears
/// meanwhile.
public struct FailoverSettings: Sendable, Hashable, Decodable {
  /// After the answer, the end of the caller's turn or the last sound of a turn that goes on: so many milliseconds of
  /// silence, and the caller hears a word (`wordMs`). 0 is never. An agent's `patience` may say otherwise.
  public var wordMilliseconds = 3000
  /// So many, and the next fallback goes on (`firstAudioMs`); 0 is never.
  public var firstAudioMilliseconds = 10_000
  /// How long an answered call may be between two agents before the caller hears a word (`switchWordMs`).
  public var switchWordMilliseconds = 1000
  /// A turn that lasts longer never ends: its agent has failed.
  public var maximumTurnSeconds = 600
  /// The word, by language (`en`, `de`, …), in place of ``Phrase``'s own.
  public var words: [String: String] = [:]
  /// When a backend is left alone.
  public var breaker = CircuitBreaker.Limits()

  /// The defaults.
  public init() {}

  private enum CodingKeys: String, CodingKey {
    case wordMilliseconds = "wordMs"
    case firstAudioMilliseconds = "firstAudioMs"
    case switchWordMilliseconds = "switchWordMs"
    case maximumTurnSeconds, words, breaker
  }

  /// Reads the section; what is not there keeps its default.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read(_ key: CodingKeys, _ value: inout Int, _ range: ClosedRange<Int>) throws {
      value = try values.decodeIfPresent(Int.self, forKey: key) ?? value
      guard range.contains(value) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values,
          debugDescription: "\(key.stringValue) is \(range.lowerBound) to \(range.upperBound)")
      }
    }
    try read(.wordMilliseconds, &wordMilliseconds, 0...60_000)
    try read(.firstAudioMilliseconds, &firstAudioMilliseconds, 0...120_000)
    try read(.switchWordMilliseconds, &switchWordMilliseconds, 0...60_000)
    try read(.maximumTurnSeconds, &maximumTurnSeconds, 1...86_400)
    words = try values.decodeIfPresent([String: String].self, forKey: .words) ?? words
    breaker = try values.decodeIfPresent(CircuitBreaker.Limits.self, forKey: .breaker) ?? breaker
  }
}
