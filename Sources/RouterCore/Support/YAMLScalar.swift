/// How the text of a scalar is read as something else. `nil` means: it is not of that type.
///
/// Only plain scalars are more than text, and only in the spelling of JSON: `0200`, `+1555`, `no` and `1_000` are
/// text, wherever they stand.
extension YAMLNode {
  /// `null`, `~`, or nothing at all.
  public var isNull: Bool {
    guard isPlain else { return false }
    let bytes = bytes
    return bytes.isEmpty || bytes.elementsEqual("~".utf8) || bytes.elementsEqual("null".utf8)
  }

  /// `true` or `false`.
  public var bool: Bool? {
    guard isPlain else { return nil }
    if bytes.elementsEqual("true".utf8) { return true }
    if bytes.elementsEqual("false".utf8) { return false }
    return nil
  }

  /// A whole number in the spelling of JSON.
  public var integer: Int? {
    guard isPlain, JSONNumber.kind(of: bytes) == .integer else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self))
  }

  /// A number in the spelling of JSON; finite.
  public var number: Double? {
    guard isPlain, JSONNumber.kind(of: bytes) != nil else { return nil }
    return Double(String(decoding: bytes, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
  }

  /// The whole tree as JSON, by the spelling of its scalars: for places whose type nobody says.
  public var json: JSONValue {
    switch kind {
    case .scalar:
      if isNull { return .null }
      if let value = bool { return .bool(value) }
      if let value = integer { return .integer(value) }
      if let value = number { return .number(value) }
      return .string(String(decoding: bytes, as: UTF8.self))
    case .sequence:
      var values: [JSONValue] = []
      values.reserveCapacity(count)
      forEachChild { values.append($0.json) }
      return .array(values)
    case .mapping:
      var members: [String: JSONValue] = Dictionary(minimumCapacity: count)
      forEachPair { members[$0.text ?? ""] = $1.json }
      return .object(members)
    }
  }
}

/// The grammar of numbers in JSON (RFC 8259 section 6).
private enum JSONNumber {
  case integer, fraction

  static func kind(of bytes: ArraySlice<UInt8>) -> JSONNumber? {
    var rest = bytes
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    guard let first = rest.first, isDigit(first) else { return nil }
    let whole = takeDigits(&rest)
    if first == UInt8(ascii: "0"), whole > 1 { return nil }
    if rest.isEmpty { return .integer }
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard takeDigits(&rest) > 0 else { return nil }
    }
    if let e = rest.first, e | 0x20 == UInt8(ascii: "e") {
      rest.removeFirst()
      if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest.removeFirst() }
      guard takeDigits(&rest) > 0 else { return nil }
    }
    return rest.isEmpty ? .fraction : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private static func takeDigits(_ rest: inout ArraySlice<UInt8>) -> Int {
    let digits = rest.prefix(while: isDigit).count
    rest.removeFirst(digits)
    return digits
  }
}
