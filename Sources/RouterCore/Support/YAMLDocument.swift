/// One node of a document, packed into 16 bytes: a table of a million routes has ten million of them.
///
/// Nodes stand in the order in which they are written, a container before its children; so the first child of node
/// `i` is `i + 1`, and the next sibling of a container is its `end`.
struct YAMLEntry {
  enum Kind: UInt32 {
    case plain, quoted, sequence, mapping, alias
  }

  var line: UInt32
  /// Kind in the low 3 bits, column above.
  private var packed: UInt32
  /// Scalar: offset of its text. Container: index after its last descendant. Alias: the node it stands for.
  var a: UInt32
  /// Scalar: length of its text in bytes. Sequence: number of elements. Mapping: number of pairs.
  var b: UInt32

  init(_ kind: Kind, line: Int, column: Int, a: Int = 0, b: Int = 0) {
    self.line = UInt32(truncatingIfNeeded: line)
    packed = UInt32(truncatingIfNeeded: min(column, 1 << 28)) << 3 | kind.rawValue
    self.a = UInt32(truncatingIfNeeded: a)
    self.b = UInt32(truncatingIfNeeded: b)
  }

  var kind: Kind { Kind(rawValue: packed & 7) ?? .plain }
  var column: Int { Int(packed >> 3) }
}

/// A file as it was read: immutable, and cheap to point into.
final class YAMLDocument: Sendable {
  let file: String
  let source: [UInt8]
  let entries: [YAMLEntry]
  /// Where the texts of all scalars are; it may be the source.
  let text: [UInt8]

  init(file: String, source: [UInt8], entries: [YAMLEntry], text: [UInt8]) {
    self.file = file
    self.source = source
    self.entries = entries
    self.text = text
  }

  /// A line of the file, from 1.
  static func line(_ number: Int, of source: [UInt8]) -> String {
    var start = 0
    var current = 1
    while current < number, let end = source[start...].firstIndex(of: UInt8(ascii: "\n")) {
      start = end + 1
      current += 1
    }
    guard current == number else { return "" }
    let line = source[start...].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    // A byte order mark is no column to libyaml.
    let text = String(decoding: line, as: UTF8.self)
    return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
  }
}

/// A node of a YAML file that knows where it stands. Aliases are followed: an aliased value stands where it was
/// defined. Scalars keep the text that was written; who reads them decides on the type.
public struct YAMLNode: Sendable {
  public enum Kind: Sendable {
    case scalar, sequence, mapping
  }

  let document: YAMLDocument
  let index: Int

  init(document: YAMLDocument, index: Int) {
    self.document = document
    let entry = document.entries[index]
    self.index = entry.kind == .alias ? Int(entry.a) : index
  }

  var entry: YAMLEntry { document.entries[index] }

  public var kind: Kind {
    switch entry.kind {
    case .plain, .quoted: .scalar
    case .sequence: .sequence
    case .mapping: .mapping
    case .alias: preconditionFailure("an alias stands for no alias")
    }
  }

  public var location: SourceLocation {
    SourceLocation(file: document.file, line: Int(entry.line), column: entry.column)
  }

  /// Whether the scalar was written without quotes, so that `null`, `true` and `12` may be more than text.
  public var isPlain: Bool { entry.kind == .plain }

  /// The bytes of a scalar's text; empty for a container.
  var bytes: ArraySlice<UInt8> {
    let entry = entry
    guard entry.kind == .plain || entry.kind == .quoted else { return [] }
    return document.text[Int(entry.a)..<Int(entry.a) + Int(entry.b)]
  }

  /// A scalar's text as it was written (quotes and escapes undone); `nil` for a container.
  public var text: String? {
    kind == .scalar ? String(decoding: bytes, as: UTF8.self) : nil
  }

  /// Number of elements or pairs; 0 for a scalar.
  public var count: Int { kind == .scalar ? 0 : Int(entry.b) }

  /// The elements of a sequence; empty for anything else.
  public var elements: [YAMLNode] {
    guard entry.kind == .sequence else { return [] }
    var result: [YAMLNode] = []
    result.reserveCapacity(count)
    forEachChild { result.append($0) }
    return result
  }

  /// The pairs of a mapping in the order of the file; empty for anything else.
  public var pairs: [(key: YAMLNode, value: YAMLNode)] {
    guard entry.kind == .mapping else { return [] }
    var result: [(key: YAMLNode, value: YAMLNode)] = []
    result.reserveCapacity(count)
    forEachPair { result.append(($0, $1)) }
    return result
  }

  /// The value of a key; `nil` when there is none, or this is no mapping.
  public subscript(key: String) -> YAMLNode? {
    document.value(of: key, in: index).map { YAMLNode(document: document, index: $0) }
  }

  func forEachChild(_ body: (YAMLNode) -> Void) {
    guard entry.kind == .sequence else { return }
    var child = index + 1
    for _ in 0..<count {
      body(YAMLNode(document: document, index: child))
      child = document.next(after: child)
    }
  }

  func forEachPair(_ body: (_ key: YAMLNode, _ value: YAMLNode) -> Void) {
    guard entry.kind == .mapping else { return }
    var child = index + 1
    for _ in 0..<count {
      let value = document.next(after: child)
      body(YAMLNode(document: document, index: child), YAMLNode(document: document, index: value))
      child = document.next(after: value)
    }
  }

  /// Something wrong with this node.
  public func diagnostic(
    _ severity: Diagnostic.Severity = .error, _ message: String, hint: String? = nil,
    notes: [Diagnostic.Note] = []
  ) -> Diagnostic {
    var length = 1
    if kind == .scalar {
      length = String(decoding: bytes, as: UTF8.self).unicodeScalars.count + (isPlain ? 0 : 2)
    }
    return Diagnostic(
      severity, message, hint: hint, at: location,
      sourceLine: YAMLDocument.line(Int(entry.line), of: document.source), length: length, notes: notes)
  }
}

extension YAMLDocument {
  /// The node after `index` and all that is in it.
  func next(after index: Int) -> Int { YAMLDocument.next(after: index, entries[index]) }

  private static func next(after index: Int, _ entry: YAMLEntry) -> Int {
    entry.kind == .sequence || entry.kind == .mapping ? Int(entry.a) : index + 1
  }

  /// Where the value of a key stands; `nil` when there is none. Works on the bytes, without making anything: a million
  /// routes are asked for a dozen keys each.
  func value(of key: String, in mapping: Int) -> Int? {
    guard entries[mapping].kind == .mapping else { return nil }
    var key = key
    return key.withUTF8 { wanted in
      entries.withUnsafeBufferPointer { entries in
        text.withUnsafeBufferPointer { text in
          var child = mapping + 1
          for _ in 0..<Int(entries[mapping].b) {
            let name = entries[child]
            let value = child + 1  // keys are scalars
            if Int(name.b) == wanted.count,
              text[Int(name.a)..<Int(name.a) + wanted.count].elementsEqual(wanted)
            {
              return value
            }
            child = YAMLDocument.next(after: value, entries[value])
          }
          return nil
        }
      }
    }
  }

  /// A hash of a scalar's text (FNV-1a).
  func hash(of index: Int) -> UInt64 {
    let entry = entries[index]
    return text.withUnsafeBufferPointer { text in
      YAMLDocument.hash(text[Int(entry.a)..<Int(entry.a) + Int(entry.b)])
    }
  }

  static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}
