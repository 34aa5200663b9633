/// Writes JSON into one array of bytes, without making a tree first: for what every call leaves behind.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object {
///   $0.member("route", "front-door")
///   $0.name("passed")
///   $0.array { $0.value("to") }
/// }
/// ```
public struct JSONWriter: Sendable {
  private enum Place {
    /// Nothing stands before.
    case first
    /// Another element stands before.
    case next
    /// The name of a member stands before.
    case named
  }

  /// What was written so far.
  public private(set) var bytes: [UInt8] = []
  private var place = Place.first

  /// - Parameter capacity: Bytes to make room for at once.
  public init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  /// What was written so far, as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  // MARK: Structure

  public mutating func object(_ members: (inout JSONWriter) -> Void) {
    enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
  }

  public mutating func array(_ elements: (inout JSONWriter) -> Void) {
    enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), elements)
  }

  private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
    separate()
    bytes.append(open)
    place = .first
    body(&self)
    bytes.append(close)
    place = .next
  }

  private mutating func separate() {
    if place == .next { raw(", ") }
    place = .next
  }

  /// The name of the member whose value comes next.
  public mutating func name(_ name: String) {
    separate()
    JSONWriter.quote(name, to: &bytes)
    raw(": ")
    place = .named
  }

  // MARK: Values

  public mutating func value(_ value: String) {
    separate()
    JSONWriter.quote(value, to: &bytes)
  }

  public mutating func value(_ value: Int) {
    separate()
    bytes.append(contentsOf: String(value).utf8)
  }

  /// A number; what JSON cannot say (RFC 8259 section 6) is null.
  public mutating func value(_ value: Double) {
    separate()
    bytes.append(contentsOf: (value.isFinite ? String(value) : "null").utf8)
  }

  public mutating func value(_ value: Bool) {
    separate()
    raw(value ? "true" : "false")
  }

  public mutating func null() {
    separate()
    raw("null")
  }

  public mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let value): self.value(value)
    case .integer(let number): self.value(number)
    case .number(let number): self.value(number)
    case .string(let text): self.value(text)
    case .array(let elements): array { for element in elements { $0.value(element) } }
    case .object(let members):
      object {
        for member in members.sorted(by: { $0.key < $1.key }) { $0.member(member.key, member.value) }
      }
    }
  }

  /// JSON that was written before.
  public mutating func value(_ json: WrittenJSON) {
    separate()
    bytes.append(contentsOf: json.bytes)
  }

  // MARK: Members

  public mutating func member(_ name: String, _ value: String) {
    self.name(name)
    self.value(value)
  }

  public mutating func member(_ name: String, _ value: Int) {
    self.name(name)
    self.value(value)
  }

  public mutating func member(_ name: String, _ value: Double) {
    self.name(name)
    self.value(value)
  }

  public mutating func member(_ name: String, _ value: Bool) {
    self.name(name)
    self.value(value)
  }

  public mutating func member(_ name: String, _ value: JSONValue) {
    self.name(name)
    self.value(value)
  }

  /// A member that holds a list of texts.
  public mutating func member(_ name: String, _ texts: [String]) {
    self.name(name)
    array { for text in texts { $0.value(text) } }
  }

  // MARK: Bytes

  private mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends a string with its quotes (RFC 8259 section 7). What needs no escape is copied in one piece.
  public static func quote(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { utf8 in
      var start = 0
      for index in 0..<utf8.count where needsEscape(utf8[index]) {
        bytes.append(contentsOf: utf8[start..<index])
        start = index + 1
        escape(utf8[index], to: &bytes)
      }
      bytes.append(contentsOf: utf8[start...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  @inline(__always)
  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7f
  }

  private static func escape(_ byte: UInt8, to bytes: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\n"): bytes += "\\n".utf8
    case UInt8(ascii: "\r"): bytes += "\\r".utf8
    case UInt8(ascii: "\t"): bytes += "\\t".utf8
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
    default:
      bytes += (byte < 0x10 ? "\\u000" : "\\u00").utf8
      bytes += String(byte, radix: 16).utf8
    }
  }
}
