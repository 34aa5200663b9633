internal import CYAML

/// Builds a document from libyaml's events. The only file that sees libyaml.
struct YAMLComposer {
  /// A container whose end has not come yet.
  private struct Open {
    var index: Int
    var isMapping: Bool
    var children = 0
    /// Depth of what is in it, aliases followed.
    var height = 0
    /// Value of `expanded` before it.
    var weightBefore: Int
    var anchor: String?
  }

  private struct Anchor {
    var index: Int
    /// Nodes that it unfolds to; `nil` while it is still open.
    var weight: Int?
    var height: Int
  }

  let file: String
  let source: [UInt8]
  let limits: YAML.Limits
  private var entries: [YAMLEntry] = []
  private var text: [UInt8] = []
  private var stack: [Open] = []
  private var anchors: [String: Anchor] = [:]
  /// Nodes, with aliases unfolded.
  private var expanded = 0
  private var documents = 0
  private var problems = DiagnosticList()
  /// Whether something of the file is lost.
  private var isTorn = false

  init(file: String, source: [UInt8], limits: YAML.Limits) {
    self.file = file
    self.source = source
    self.limits = limits
    text.reserveCapacity(source.count / 2)
    entries.reserveCapacity(source.count / 8)
  }

  /// - Parameter faults: Takes what is wrong with a file of which nothing is lost.
  mutating func compose(_ faults: inout DiagnosticList) throws(DiagnosticList) -> YAMLNode? {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
      throw DiagnosticList([Diagnostic(.error, "out of memory")])
    }
    defer { yaml_parser_delete(&parser) }
    let source = source
    source.withUnsafeBufferPointer { bytes in
      yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
      yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
      var isOver = false
      while !isOver, !problems.isFull {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else {
          problems.append(syntaxError(of: parser))
          isTorn = true
          break
        }
        isOver = event.type == YAML_STREAM_END_EVENT || !take(event)
        yaml_event_delete(&event)
      }
    }
    if isTorn || problems.isFull { throw problems }
    faults.append(contentsOf: problems)
    guard !entries.isEmpty else { return nil }
    let document = YAMLDocument(file: file, source: source, entries: entries, text: text)
    return YAMLNode(document: document, index: 0)
  }

  /// Takes one event in. Returns whether to go on.
  private mutating func take(_ event: yaml_event_t) -> Bool {
    switch event.type {
    case YAML_DOCUMENT_START_EVENT:
      documents += 1
      if documents > 1 {
        fail(event, "a second document begins here", hint: "put it into a file of its own")
        return false
      }
      return true
    case YAML_SCALAR_EVENT:
      return takeScalar(event)
    case YAML_SEQUENCE_START_EVENT:
      return open(
        event, .sequence, tag: event.data.sequence_start.tag, anchor: event.data.sequence_start.anchor)
    case YAML_MAPPING_START_EVENT:
      return open(event, .mapping, tag: event.data.mapping_start.tag, anchor: event.data.mapping_start.anchor)
    case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
      close()
      return true
    case YAML_ALIAS_EVENT:
      return takeAlias(event)
    default:
      return true
    }
  }

  private mutating func takeScalar(_ event: yaml_event_t) -> Bool {
    let scalar = event.data.scalar
    refuseTag(scalar.tag, event)
    let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
    if isPlain, isKey, scalar.length == 2, scalar.value[0] == UInt8(ascii: "<"),
      scalar.value[1] == UInt8(ascii: "<")
    {
      fail(
        event, "merge keys (<<) are not understood",
        hint: "write the keys out, or use an alias for a whole value")
    }
    if let anchor = scalar.anchor {
      anchors[String(cString: anchor)] = Anchor(index: entries.count, weight: 1, height: 0)
    }
    let offset = text.count
    text.append(contentsOf: UnsafeBufferPointer(start: scalar.value, count: scalar.length))
    add(YAMLEntry(isPlain ? .plain : .quoted, event, a: offset, b: scalar.length))
    return true
  }

  private mutating func takeAlias(_ event: yaml_event_t) -> Bool {
    let name = event.data.alias.anchor.map { String(cString: $0) } ?? ""
    guard let anchor = anchors[name] else {
      fail(
        event, "nothing is called &\(name) above",
        hint: "a value that begins with * must stand in quotes: \"*\(name)\"")
      add(YAMLEntry(.plain, event))
      return true
    }
    guard let weight = anchor.weight else {
      fail(event, "*\(name) stands inside of what it stands for")
      return false
    }
    expanded += weight - 1
    if expanded > limits.expansion + 10 * entries.count {
      fail(event, "aliases unfold to more than \(limits.expansion) nodes", hint: "write the values out")
      return false
    }
    if stack.count + anchor.height > limits.depth {
      fail(event, "more than \(limits.depth) levels deep, with *\(name) unfolded")
      return false
    }
    if !stack.isEmpty { stack[stack.count - 1].height = max(stack[stack.count - 1].height, anchor.height) }
    if isKey { fail(event, "a key cannot be an alias") }
    add(YAMLEntry(.alias, event, a: anchor.index))
    return true
  }

  private mutating func open(
    _ event: yaml_event_t, _ kind: YAMLEntry.Kind, tag: UnsafeMutablePointer<UInt8>?,
    anchor: UnsafeMutablePointer<UInt8>?
  ) -> Bool {
    refuseTag(tag, event)
    if stack.count >= limits.depth {
      fail(event, "more than \(limits.depth) levels deep")
      return false
    }
    if isKey {
      fail(event, "a key must be text", hint: "a value that begins with { or [ must stand in quotes")
      return false
    }
    let name = anchor.map { String(cString: $0) }
    if let name { anchors[name] = Anchor(index: entries.count, weight: nil, height: 0) }
    let before = expanded
    let index = entries.count
    add(YAMLEntry(kind, event))
    stack.append(Open(index: index, isMapping: kind == .mapping, weightBefore: before, anchor: name))
    return true
  }

  private mutating func close() {
    guard let open = stack.popLast() else { return }
    entries[open.index].a = UInt32(truncatingIfNeeded: entries.count)
    entries[open.index].b = UInt32(truncatingIfNeeded: open.isMapping ? open.children / 2 : open.children)
    let height = open.height + 1
    if let name = open.anchor, anchors[name]?.index == open.index {
      anchors[name] = Anchor(index: open.index, weight: expanded - open.weightBefore, height: height)
    }
    if !stack.isEmpty { stack[stack.count - 1].height = max(stack[stack.count - 1].height, height) }
    if open.isMapping, open.children > 2 { refuseDuplicates(in: open.index, pairs: open.children / 2) }
  }

  private mutating func add(_ entry: YAMLEntry) {
    expanded += 1
    if !stack.isEmpty { stack[stack.count - 1].children += 1 }
    entries.append(entry)
  }

  /// Whether the next node is a key.
  private var isKey: Bool { stack.last.map { $0.isMapping && $0.children % 2 == 0 } ?? false }

  // MARK: What is refused

  private mutating func refuseDuplicates(in mapping: Int, pairs: Int) {
    var keys: [Int] = []
    keys.reserveCapacity(pairs)
    var child = mapping + 1
    for _ in 0..<pairs {
      keys.append(child)
      let value = child + 1
      let entry = entries[value]
      child = entry.kind == .sequence || entry.kind == .mapping ? Int(entry.a) : value + 1
    }
    if pairs <= 8 {
      for later in 1..<pairs {
        for earlier in 0..<later where bytes(of: keys[earlier]).elementsEqual(bytes(of: keys[later])) {
          reportDuplicate(keys[later], first: keys[earlier])
          break
        }
      }
      return
    }
    var first: [ArraySlice<UInt8>: Int] = Dictionary(minimumCapacity: pairs)
    for key in keys {
      if let earlier = first[bytes(of: key)] {
        reportDuplicate(key, first: earlier)
      } else {
        first[bytes(of: key)] = key
      }
    }
  }

  private func bytes(of index: Int) -> ArraySlice<UInt8> {
    let entry = entries[index]
    guard entry.kind == .plain || entry.kind == .quoted else { return [] }
    return text[Int(entry.a)..<Int(entry.a) + Int(entry.b)]
  }

  private mutating func reportDuplicate(_ key: Int, first: Int) {
    let name = String(decoding: bytes(of: key), as: UTF8.self)
    let location = SourceLocation(file: file, line: Int(entries[key].line), column: entries[key].column)
    let earlier = SourceLocation(file: file, line: Int(entries[first].line), column: entries[first].column)
    problems.append(
      Diagnostic(
        .error, "duplicate key '\(name)'", hint: "keep one of them", at: location,
        sourceLine: YAMLDocument.line(location.line, of: source), length: name.unicodeScalars.count,
        notes: [.init("first written here", at: earlier)]))
  }

  private mutating func refuseTag(_ tag: UnsafeMutablePointer<UInt8>?, _ event: yaml_event_t) {
    guard let tag else { return }
    let name = String(cString: tag)
    // `! text` is YAML's way to say "just text", which every scalar is here.
    guard name != "!" else { return }
    let short = name.hasPrefix("tag:yaml.org,2002:") ? "!!" + name.dropFirst(18) : name[...]
    report(
      event, "the tag \(short) is not understood",
      hint: "leave it out: the type follows from the key; text that begins with ! must stand in quotes")
  }

  private mutating func fail(_ event: yaml_event_t, _ message: String, hint: String? = nil) {
    isTorn = true
    report(event, message, hint: hint)
  }

  private mutating func report(_ event: yaml_event_t, _ message: String, hint: String? = nil) {
    problems.append(YAMLProblem(file: file, source: source).at(event.start_mark.place, message, hint: hint))
  }

  private func syntaxError(of parser: yaml_parser_t) -> Diagnostic {
    let problem = parser.problem.map { String(cString: $0) } ?? "not understood"
    let reporter = YAMLProblem(file: file, source: source)
    if parser.error == YAML_READER_ERROR {
      return reporter.notText(problem, offset: Int(parser.problem_offset))
    }
    let context = parser.context.map { String(cString: $0) } ?? ""
    return reporter.syntax(
      problem, at: parser.problem_mark.place, context: context, from: parser.context_mark.place)
  }
}

extension yaml_mark_t {
  fileprivate var place: YAMLProblem.Place { .init(line: Int(line) + 1, column: Int(column) + 1) }
}

extension YAMLEntry {
  fileprivate init(_ kind: Kind, _ event: yaml_event_t, a: Int = 0, b: Int = 0) {
    self.init(
      kind, line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1, a: a, b: b)
  }
}
