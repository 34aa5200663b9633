internal import Glibc

/// Character classes and small searches of the SIP grammar (RFC 3261 section 25), over raw bytes.
enum SIPByte {
  static let cr = UInt8(ascii: "\r")
  static let lf = UInt8(ascii: "\n")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")
  static let colon = UInt8(ascii: ":")
  static let semicolon = UInt8(ascii: ";")
  static let comma = UInt8(ascii: ",")
  static let equals = UInt8(ascii: "=")
  static let less = UInt8(ascii: "<")
  static let greater = UInt8(ascii: ">")
  static let slash = UInt8(ascii: "/")
  static let percent = UInt8(ascii: "%")

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

  @inline(__always)
  static func isWhite(_ byte: UInt8) -> Bool { byte == space || byte == tab || byte == cr || byte == lf }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// `a`–`z` for `A`–`Z`, everything else as it is.
  @inline(__always)
  static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

  /// `token` of RFC 3261 section 25.1.
  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "%"), UInt8(ascii: "*"),
      UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "`"), UInt8(ascii: "'"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  /// The value of a hexadecimal digit.
  static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Whether these are exactly the bytes of `text`.
  @inline(__always)
  func matches(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count where self[index] != text.utf8Start[index] { return false }
    return true
  }

  /// Whether these bytes begin with `text`.
  @inline(__always)
  func hasPrefix(_ text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount, let base = baseAddress else { return false }
    return memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// The same without regard to the case of ASCII letters; `text` is lower case.
  @inline(__always)
  func matchesFolded(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count where SIPByte.lower(self[index]) != text.utf8Start[index] { return false }
    return true
  }

  /// Where `byte` stands first.
  @inline(__always)
  func position(of byte: UInt8) -> Int? {
    guard let base = baseAddress, let found = memchr(base, Int32(byte), count) else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// What stands before the first `byte`; everything when there is none.
  func upTo(_ byte: UInt8) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[..<(position(of: byte) ?? count)])
  }

  /// Without blanks and line ends at both ends.
  func trimmed() -> UnsafeRawBufferPointer {
    var low = 0
    var high = count
    while low < high, SIPByte.isWhite(self[low]) { low += 1 }
    while high > low, SIPByte.isWhite(self[high - 1]) { high -= 1 }
    return UnsafeRawBufferPointer(rebasing: self[low..<high])
  }

  /// A decimal number without sign; `nil` for anything else and above `limit`.
  func decimal(limit: UInt64 = UInt64(UInt32.max)) -> UInt64? {
    guard !isEmpty else { return nil }
    var value: UInt64 = 0
    for byte in self {
      guard SIPByte.isDigit(byte) else { return nil }
      value = value * 10 + UInt64(byte & 0x0f)
      if value > limit { return nil }
    }
    return value
  }

  /// These bytes as text; what is not UTF-8 is replaced.
  var text: String { String(decoding: self, as: UTF8.self) }
}

extension StringProtocol {
  /// Runs `body` over the UTF-8 bytes.
  func withRawUTF8<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    var copy = String(self)
    return try copy.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
  }

  /// Without blanks and line ends at both ends.
  func trimmingBlanks() -> String { withRawUTF8 { $0.trimmed().text } }

  /// Equal without regard to the case of ASCII letters.
  func equalsFolded(_ other: some StringProtocol) -> Bool {
    var these = utf8.makeIterator()
    var those = other.utf8.makeIterator()
    while true {
      switch (these.next(), those.next()) {
      case (nil, nil): return true
      case (let a?, let b?) where SIPByte.lower(a) == SIPByte.lower(b): continue
      default: return false
      }
    }
  }
}
