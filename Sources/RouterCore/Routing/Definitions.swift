/// The named things of all files, before they are read: which there are and where they stand.
struct Definitions {
  struct Entry {
    var name: String
    var key: YAMLNode
    var value: YAMLNode
  }

  /// By section and name.
  private(set) var sections: [String: [String: Entry]] = [:]
  /// The lists of routes and tests, in the order of the files.
  private(set) var routes: [YAMLNode] = []
  private(set) var tests: [YAMLNode] = []
  private(set) var numbering: YAMLNode?
  /// Whether a file could not be read: a name that nobody defines may be defined there.
  var isIncomplete = false
  /// Sections of which something could not be read.
  private var torn: Set<String> = []
  /// What providers can do; `nil` when nobody says.
  let types: ProviderTypes?

  init(types: ProviderTypes? = nil) { self.types = types }

  /// The `type:` of a provider.
  func type(ofProvider name: String) -> String? { sections["providers"]?[name]?.value["type"]?.text }

  /// What may stand in a provider.
  func shape(ofProvider provider: YAMLNode) -> ObjectShape {
    types?.shape(of: provider["type"]?.text) ?? RouteSchema.provider
  }

  /// Takes a file's root in.
  mutating func take(_ root: YAMLNode, _ check: inout SchemaCheck) {
    guard root.kind == .mapping else {
      check.append(
        root.diagnostic(
          .error, "a route file is made of sections",
          hint: "write e.g. 'agents:' or 'routes:' at the beginning of a line"))
      return
    }
    root.forEachPair { key, value in
      guard let index = RouteSchema.file.index(of: key) else {
        let known = RouteSchema.file.fields.map(\.name)
        check.append(UnknownKey.diagnostic(key, known: known, in: "at the top of a route file"))
        if let near = Suggestion.nearest(to: key.text ?? "", in: known) { torn.insert(near) }
        return
      }
      if value.isNull { return }  // a section with nothing in it
      take(RouteSchema.file.fields[index], key, value, &check)
    }
  }

  private mutating func take(_ field: Field, _ key: YAMLNode, _ value: YAMLNode, _ check: inout SchemaCheck) {
    switch field.name {
    case "routes", "tests":
      guard value.kind == .sequence else {
        check.append(
          value.diagnostic(
            .error, "'\(field.name)' wants a list, not \(value.described)", hint: "begin each with '- '"))
        isIncomplete = true
        return
      }
      if field.name == "routes" { routes.append(value) } else { tests.append(value) }
    case "numbering":
      if let numbering {
        check.check(value, field.shape, key: field.name)
        guard numbering.document !== value.document else { return }
        check.append(
          key.diagnostic(
            .error, "'numbering' is there twice", notes: [.init("first written here", at: numbering.location)]
          ))
      } else {
        numbering = value
      }
    default:
      guard value.kind == .mapping else {
        check.check(value, field.shape, key: field.name)
        torn.insert(field.name)
        return
      }
      value.forEachPair { define($0, $1, field, &check) }
    }
  }

  private mutating func define(
    _ key: YAMLNode, _ value: YAMLNode, _ field: Field, _ check: inout SchemaCheck
  ) {
    let (name, section) = (key.text ?? "", field.name)
    if name.isEmpty {
      check.append(key.diagnostic(.error, "a name cannot be empty"))
      return
    }
    if let first = sections[section]?[name] {
      // Twice in one file is YAML's business, and was reported.
      if first.key.document !== key.document {
        check.append(
          key.diagnostic(
            .error, "'\(name)' is defined twice in '\(section)'",
            hint: "names are shared by all files of the directory",
            notes: [.init("first defined here", at: first.key.location)]))
      }
      if section == "providers" {
        check.check(value, .object(shape(ofProvider: value)), key: name)
      } else if case .named(let shape) = field.shape {
        check.check(value, shape, key: name)
      }
      return
    }
    sections[section, default: [:]][name] = Entry(name: name, key: key, value: value)
  }

  /// The entries of a section in the order of the files.
  func entries(of section: String) -> [Entry] {
    (sections[section] ?? [:]).values.sorted {
      let (a, b) = ($0.key.location, $1.key.location)
      return a.file == b.file ? (a.line, a.column) < (b.line, b.column) : a.file < b.file
    }
  }

  func names(of section: String) -> [String] { sections[section].map { Array($0.keys) } ?? [] }

  func has(_ name: String, in section: String) -> Bool { sections[section]?[name] != nil }

  /// Notes that a node refers to a name; reports it when nobody defined that.
  func refer(_ node: YAMLNode?, _ noun: String, in section: String, _ check: inout SchemaCheck) {
    guard let node, let name = node.text, !node.isNull else { return }
    if has(name, in: section) {
      check.use(name, in: section)
    } else if !isIncomplete, !torn.contains(section) {
      check.append(unknown(node, noun, in: section))
    }
  }

  /// The same for a list of names, or a single one.
  func referAll(_ node: YAMLNode?, _ noun: String, in section: String, _ check: inout SchemaCheck) {
    guard let node else { return }
    for element in node.kind == .sequence ? node.elements : [node] {
      refer(element, noun, in: section, &check)
    }
  }

  /// Says that a name is unknown, and which one is near.
  private func unknown(_ node: YAMLNode, _ noun: String, in section: String) -> Diagnostic {
    let name = node.text ?? ""
    let known = names(of: section).sorted()
    var hint = "define it under '\(section)'"
    if let near = Suggestion.nearest(to: name, in: known) {
      hint = "did you mean '\(near)'?"
    } else if !known.isEmpty {
      hint += "; known are: \(known.prefix(8).joined(separator: ", "))\(known.count > 8 ? ", …" : "")"
    }
    return node.diagnostic(.error, "there is no \(noun) '\(name)'", hint: hint)
  }
}
