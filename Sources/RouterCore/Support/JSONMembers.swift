internal import Glibc

/// The members of one JSON object, found in place and without building a value: for messages that carry sound, of
/// which each call has a hundred a second. Everything else is read with `JSONDecoder`.
public enum JSONMembers {
  /// Bytes of a member's name, without quotes and with its escapes, or of a value as it stands, quotes included.
  public typealias Bytes = UnsafeRawBufferPointer

  /// Calls `body` with each member, in order, until it returns `false`.
  ///
  /// Values are passed over, not checked: an object in them may be malformed. Nesting costs no stack.
  /// - Returns: Whether `bytes` is an object as far as it was read.
  public static func each(of bytes: Bytes, _ body: (_ name: Bytes, _ value: Bytes) -> Bool) -> Bool {
    var reader = Reader(bytes)
    reader.space()
    guard reader.take(UInt8(ascii: "{")) else { return false }
    reader.space()
    if reader.take(UInt8(ascii: "}")) { return reader.isAtEnd }
    while true {
      reader.space()
      guard let name = reader.string() else { return false }
      reader.space()
      guard reader.take(UInt8(ascii: ":")) else { return false }
      reader.space()
      guard let value = reader.value() else { return false }
      let inner = Bytes(rebasing: name.dropFirst().dropLast())
      if !body(inner, value) { return true }
      reader.space()
      if reader.take(UInt8(ascii: "}")) { return reader.isAtEnd }
      guard reader.take(UInt8(ascii: ",")) else { return false }
    }
  }

  /// The text of a string value; `nil` for any other value, and for one with escapes or bytes that are no UTF-8
  /// (ask `JSONDecoder` then).
  public static func plainText(_ value: Bytes) -> String? {
    guard let inner = content(value), !inner.contains(UInt8(ascii: "\\")) else { return nil }
    return String(validating: inner.bindMemory(to: UInt8.self), as: UTF8.self)
  }

  /// What stands between the quotes of a string value.
  public static func content(_ value: Bytes) -> Bytes? {
    guard value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") else {
      return nil
    }
    return Bytes(rebasing: value.dropFirst().dropLast())
  }

  /// Whether these bytes are that text.
  @inline(__always)
  public static func equal(_ bytes: Bytes, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    guard let start = bytes.baseAddress else { return true }
    return memcmp(start, text.utf8Start, bytes.count) == 0
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  private struct Reader {
    let bytes: Bytes
    var at = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    /// Nothing but white space is left.
    var isAtEnd: Bool {
      bytes[at...].allSatisfy(JSONMembers.isSpace)
    }

    mutating func space() {
      while at < bytes.count, JSONMembers.isSpace(bytes[at]) { at += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      guard at < bytes.count, bytes[at] == byte else { return false }
      at += 1
      return true
    }

    /// A string with its quotes.
    mutating func string() -> Bytes? {
      let start = at
      guard take(UInt8(ascii: "\"")) else { return nil }
      while at < bytes.count, let base = bytes.baseAddress {
        guard let quote = memchr(base + at, Int32(UInt8(ascii: "\"")), bytes.count - at) else { return nil }
        let end = UnsafeRawPointer(quote) - base
        at = end + 1
        // A quote behind an odd number of backslashes belongs to the text.
        var slashes = 0
        while end - slashes > start, bytes[end - slashes - 1] == UInt8(ascii: "\\") { slashes += 1 }
        if slashes.isMultiple(of: 2) { return Bytes(rebasing: bytes[start..<at]) }
      }
      return nil
    }

    mutating func value() -> Bytes? {
      let start = at
      var depth = 0
      while at < bytes.count {
        switch bytes[at] {
        case UInt8(ascii: "\""):
          guard string() != nil else { return nil }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          at += 1
          continue
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          guard depth > 0 else { return nil }
          depth -= 1
          at += 1
        case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
          guard depth > 0 else { return nil }
          at += 1
          continue
        default: literal()
        }
        if depth == 0 { return Bytes(rebasing: bytes[start..<at]) }
      }
      return nil
    }

    /// A number, `true`, `false` or `null`, or what stands in its place.
    private mutating func literal() {
      while at < bytes.count {
        switch bytes[at] {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D,
          0x09:
          return
        default: at += 1
        }
      }
    }
  }
}
