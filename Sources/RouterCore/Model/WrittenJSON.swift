/// JSON that is kept as it was written: made once, stored as it is, read by the few who ask what is inside.
public struct WrittenJSON: Sendable, Hashable, Codable, ExpressibleByDictionaryLiteral {
  /// UTF-8, on one line.
  public let bytes: [UInt8]
  /// On one line.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Takes over what a ``JSONWriter`` has written.
  public init(_ writer: JSONWriter) { bytes = writer.bytes }

  /// Writes a value.
  public init(_ value: JSONValue) { self.init(text: value.text) }

  /// Takes over text that was written before, e.g. into a store. Whether it is JSON shows when it is read.
  public init(text: String) { bytes = Array(text.utf8) }

  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init(.object(Dictionary(elements) { _, last in last }))
  }

  /// What it says; null where it is no JSON after all.
  public var value: JSONValue { JSONValue(parsing: text) ?? .null }

  /// A member of an object; `nil` for anything else and for a missing key.
  public subscript(key: String) -> JSONValue? { value[key] }

  public init(from decoder: any Decoder) throws { self.init(try JSONValue(from: decoder)) }
  public func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
