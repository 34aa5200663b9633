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
    let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
    let milliseconds = UInt64(max(0, date.timeIntervalSince1970 * 1000))
    let random = UInt64.random(in: 0...UInt64.max)
    // "c-", ten digits of time, "-", eight of chance: written in place, because every call takes one.
    return CallID(
      String(unsafeUninitializedCapacity: 21) { text in
        func write(_ value: UInt64, _ digits: Int, at start: Int) {
          for digit in 0..<digits {
            let index = Int(truncatingIfNeeded: (value >> UInt64(5 * (digits - 1 - digit))) & 31)
            text[start + digit] = alphabet.utf8Start[index]
          }
        }
        text[0] = UInt8(ascii: "c")
        text[1] = UInt8(ascii: "-")
        write(milliseconds, 10, at: 2)
        text[12] = UInt8(ascii: "-")
        write(random, 8, at: 13)
        return 21
      })
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
