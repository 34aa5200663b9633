/// Header fields of a SIP message, in order, as they were written.
///
/// The bytes stay as they came (an echo of `From` or `Via` is exact); text is made when asked for. Names compare
/// without case, and a compact form is the same field as its long one. Copying shares the bytes.
public struct SIPHeaders: Sendable {
  struct Field: Sendable {
    var name: SIPHeaderName
    var nameRange: Range<Int32>
    var valueRange: Range<Int32>
  }

  /// The storage that the ranges of `fields` lie in: of a received message, the whole of it.
  var storage: [UInt8]
  var fields: [Field]

  init(storage: [UInt8], fields: [Field]) {
    self.storage = storage
    self.fields = fields
  }

  /// No fields.
  public init() {
    storage = []
    fields = []
  }

  /// These fields, in this order.
  public init(_ headers: [Header]) {
    self.init()
    for header in headers { append(header.name, header.value) }
  }

  /// How many fields there are.
  public var count: Int { fields.count }

  /// Adds a field at the end. Line ends in `name` or `value` become blanks: a value cannot smuggle in a field.
  public mutating func append(_ name: String, _ value: String) {
    let start = Int32(storage.count)
    storage.append(contentsOf: name.utf8.lazy.map { SIPByte.isWhite($0) ? SIPByte.space : $0 })
    let middle = Int32(storage.count)
    storage.append(contentsOf: value.utf8.lazy.map { SIPByte.isWhite($0) ? SIPByte.space : $0 })
    let kind = name.withRawUTF8 { SIPHeaderName.of($0) }
    fields.append(
      Field(name: kind, nameRange: start..<middle, valueRange: middle..<Int32(storage.count)))
  }

  /// The first field of that name.
  public subscript(_ name: String) -> String? {
    range(name).map(text)
  }

  /// Where the value of the first field of that name lies.
  func range(_ name: String) -> Range<Int32>? { name.withRawUTF8 { first(SIPFieldName($0))?.valueRange } }

  /// Every field of that name, in order, one entry for each line.
  public func values(_ name: String) -> [String] {
    name.withRawUTF8 { bytes in
      let name = SIPFieldName(bytes)
      var values: [String] = []
      for field in fields where matches(field, name) { values.append(text(field.valueRange)) }
      return values
    }
  }

  /// Every element of a comma-separated list over all fields of that name, trimmed, without empty ones. Commas in
  /// quotes and in angle brackets do not separate.
  public func list(_ name: String) -> [String] {
    let values = values(name)
    return values.isEmpty ? [] : values.flatMap(SIPHeaders.split)
  }

  /// Whether there is a field of that name.
  public func contains(_ name: String) -> Bool { range(name) != nil }

  /// Whether a comma-separated list holds `token`, without regard to case: `Supported` has `timer`.
  public func lists(_ token: String, in name: String) -> Bool {
    list(name).contains { $0.equalsFolded(token) }
  }

  /// All fields as values.
  public var all: [Header] { fields.map { Header(text($0.nameRange), text($0.valueRange)) } }

  // MARK: Inside the stack

  /// The first field of that kind.
  func first(_ name: SIPHeaderName) -> String? { range(name).map(text) }

  /// Where the value of the first field of that kind lies.
  func range(_ name: SIPHeaderName) -> Range<Int32>? {
    for field in fields where field.name == name { return field.valueRange }
    return nil
  }

  func contains(_ name: SIPHeaderName) -> Bool { range(name) != nil }

  func count(_ name: SIPHeaderName) -> Int {
    var count = 0
    for field in fields where field.name == name { count += 1 }
    return count
  }

  func values(_ name: SIPHeaderName) -> [String] {
    var values: [String] = []
    for field in fields where field.name == name { values.append(text(field.valueRange)) }
    return values
  }

  func list(_ name: SIPHeaderName) -> [String] {
    contains(name) ? values(name).flatMap(SIPHeaders.split) : []
  }

  func lists(_ token: StaticString, in name: SIPHeaderName) -> Bool {
    contains(name) && list(name).contains { $0.withRawUTF8 { $0.equalsFolded(token) } }
  }

  /// Runs `body` over the bytes of the first field of that kind.
  func withBytes<Result>(
    _ name: SIPHeaderName, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result? {
    guard let range = range(name) else { return nil }
    return try withBytes(range, body)
  }

  func withBytes<Result>(
    _ range: Range<Int32>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try storage.withUnsafeBytes {
      try body(UnsafeRawBufferPointer(rebasing: $0[Int(range.lowerBound)..<Int(range.upperBound)]))
    }
  }

  func text(_ range: Range<Int32>) -> String { withBytes(range) { $0.text } }

  private func first(_ name: SIPFieldName) -> Field? {
    for field in fields where matches(field, name) { return field }
    return nil
  }

  private func matches(_ field: Field, _ name: SIPFieldName) -> Bool {
    if name.kind != .other || field.name != .other { return name.kind == field.name }
    return field.nameRange.count == name.bytes.count
      && withBytes(field.nameRange) { $0.equalsFolded(name.bytes) }
  }

  /// The elements of a comma-separated value (RFC 3261 section 7.3).
  static func split(_ value: String) -> [String] {
    value.withRawUTF8 { bytes in
      var elements: [String] = []
      var start = 0
      var scanner = SIPQuoteScanner()
      func close(_ end: Int) {
        let element = UnsafeRawBufferPointer(rebasing: bytes[start..<end]).trimmed()
        if !element.isEmpty { elements.append(element.text) }
      }
      for (index, byte) in bytes.enumerated() where scanner.isOpen(byte) && byte == SIPByte.comma {
        close(index)
        start = index + 1
      }
      close(bytes.count)
      return elements
    }
  }
}

/// A name that fields are looked for by: looked up once, not for each field.
private struct SIPFieldName {
  let bytes: UnsafeRawBufferPointer
  let kind: SIPHeaderName

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    kind = SIPHeaderName.of(bytes)
  }
}

extension SIPHeaders: CustomStringConvertible {
  public var description: String { all.map { "\($0.name): \($0.value)" }.joined(separator: "\n") }
}

/// Follows quotes and angle brackets through a value, so that separators inside them are not taken for ones.
struct SIPQuoteScanner {
  private(set) var isQuoted = false
  private var isEscaped = false
  private(set) var isBracketed = false

  /// Takes the next byte; tells whether it stands outside of quotes and brackets.
  mutating func isOpen(_ byte: UInt8) -> Bool {
    if isQuoted {
      if isEscaped {
        isEscaped = false
      } else if byte == SIPByte.backslash {
        isEscaped = true
      } else if byte == SIPByte.quote {
        isQuoted = false
      }
      return false
    }
    if isBracketed {
      if byte == SIPByte.greater { isBracketed = false }
      return false
    }
    switch byte {
    case SIPByte.quote:
      isQuoted = true
      return false
    case SIPByte.less:
      isBracketed = true
      return false
    default: return true
    }
  }
}
