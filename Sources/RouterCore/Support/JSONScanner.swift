internal import Glibc

/// Reads the members of a JSON object in place, without making a tree: for messages that come 50 times a second.
///
/// It finds its way through any text safely; how strictly, only values that are asked for say.
public enum JSONScanner {
  /// One value where it stands in the text; valid as long as the text's bytes are.
  public struct Value {
    let bytes: UnsafeRawBufferPointer

    /// The value as it stands, quotes included: for `JSONDecoder`, where a tree is wanted after all.
    public var raw: UnsafeRawBufferPointer { bytes }

    /// What stands between the quotes, escapes in place; `nil` for what is no string.
    public var text: UnsafeRawBufferPointer? {
      guard bytes.count >= 2, bytes[0] == UInt8(ascii: "\"") else { return nil }
      return UnsafeRawBufferPointer(rebasing: bytes[1..<bytes.count - 1])
    }

    /// Whether it is this string, written without escapes.
    public func equals(_ word: StaticString) -> Bool {
      guard let text, text.count == word.utf8CodeUnitCount else { return false }
      for index in 0..<text.count where text[index] != word.utf8Start[index] { return false }
      return true
    }

    /// The string, escapes undone (RFC 8259 section 7).
    public var string: String? {
      guard let text else { return nil }
      guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
      return JSONScanner.unescaped(text)
    }

    /// A whole number, also one that is written as a string.
    public var integer: Int? { Int(String(decoding: text ?? bytes, as: UTF8.self)) }

    /// The members of an object. Returns `false` when it is none.
    @discardableResult
    public func members(_ body: (_ name: Value, _ value: Value) -> Void) -> Bool {
      JSONScanner.members(of: bytes, body)
    }

    /// The members of an object as texts, for what comes once; empty for what is no object.
    public var strings: [String: String] {
      var all: [String: String] = [:]
      members { name, value in
        guard let name = name.string else { return }
        all[name] = value.string ?? String(decoding: value.bytes, as: UTF8.self)
      }
      return all
    }
  }

  /// Calls `body` for each member of the object that the text is. Returns `false` when it is no object, or broken: what
  /// came before was told.
  @discardableResult
  public static func members(
    of text: UnsafeRawBufferPointer, _ body: (_ name: Value, _ value: Value) -> Void
  ) -> Bool {
    var cursor = Cursor(text: text)
    guard cursor.take(UInt8(ascii: "{")) else { return false }
    if cursor.take(UInt8(ascii: "}")) { return cursor.isAtEnd }
    repeat {
      guard let name = cursor.value(), name.text != nil, cursor.take(UInt8(ascii: ":")),
        let value = cursor.value()
      else { return false }
      body(name, value)
    } while cursor.take(UInt8(ascii: ","))
    return cursor.take(UInt8(ascii: "}")) && cursor.isAtEnd
  }

  private struct Cursor {
    let text: UnsafeRawBufferPointer
    var at = 0

    var isAtEnd: Bool {
      mutating get {
        skipBlanks()
        return at == text.count
      }
    }

    mutating func skipBlanks() {
      while at < text.count, text[at] == 0x20 || (0x09...0x0D).contains(text[at]) { at += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      skipBlanks()
      guard at < text.count, text[at] == byte else { return false }
      at += 1
      return true
    }

    mutating func value() -> Value? {
      skipBlanks()
      let start = at
      guard at < text.count else { return nil }
      switch text[at] {
      case UInt8(ascii: "\""): guard skipString() else { return nil }
      case UInt8(ascii: "{"), UInt8(ascii: "["): guard skipNested() else { return nil }
      default:
        while at < text.count, !Cursor.endsWord(text[at]) { at += 1 }
        guard at > start else { return nil }
      }
      return Value(bytes: UnsafeRawBufferPointer(rebasing: text[start..<at]))
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
      byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
        || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "{")
        || byte == UInt8(ascii: "[")
    }

    private mutating func skipString() -> Bool {
      let start = at
      at += 1
      // Sound is long: from quote to quote, not from letter to letter.
      while at < text.count, let base = text.baseAddress,
        let quote = memchr(base + at, Int32(UInt8(ascii: "\"")), text.count - at)
      {
        let end = UnsafeRawPointer(quote) - base
        at = end + 1
        // A quote behind an odd number of backslashes belongs to the text.
        var slashes = 0
        while end - slashes - 1 > start, text[end - slashes - 1] == UInt8(ascii: "\\") { slashes += 1 }
        if slashes.isMultiple(of: 2) { return true }
      }
      at = text.count
      return false
    }

    /// To the bracket that closes this one. Brackets are counted, not matched by kind: nobody reads inside unless
    /// asked, and is careful then.
    private mutating func skipNested() -> Bool {
      var depth = 0
      while at < text.count {
        switch text[at] {
        case UInt8(ascii: "\""):
          guard skipString() else { return false }
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        at += 1
        if depth == 0 { return true }
      }
      return false
    }
  }

  private static func unescaped(_ text: UnsafeRawBufferPointer) -> String {
    var units: [UInt16] = []
    var output = ""
    func flush() {
      output += String(decoding: units, as: UTF16.self)
      units.removeAll(keepingCapacity: true)
    }
    var index = 0
    var plain: [UInt8] = []
    while index < text.count {
      guard text[index] == UInt8(ascii: "\\"), index + 1 < text.count else {
        if !units.isEmpty { flush() }
        plain.append(text[index])
        index += 1
        continue
      }
      output += String(decoding: plain, as: UTF8.self)
      plain.removeAll(keepingCapacity: true)
      let hex = index + 6 <= text.count ? String(decoding: text[index + 2..<index + 6], as: UTF8.self) : ""
      if text[index + 1] == UInt8(ascii: "u"), let unit = UInt16(hex, radix: 16) {
        units.append(unit)  // halves of a pair follow each other
        index += 6
        continue
      }
      if !units.isEmpty { flush() }
      output.unicodeScalars.append(Unicode.Scalar(escapes[text[index + 1]] ?? text[index + 1]))
      index += 2
    }
    if !units.isEmpty { flush() }
    return output + String(decoding: plain, as: UTF8.self)
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "b"): 0x08,
    UInt8(ascii: "f"): 0x0C,
  ]
}
