/// A number in the international form of ITU-T E.164, in one machine word.
public struct PhoneNumber: Hashable, Sendable, CustomStringConvertible {
  /// Digits of the longest number (E.164 section 6).
  static let maximumDigits = 15
  /// Fewer digits than this are no international number, whatever stands before them.
  static let minimumDigits = 4

  /// A 1, then the digits: so that leading zeros count and a prefix is a division.
  let packed: UInt64

  init(packed: UInt64) { self.packed = packed }

  /// From `+442079460001`; separators that people write (space, `-`, `.`, `/`, `(`, `)`) are passed over. `nil` for anything
  /// else.
  public init?(_ text: some StringProtocol) { self.init(e164: text.utf8) }

  init?(e164 bytes: some Sequence<UInt8>) {
    guard let packed = PhoneNumber.pack(bytes), packed.count >= PhoneNumber.minimumDigits else { return nil }
    self.packed = packed.value
  }

  /// The digits behind a `+` as a packed value, at most ``maximumDigits``; `nil` when there is anything else.
  static func pack(_ bytes: some Sequence<UInt8>) -> (value: UInt64, count: Int)? {
    var value: UInt64 = 1
    var count = -1
    for byte in bytes {
      if byte >= 0x30, byte <= 0x39 {
        guard count >= 0, count < maximumDigits else { return nil }
        // No country's code begins with 0 (E.164.D).
        if count == 0, byte == 0x30 { return nil }
        value = value * 10 + UInt64(byte - 0x30)
        count += 1
      } else if byte == UInt8(ascii: "+") {
        guard count < 0 else { return nil }
        count = 0
      } else if !isSeparator(byte) {
        return nil
      }
    }
    return count > 0 ? (value, count) : nil
  }

  /// Visual separators of RFC 3966 section 3, the space, and the slash of German writing.
  static func isSeparator(_ byte: UInt8) -> Bool {
    byte == 0x20 || (byte >= 0x2D && byte <= 0x2F) || byte == 0x28 || byte == 0x29
  }

  /// How many digits a packed value has.
  static func digits(in packed: UInt64) -> Int {
    var count = 0
    var rest = packed
    while rest >= 10 {
      rest /= 10
      count += 1
    }
    return count
  }

  /// 10 to the power of 0…18.
  static let powers: [UInt64] = (0...18).map { (0..<$0).reduce(UInt64(1)) { power, _ in power * 10 } }

  /// `+442079460001`.
  public var description: String { PhoneNumber.text(of: packed) }

  static func text(of packed: UInt64) -> String { "+" + String(packed).dropFirst() }
}
