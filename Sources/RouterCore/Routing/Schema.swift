/// What may stand at a place of a route file. The loader checks and reads files by it, and the JSON Schema for editors
/// is printed from it: there is one description of the language, ``RouteSchema``.
indirect enum Shape: Sendable {
  /// Text as it was typed, whatever it looks like.
  case text(TextShape)
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  case boolean
  case choice([String])
  /// Anything that JSON can say; scalars are read by their spelling.
  case free
  case list(Shape)
  /// A list, or one element without the brackets.
  case oneOrMany(Shape)
  /// Names of the writer's choice, each with a value.
  case named(Shape)
  case object(ObjectShape)
  /// A scalar as the short form of an object.
  case short(Shape, ObjectShape)
  /// A scalar or an object of some kind, or a list of them.
  case shortOrMany(Shape, ObjectShape)
  /// Some keys of an object, any of them `null`: an override (RFC 7396).
  case patch(ObjectShape)

  /// The keys that may stand in it, where they are not a list's.
  var object: ObjectShape? {
    switch self {
    case .object(let object), .short(_, let object), .patch(let object): object
    default: nil
    }
  }
}

/// What a text must look like.
struct TextShape: Sendable {
  /// For messages: `a number`, `the name of an agent`.
  var noun: String
  /// A regular expression of ECMA 262 for editors.
  var pattern: String?
  /// Says what is wrong with a text; `nil` when nothing is.
  var fault: (@Sendable (String) -> TextFault?)?

  /// Why a reference to a secret has no place here: `conditions show in traces`.
  var shows: String?

  init(
    _ noun: String = "text", pattern: String? = nil, shows: String? = nil,
    fault: (@Sendable (String) -> TextFault?)? = nil
  ) {
    self.noun = noun
    self.pattern = pattern
    self.shows = shows
    self.fault = fault
  }
}

/// What is wrong with a text, and what to write instead.
struct TextFault: Error, Hashable {
  var message: String
  var hint: String?
  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  /// A reference to a secret where others would see its value.
  static func secret(_ why: String, hint: String) -> TextFault {
    TextFault("a secret cannot stand here: \(why)", hint: hint)
  }
}

/// A key of an object.
struct Field: Sendable {
  var name: String
  var shape: Shape
  var isRequired: Bool
  /// One sentence for the person who writes it; editors show it.
  var doc: String
  init(_ name: String, _ shape: Shape, required: Bool = false, _ doc: String) {
    self.name = name
    self.shape = shape
    isRequired = required
    self.doc = doc
  }
}

/// The keys of a mapping.
final class ObjectShape: Sendable {
  /// For messages: `a route`.
  let noun: String
  let doc: String
  let fields: [Field]
  /// What other keys hold, where others are allowed.
  let others: Shape?
  /// Keys of which exactly one must be there.
  let exactlyOne: [String]
  private let required: [Int]
  /// Of the names, in the order of `fields`.
  private let hashes: [UInt64]

  init(
    _ noun: String, doc: String = "", _ fields: [Field], others: Shape? = nil, exactlyOne: [String] = []
  ) {
    self.noun = noun
    self.doc = doc
    self.fields = fields
    self.others = others
    self.exactlyOne = exactlyOne
    hashes = fields.map { YAMLDocument.hash($0.name.utf8) }
    required = fields.indices.filter { fields[$0].isRequired }
    precondition(fields.count <= 64, "a mask has 64 bits")
  }

  /// The position of a key among `fields`; `nil` when it is none of them.
  func index(of key: YAMLNode) -> Int? {
    guard key.kind == .scalar else { return nil }
    let hash = key.document.hash(of: key.index)
    guard let index = hashes.firstIndex(of: hash) else { return nil }
    return fields[index].name.utf8.elementsEqual(key.bytes) ? index : nil
  }

  /// Required fields that are not in `present`, a mask of positions.
  func missing(from present: UInt64) -> [Field] {
    required.filter { present & (1 << UInt64($0)) == 0 }.map { fields[$0] }
  }

  subscript(name: String) -> Field? { fields.first { $0.name == name } }

  /// Whether a key of the node is probably this one, misspelt. That was reported; that the right one is missing need not be.
  func isMisspelt(_ name: String, in node: YAMLNode) -> Bool {
    node[name] == nil
      && node.pairs.contains { index(of: $0.key) == nil && likely($0.key) == name }
  }

  /// Whether a key of the node may have been meant as one of these: it is near to one of them, or to none at all.
  func isPerhapsOne(of names: [String], in node: YAMLNode) -> Bool {
    node.pairs.contains { key, _ in
      index(of: key) == nil && likely(key).map(names.contains) != false
    }
  }

  private func likely(_ key: YAMLNode) -> String? {
    owner(of: key.text ?? "")?.first ?? Suggestion.nearest(to: key.text ?? "", in: fields.map(\.name))
  }

  /// The keys below which a key stands that was written too far out: `match` for the `to` of a route.
  func owner(of key: String, depth: Int = 2) -> [String]? {
    let inner = fields.compactMap { field in field.shape.object.map { (field.name, $0) } }
    if let field = inner.first(where: { $0.1[key] != nil }) { return [field.0] }
    guard depth > 1 else { return nil }
    for (name, shape) in inner {
      if let path = shape.owner(of: key, depth: depth - 1) { return [name] + path }
    }
    return nil
  }
}
