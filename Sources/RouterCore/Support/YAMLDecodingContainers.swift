/// A position in a list, as a coding key.
struct YAMLIndexKey: CodingKey {
  let intValue: Int?
  var stringValue: String { "\(intValue ?? 0)" }
  init(_ index: Int) { intValue = index }
  init?(intValue: Int) { self.intValue = intValue }
  init?(stringValue: String) { nil }
}

struct YAMLKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: YAMLValueDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  var allKeys: [Key] {
    decoder.node.pairs.compactMap { name, value in
      guard let key = name.text.flatMap({ Key(stringValue: $0) }) else { return nil }
      ask(key)
      return decoder.faults.isExcused(value) ? nil : key
    }
  }

  private func ask(_ key: Key) { decoder.askedKeys?.insert(key.stringValue) }

  func contains(_ key: Key) -> Bool {
    ask(key)
    return decoder.node[key.stringValue].map { !decoder.faults.isExcused($0) } ?? false
  }

  private func child(_ key: Key) throws -> YAMLValueDecoder {
    ask(key)
    guard let node = decoder.node[key.stringValue] else {
      let keys = decoder.node.pairs.compactMap(\.key.text).filter { decoder.askedKeys?.contains($0) == false }
      let near = Suggestion.nearest(to: key.stringValue, in: keys)
      throw decoder.node.diagnostic(
        .error, "'\(key.stringValue)' is missing here",
        hint: near.map { "'\($0)' is not known: did you mean '\(key.stringValue)'?" }
          ?? "add '\(key.stringValue): …'")
    }
    if decoder.faults.isExcused(node) { throw YAMLValueExcused() }
    return decoder.decoder(for: node, key: key)
  }

  func decodeNil(forKey key: Key) throws -> Bool {
    ask(key)
    guard let node = decoder.node[key.stringValue] else { return true }
    return node.isNull || decoder.faults.isExcused(node)
  }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try child(key).decode(type) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try child(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try child(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }
}

struct YAMLUnkeyedContainer: UnkeyedDecodingContainer {
  let decoder: YAMLValueDecoder
  private let elements: [YAMLNode]
  private(set) var currentIndex = 0

  init(decoder: YAMLValueDecoder) {
    self.decoder = decoder
    elements = decoder.node.elements.filter { !decoder.faults.isExcused($0) }
  }

  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  private mutating func take() throws -> YAMLValueDecoder {
    guard !isAtEnd else {
      throw decoder.node.diagnostic(.error, "more than \(elements.count) elements are wanted here")
    }
    defer { currentIndex += 1 }
    return decoder.decoder(for: elements[currentIndex], key: YAMLIndexKey(currentIndex))
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, elements[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try take().decode(type) }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try take().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try take().unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder { try take() }
}

struct YAMLSingleContainer: SingleValueDecodingContainer {
  let decoder: YAMLValueDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.node.isNull }

  func decode(_ type: Bool.Type) throws -> Bool {
    guard let value = decoder.node.bool else { throw decoder.node.mismatch("true or false") }
    return value
  }
  func decode(_ type: String.Type) throws -> String { try decoder.string() }
  func decode(_ type: Double.Type) throws -> Double {
    guard let value = decoder.node.number else { throw decoder.node.mismatch("a number") }
    return value
  }
  func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
  func decode(_ type: Int.Type) throws -> Int { try decoder.integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer(type) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.decode(type) }
}
