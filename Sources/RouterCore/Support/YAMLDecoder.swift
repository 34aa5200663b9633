/// Decodes a `Decodable` from YAML, with `file:line:column` in everything that is wrong, keys that the type does not
/// know among it. Scalars are read by the type that is wanted: a `String` is the text that was written, whatever it
/// looks like; a number or a truth value must be written without quotes.
///
/// A `Decodable` stops at its first fault. It is asked again, as if the value to blame were not there, until it finds no
/// other; what an object says of itself counts only while all of its values are there.
public struct YAMLDecoder {
  /// What every string goes through, to put secrets in the place of references. Its error becomes a diagnostic at the
  /// string; it must not hold the secret.
  public typealias StringTransform = @Sendable (String) throws -> String

  private let transform: StringTransform?

  public init(strings transform: StringTransform? = nil) { self.transform = transform }

  /// Decodes from a node.
  public static func decode<T: Decodable>(
    _ type: T.Type, from node: YAMLNode
  ) throws(DiagnosticList) -> T {
    try YAMLDecoder().decode(type, from: node)
  }

  /// Decodes from a node.
  public func decode<T: Decodable>(_ type: T.Type, from node: YAMLNode) throws(DiagnosticList) -> T {
    var found = DiagnosticList()
    var excused: Set<Int> = []
    while true {
      let faults = YAMLFaults(transform: transform, excused: excused)
      do {
        let value = try YAMLValueDecoder(node: node, codingPath: [], faults: faults).decode(type)
        if found.isEmpty, faults.list.isEmpty { return value }
        faults.blamed = nil
      } catch {
        faults.take(error, at: node)
      }
      found.append(contentsOf: faults.list)
      guard !found.isFull, let blamed = faults.blamed, blamed.index != node.index,
        excused.insert(blamed.index).inserted
      else { throw found.sorted }
    }
  }
}

/// A value is needed that was blamed before.
struct YAMLValueExcused: Error {}

/// What is wrong so far. One for each time that a type is asked, used on one thread.
final class YAMLFaults {
  private(set) var list = DiagnosticList()
  let transform: YAMLDecoder.StringTransform?
  /// Values that were blamed before, by their place in the document.
  let excused: Set<Int>
  /// The value to blame for what was thrown: the innermost.
  var blamed: YAMLNode?

  init(transform: YAMLDecoder.StringTransform?, excused: Set<Int> = []) {
    self.transform = transform
    self.excused = excused
  }

  func isExcused(_ node: YAMLNode) -> Bool { !excused.isEmpty && excused.contains(node.index) }

  /// Whether anything in a container was blamed before.
  fileprivate func isIncomplete(_ node: YAMLNode) -> Bool {
    node.kind != .scalar && excused.contains { $0 > node.index && $0 < Int(node.entry.a) }
  }

  fileprivate func blame(_ node: YAMLNode) { blamed = blamed ?? node }

  func append(_ diagnostic: Diagnostic) { list.append(diagnostic) }

  /// Turns whatever a type threw into a diagnostic at the node that was being decoded.
  /// - Parameter path: Where `node` stands. An error of a value's own may name a key below it.
  func take(_ error: any Error, at node: YAMLNode, _ path: [any CodingKey] = []) {
    switch error {
    case is YAMLValueExcused: break
    case let diagnostic as Diagnostic: append(diagnostic)
    case let more as DiagnosticList: list.append(contentsOf: more)
    case let error as DecodingError:
      append(Self.place(of: error, in: node, path).diagnostic(.error, Self.words(of: error)))
    default: append(node.diagnostic(.error, "\(error)"))
    }
  }

  /// The value under the key that the error names (`dataCorruptedError(forKey:…)`), if it is there.
  fileprivate static func place(of error: DecodingError, in node: YAMLNode, _ path: [any CodingKey])
    -> YAMLNode
  {
    guard case .dataCorrupted(let context) = error, context.codingPath.count == path.count + 1,
      let key = context.codingPath.last, key.intValue == nil
    else { return node }
    return node[key.stringValue] ?? node
  }

  private static func words(of error: DecodingError) -> String {
    switch error {
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
      context.debugDescription
    case .keyNotFound(let key, _):
      "'\(key.stringValue)' is missing"
    @unknown default:
      "\(error)"
    }
  }
}

/// The decoder of one node.
final class YAMLValueDecoder: Decoder {
  let node: YAMLNode
  let codingPath: [any CodingKey]
  let faults: YAMLFaults
  /// Keys that the type asked for; `nil` while it did not ask for keys at all.
  var askedKeys: Set<String>?
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(node: YAMLNode, codingPath: [any CodingKey], faults: YAMLFaults) {
    self.node = node
    self.codingPath = codingPath
    self.faults = faults
  }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let value: T
    do {
      if type == JSONValue.self, let value = try json(node) as? T { return value }
      if type == String.self, let value = try string() as? T { return value }
      value = try T(from: self)
    } catch let error as Diagnostic {
      faults.blame(node)
      throw error
    } catch {
      // The innermost node is the one to blame; whoever is further out passes it on.
      if error is DiagnosticList { throw error }
      if error is YAMLValueExcused || faults.isIncomplete(node) {
        faults.blame(node)  // nothing more can be said of it, but of what stands beside it
        throw YAMLValueExcused()
      }
      faults.blame((error as? DecodingError).map { YAMLFaults.place(of: $0, in: node, codingPath) } ?? node)
      if let fault = unknownChoice(type, error) { throw fault }
      let single = YAMLFaults(transform: nil)
      single.take(error, at: node, codingPath)
      throw single.list
    }
    reportUnknownKeys()
    return value
  }

  /// The library's own words for a raw value that is none ("Cannot initialize …") help nobody.
  private func unknownChoice<T>(_ type: T.Type, _ error: any Error) -> Diagnostic? {
    guard type is any RawRepresentable.Type, case DecodingError.dataCorrupted = error else { return nil }
    var known: [String] = []
    if let choices = type as? any CaseIterable.Type {
      known = choices.allCases.compactMap { ($0 as? any RawRepresentable).map { "\($0.rawValue)" } }
    }
    let near = Suggestion.nearest(to: node.text ?? "", in: known)
    let hint = near.map { "did you mean '\($0)'?" } ?? "understood are: \(known.joined(separator: ", "))"
    return node.diagnostic(
      .error, "\(node.described) is not understood here", hint: known.isEmpty ? nil : hint)
  }

  private func reportUnknownKeys() {
    guard let askedKeys else { return }
    self.askedKeys = nil  // a wrapper type decodes from the same decoder: say it once
    node.forEachPair { key, _ in
      guard let name = key.text, !askedKeys.contains(name) else { return }
      faults.append(UnknownKey.diagnostic(key, known: askedKeys.sorted()))
    }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    // A key without a value (`tls:`) is an object with nothing in it.
    guard node.kind == .mapping || node.isNull else { throw node.mismatch("keys and values") }
    askedKeys = askedKeys ?? []
    return KeyedDecodingContainer(YAMLKeyedContainer<Key>(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard node.kind == .sequence || node.isNull else { throw node.mismatch("a list") }
    return YAMLUnkeyedContainer(decoder: self)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    YAMLSingleContainer(decoder: self)
  }

  func decoder(for child: YAMLNode, key: any CodingKey) -> YAMLValueDecoder {
    YAMLValueDecoder(node: child, codingPath: codingPath + [key], faults: faults)
  }

  // MARK: Scalars

  func string() throws -> String {
    guard let text = node.text, !node.isNull else { throw node.mismatch("text") }
    guard let transform = faults.transform else { return text }
    do { return try transform(text) } catch { throw node.diagnostic(.error, "\(error)") }
  }

  func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    guard let value = node.integer else { throw node.mismatch("a whole number") }
    guard let exact = T(exactly: value) else {
      throw node.diagnostic(.error, "\(value) is not from \(T.min) to \(T.max)")
    }
    return exact
  }

  private func json(_ node: YAMLNode) throws -> JSONValue {
    guard let transform = faults.transform else { return node.json }
    switch node.kind {
    case .scalar:
      guard case .string(let text) = node.json else { return node.json }
      do { return .string(try transform(text)) } catch { throw node.diagnostic(.error, "\(error)") }
    case .sequence:
      return .array(try node.elements.map(json))
    case .mapping:
      return .object(
        Dictionary(try node.pairs.map { ($0.key.text ?? "", try json($0.value)) }) { _, last in last })
    }
  }
}

/// What is said of a key that nobody knows.
enum UnknownKey {
  /// - Parameters:
  ///   - owner: The keys below which it belongs.
  ///   - value: What stands behind it.
  static func diagnostic(
    _ key: YAMLNode, known: [String], in place: String = "here", owner: [String]? = nil,
    value: YAMLNode? = nil
  ) -> Diagnostic {
    let name = key.text ?? ""
    let hint =
      if let owner {
        "it belongs under '\(owner.joined(separator: "."))': write \(owner.map { "\($0): {" }.joined())\(name): …"
          + String(repeating: "}", count: owner.count)
      } else if value?.isNull == true, name.contains(" ") {
        "when it belongs to the text before it, put all of that text in quotes"
      } else if let near = Suggestion.nearest(to: name, in: known) {
        "did you mean '\(near)'?"
      } else if known.isEmpty {
        "no keys are understood here"
      } else {
        "understood are: \(known.joined(separator: ", "))"
      }
    return key.diagnostic(.error, "unknown key '\(name)' \(place)", hint: hint)
  }
}

extension YAMLNode {
  /// What stands here, for a person.
  var described: String {
    switch kind {
    case .sequence: "a list"
    case .mapping: "keys and values"
    case .scalar: isNull ? "nothing" : isPlain ? "'\(text ?? "")'" : "text in quotes"
    }
  }

  /// Something of another type was wanted.
  func mismatch(_ wanted: String) -> Diagnostic {
    var hint: String?
    if wanted == "true or false", let text, ["yes", "no", "on", "off"].contains(text.lowercased()) {
      hint = "write \(["yes", "on"].contains(text.lowercased()))"
    } else if kind == .scalar, !isPlain, ["a whole number", "a number", "true or false"].contains(wanted) {
      hint = "write it without quotes"
    }
    if kind == .scalar, let text, wanted.hasSuffix("number"), text.hasSuffix("%"),
      Double(text.dropLast()) != nil
    {
      hint = "write \(text.dropLast())"
    }
    if wanted == "a list", kind == .scalar, !isNull { hint = "write [\(text ?? "")]" }
    let verb = wanted == "keys and values" ? "are" : "is"
    return diagnostic(.error, "\(wanted) \(verb) wanted here, not \(described)", hint: hint)
  }
}
