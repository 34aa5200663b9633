public import FoundationEssentials

/// Names one call in every log line, record and header, e.g. `c-01k9v3h2m4-7f3a9c`.
///
/// The first part is the time in Crockford base 32, so identifiers sort by the start of the call; the second is random.
public struct CallID: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The identifier as it is written everywhere.
  public let text: String

  /// Wraps an identifier that was made before.
  public init(_ text: String) { self.text = text }

  /// A new identifier for a call that starts at `date`.
  public static func make(at date: Date = Date()) -> CallID {
    let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    var milliseconds = UInt64(max(0, date.timeIntervalSince1970 * 1000))
    var time: [Character] = []
    for _ in 0..<10 {
      time.append(alphabet[Int(milliseconds % 32)])
      milliseconds /= 32
    }
    let random = (0..<8).map { _ in alphabet[Int.random(in: 0..<32)] }
    return CallID("c-" + String(time.reversed()) + "-" + String(random))
  }

  public var description: String { text }

  public init(from decoder: any Decoder) throws {
    text = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
