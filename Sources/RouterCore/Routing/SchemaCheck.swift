/// Compares a node with the shape that it should have, and reports all that differs.
struct SchemaCheck {
  /// Errors.
  private(set) var diagnostics = DiagnosticList()
  /// Kept apart, so that many of them do not push errors out.
  private(set) var warnings = DiagnosticList()
  /// Names that something refers to, by section.
  private(set) var used: [String: Set<String>] = [:]

  /// Checks one node. Returns whether it is sound.
  @discardableResult
  mutating func check(_ node: YAMLNode, _ shape: Shape, key: String = "", isPatch: Bool = false) -> Bool {
    if isPatch, node.isNull { return true }
    switch shape {
    case .text(let text): return checkText(node, text, key)
    case .integer(let range):
      guard let value = node.integer else {
        return fail(node, wants("a whole number", key), node.typeHint("a whole number"))
      }
      return range.contains(value)
        || fail(node, isNot(value.description, "\(range.lowerBound) to \(range.upperBound)", key))
    case .number(let range):
      guard let value = node.number else {
        return fail(node, wants("a number", key), node.typeHint("a number"))
      }
      return range.contains(value)
        || fail(node, isNot(value.words, "\(range.lowerBound.words) to \(range.upperBound.words)", key))
    case .boolean:
      return node.bool != nil || fail(node, wants("true or false", key), node.typeHint("true or false"))
    case .choice(let choices): return checkChoice(node, choices, key)
    case .free: return true
    case .list(let element):
      guard node.kind == .sequence else {
        return fail(node, wants("a list", key), "write [\(element.sample(node))]")
      }
      return checkElements(node, element, key, isPatch)
    case .oneOrMany(let element):
      return node.kind == .sequence
        ? checkElements(node, element, key, isPatch) : check(node, element, key: key, isPatch: isPatch)
    case .named(let value): return checkNamed(node, value, key, isPatch)
    case .object(let object): return checkObject(node, object, key, isPatch: isPatch)
    case .short(let scalar, let object):
      return node.kind == .mapping
        ? checkObject(node, object, key, isPatch: isPatch) : check(node, scalar, key: key, isPatch: isPatch)
    case .shortOrMany(let scalar, let object):
      return node.kind == .sequence
        ? checkElements(node, .short(scalar, object), key, isPatch)
        : check(node, .short(scalar, object), key: key, isPatch: isPatch)
    case .patch(let object): return checkObject(node, object, key, isPatch: true)
    }
  }

  mutating func append(_ diagnostic: Diagnostic) {
    if diagnostic.severity == .error { diagnostics.append(diagnostic) } else { warnings.append(diagnostic) }
  }
  mutating func append(contentsOf list: DiagnosticList) { diagnostics.append(contentsOf: list) }

  /// Notes that a name is used.
  mutating func use(_ name: String, in section: String) {
    if used[section]?.contains(name) != true { used[section, default: []].insert(name) }
  }

  private func wants(_ noun: String, _ key: String) -> String {
    key.isEmpty ? "\(noun) is wanted here" : "'\(key)' wants \(noun)"
  }

  private func isNot(_ value: String, _ range: String, _ key: String) -> String {
    key.isEmpty ? "\(value) is not from \(range)" : "'\(key)' is from \(range), not \(value)"
  }

  private mutating func fail(_ node: YAMLNode, _ message: String, _ hint: String? = nil) -> Bool {
    let isType = message.contains("want")
    diagnostics.append(
      node.diagnostic(.error, isType ? "\(message), not \(node.described)" : message, hint: hint))
    return false
  }

  private mutating func checkText(_ node: YAMLNode, _ shape: TextShape, _ key: String) -> Bool {
    guard node.kind == .scalar, !node.isNull else { return fail(node, wants(shape.noun, key)) }
    if let why = shape.shows, let text = node.text, SecretReference.occurs(in: text) {
      let fault = TextFault.secret(why, hint: "write the words themselves")
      return fail(node, fault.message, fault.hint)
    }
    guard let fault = shape.fault, let text = node.text, !SecretReference.occurs(in: text) else {
      return true
    }
    guard let problem = fault(text) else { return true }
    diagnostics.append(node.diagnostic(.error, problem.message, hint: problem.hint))
    return false
  }

  private mutating func checkChoice(_ node: YAMLNode, _ choices: [String], _ key: String) -> Bool {
    if let text = node.text, choices.contains(text) { return true }
    let near = Suggestion.nearest(to: node.text ?? "", in: choices)
    let list = choices.joined(separator: ", ")
    return fail(
      node, wants("one of \(list)", key), near.map { "did you mean '\($0)'?" })
  }

  private mutating func checkElements(
    _ node: YAMLNode, _ element: Shape, _ key: String, _ isPatch: Bool
  ) -> Bool {
    var isSound = true
    node.forEachChild { child in
      if !check(child, element, key: key, isPatch: false) { isSound = false }
    }
    return isSound
  }

  private mutating func checkNamed(
    _ node: YAMLNode, _ value: Shape, _ key: String, _ isPatch: Bool
  ) -> Bool {
    guard node.kind == .mapping else {
      return fail(
        node, wants("names with values ('name: …')", key),
        node.kind == .sequence
          ? "write the name of each in front, without '- ': name: {…}" : "write {NAME: …}")
    }
    var isSound = true
    node.forEachPair { name, child in
      if name.bytes.isEmpty {
        isSound = fail(name, "a name cannot be empty")
      } else if !check(child, value, key: name.text ?? "", isPatch: isPatch) {
        isSound = false
      }
    }
    return isSound
  }

  private mutating func checkObject(
    _ node: YAMLNode, _ object: ObjectShape, _ key: String, isPatch: Bool
  ) -> Bool {
    guard node.kind == .mapping else {
      // `channels: {sip: }` says "with nothing set", which is fine where nothing is required.
      if node.isNull, object.missing(from: 0).isEmpty, object.exactlyOne.isEmpty { return true }
      let keys = object.fields.prefix(4).map(\.name).joined(separator: ", ")
      let sample = node.kind == .scalar && !node.isNull ? object.sample(node) : nil
      return fail(
        node, wants("keys and values", key),
        sample.map { "write \($0)" }
          ?? "keys of \(object.noun): \(keys)\(object.fields.count > 4 ? ", …" : "")")
    }
    var isSound = true
    var present: UInt64 = 0
    node.forEachPair { name, value in
      if let index = object.index(of: name) {
        present |= 1 << UInt64(index)
        let field = object.fields[index]
        if !check(value, field.shape, key: field.name, isPatch: isPatch) {
          isSound = false
          diagnostics.explainLast(at: value, field.advice)
        }
      } else if let others = object.others {
        if !check(value, others, key: name.text ?? "", isPatch: isPatch) { isSound = false }
      } else {
        diagnostics.append(
          UnknownKey.diagnostic(
            name, known: object.fields.map(\.name), in: "in \(object.noun)",
            owner: object.owner(of: name.text ?? ""), value: value))
        isSound = false
      }
    }
    if !isPatch { isSound = checkPresence(node, object, present) && isSound }
    return isSound
  }

  /// Keys that must be there.
  private mutating func checkPresence(
    _ node: YAMLNode, _ object: ObjectShape, _ present: UInt64
  ) -> Bool {
    var isComplete = true
    for field in object.missing(from: present) where !object.isMisspelt(field.name, in: node) {
      diagnostics.append(
        node.diagnostic(.error, "\(object.noun) needs '\(field.name)'", hint: field.doc))
      isComplete = false
    }
    guard !object.exactlyOne.isEmpty else { return isComplete }
    let found = object.exactlyOne.filter { node[$0] != nil }
    if found.count == 1 { return isComplete }
    // A misspelt key was reported already; "one is missing" on top of it would only confuse.
    if found.isEmpty, object.isPerhapsOne(of: object.exactlyOne, in: node) { return false }
    let list = object.exactlyOne.map { "'\($0)'" }.joined(separator: ", ")
    let message =
      found.isEmpty
      ? "\(object.noun) needs one of \(list)"
      : "\(object.noun) takes only one of \(list), not \(found.map { "'\($0)'" }.joined(separator: " and "))"
    diagnostics.append(node.diagnostic(.error, message))
    return false
  }
}

extension YAMLNode {
  /// What to write when the value is right but its spelling is not.
  fileprivate func typeHint(_ wanted: String) -> String? { mismatch(wanted).hint }
}

extension Shape {
  /// How an element would be written, for somebody who wrote something else.
  fileprivate func sample(_ node: YAMLNode) -> String {
    switch self {
    case .object(let object): object.sample(node) ?? "{…}"
    default: node.kind == .scalar ? node.text ?? "…" : "…"
    }
  }
}

extension ObjectShape {
  /// The keys that it cannot be without, the node's text behind the first; `nil` when there are none.
  fileprivate func sample(_ node: YAMLNode) -> String? {
    let keys = exactlyOne.prefix(1) + missing(from: 0).map(\.name)
    guard let first = keys.first else { return nil }
    let text = node.kind == .scalar && !node.isNull ? node.text ?? "…" : "…"
    return "{" + (["\(first): \(text)"] + keys.dropFirst().map { "\($0): …" }).joined(separator: ", ") + "}"
  }
}

extension Field {
  /// What a number is about, for something that is none; other kinds say it themselves.
  fileprivate var advice: String? {
    switch shape {
    case .integer, .number: doc
    // A short form stands for what the object needs.
    case .short(_, let object): object.missing(from: 0).first?.doc
    default: nil
    }
  }
}

extension DiagnosticList {
  /// Says what a key is about where nothing better is said of its value.
  fileprivate mutating func explainLast(at node: YAMLNode, _ advice: String?) {
    guard let advice, let last = all.last, last.hint == nil, last.location == node.location else { return }
    changeLast { $0.hint = advice }
  }
}
