/// Base 64 (RFC 4648 section 4) without an allocation of its own, for what is written 50 times a second.
public enum Base64 {
  private static let digits: [UInt8] = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// 64 and more: what is no digit. `-` and `_` are read like `+` and `/` (section 5).
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: invalid, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    values[Int(UInt8(ascii: "-"))] = 62
    values[Int(UInt8(ascii: "_"))] = 63
    values[Int(UInt8(ascii: "="))] = padding
    // JSON may write a slash as `\/`.
    values[Int(UInt8(ascii: "\\"))] = skipped
    return values
  }()
  private static let invalid: UInt8 = 255
  private static let padding: UInt8 = 254
  private static let skipped: UInt8 = 253

  /// Appends the text of `bytes`.
  public static func encode(_ bytes: UnsafeRawBufferPointer, into text: inout [UInt8]) {
    let start = text.count
    text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: (bytes.count + 2) / 3 * 4))
    digits.withUnsafeBufferPointer { digits in
      text.withUnsafeMutableBufferPointer { text in
        var output = start
        var index = 0
        while index < bytes.count {
          let left = min(3, bytes.count - index)
          var group = UInt32(bytes[index]) << 16
          if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
          if left > 2 { group |= UInt32(bytes[index + 2]) }
          text[output] = digits[Int(group >> 18)]
          text[output + 1] = digits[Int(group >> 12 & 63)]
          if left > 1 { text[output + 2] = digits[Int(group >> 6 & 63)] }
          if left > 2 { text[output + 3] = digits[Int(group & 63)] }
          index += 3
          output += 4
        }
      }
    }
  }

  /// The text of `bytes`.
  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    Array(bytes).withUnsafeBytes { encode($0, into: &text) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the bytes of a text, with or without padding. Returns whether it was base 64; if not, nothing is appended.
  public static func decode(_ text: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> Bool {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: text.count / 4 * 3))
    // Whole groups without padding, which is all of it but the end; what they do not take is read with care.
    let taken = bytes.withUnsafeMutableBufferPointer { bytes in
      decodeGroups(text, into: UnsafeMutableBufferPointer(rebasing: bytes[start...]))
    }
    bytes.removeSubrange((start + taken / 4 * 3)...)
    if decodeRest(UnsafeRawBufferPointer(rebasing: text[taken...]), into: &bytes) { return true }
    bytes.removeSubrange(start...)
    return false
  }

  /// Returns how many characters were read, a multiple of four.
  private static func decodeGroups(
    _ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableBufferPointer<UInt8>
  ) -> Int {
    values.withUnsafeBufferPointer { values in
      var input = 0
      var output = 0
      while input + 4 <= text.count {
        let first = values[Int(text[input])]
        let second = values[Int(text[input + 1])]
        let third = values[Int(text[input + 2])]
        let fourth = values[Int(text[input + 3])]
        if first | second | third | fourth > 63 { break }
        bytes[output] = first << 2 | second >> 4
        bytes[output + 1] = second << 4 | third >> 2
        bytes[output + 2] = third << 6 | fourth
        input += 4
        output += 3
      }
      return input
    }
  }

  private static func decodeRest(_ text: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> Bool {
    var group: UInt32 = 0
    var digitCount = 0
    var isPadded = false
    return values.withUnsafeBufferPointer { values -> Bool in
      for character in text {
        let value = values[Int(character)]
        if value == skipped { continue }
        if value == padding {
          isPadded = true
          continue
        }
        guard value < 64, !isPadded else { return false }
        group = group << 6 | UInt32(value)
        digitCount += 1
        if digitCount & 3 == 0 {
          bytes.append(UInt8(truncatingIfNeeded: group >> 16))
          bytes.append(UInt8(truncatingIfNeeded: group >> 8))
          bytes.append(UInt8(truncatingIfNeeded: group))
          group = 0
        }
      }
      switch digitCount & 3 {
      case 1: return false
      case 2: bytes.append(UInt8(truncatingIfNeeded: group >> 4))
      case 3:
        bytes.append(UInt8(truncatingIfNeeded: group >> 10))
        bytes.append(UInt8(truncatingIfNeeded: group >> 2))
      default: break
      }
      return true
    }
  }

  /// The bytes of a text; `nil` when it is not base 64.
  public static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    let isValid = Array(text.utf8).withUnsafeBytes { decode($0, into: &bytes) }
    return isValid ? bytes : nil
  }
}
