/// Makes a snapshot of files: reads, checks, compiles. Whatever is wrong is reported with its place, all at once.
public enum RouteTableLoader {
  /// Loads a directory.
  /// - Parameters:
  ///   - types: What the plugins can do for providers; without it nobody looks.
  ///   - runsTests: Whether a failed test of the table's own is an error.
  public static func load(
    directory: String, types: ProviderTypes? = nil, runsTests: Bool = true
  ) -> Result<RouteSnapshot, DiagnosticList> {
    do throws(DiagnosticList) {
      return load(try RouteSource.directory(directory), types: types, runsTests: runsTests)
    } catch {
      return .failure(error)
    }
  }

  /// Loads files that were read before.
  /// - Parameters:
  ///   - types: What the plugins can do for providers; without it nobody looks.
  ///   - runsTests: Whether a failed test of the table's own is an error.
  public static func load(
    _ source: RouteSource, types: ProviderTypes? = nil, runsTests: Bool = true
  ) -> Result<RouteSnapshot, DiagnosticList> {
    var loading = Loading(source, types)
    do throws(DiagnosticList) {
      let snapshot = try loading.run()
      let report = runsTests ? snapshot.runTests() : nil
      if let report, !report.passed { throw report.failures }
      return .success(snapshot)
    } catch {
      return .failure(error)
    }
  }
}

/// One load.
private struct Loading {
  private let source: RouteSource
  private var check = SchemaCheck()
  private var definitions: Definitions
  private var secrets = Secrets()
  /// Digests of the files besides the table's own, by path.
  private var lists: [String: [UInt8]] = [:]

  init(_ source: RouteSource, _ types: ProviderTypes?) {
    self.source = source
    definitions = Definitions(types: types)
  }

  mutating func run() throws(DiagnosticList) -> RouteSnapshot {
    parse()
    let numbering = numbering()
    var settings = AgentSettings(definitions, &check)
    for entry in definitions.entries(of: "knowledgeBases") {
      settings.knowledgeBases[entry.name] = KnowledgeFiles.resolve(entry, source, &lists, &check)
    }
    AgentReferences.refuseCycles(definitions, &check)
    PlainSecrets.warn(definitions, &check)
    let context = ConditionContext(lists: callerLists(numbering), schedules: schedules())
    let trunks = trunks()
    let connections = connections()
    var compiler = RouteCompiler(definitions, numbering)
    for list in definitions.routes { list.forEachChild { compiler.add($0, &check) } }
    let tests = tests(compiler, context, trunks)
    if check.diagnostics.hasErrors { throw check.diagnostics.sorted }
    warnOfUnused()
    return RouteSnapshot(
      .init(
        version: source.version(lists: lists), files: source.files.map(\.path), table: compiler.table(),
        context: context, settings: settings, numbering: numbering, trunks: trunks, connections: connections,
        secrets: secrets, tests: tests, sections: sections(), warnings: check.warnings))
  }

  private mutating func tests(
    _ compiler: RouteCompiler, _ context: ConditionContext, _ trunks: [Trunk]
  ) -> [RouteTest] {
    let compiler = RouteTestCompiler(
      definitions: definitions, schedules: context.schedules, trunks: trunks,
      isRoute: { compiler.route(named: $0) != nil })
    return definitions.tests.flatMap(\.elements).compactMap { compiler.test($0, &check) }
  }

  /// Every named thing as JSON.
  private func sections() -> [String: [String: JSONValue]] {
    var result: [String: [String: JSONValue]] = [:]
    for field in RouteSchema.file.fields {
      guard case .named(let shape) = field.shape else { continue }
      for entry in definitions.entries(of: field.name) {
        result[field.name, default: [:]][entry.name] = JSONValue(entry.value, shape)
      }
    }
    if let node = definitions.numbering {
      result["numbering"] = ["numbering": JSONValue(node, .object(RouteSchema.numbering))]
    }
    return result
  }

  /// Names that nothing refers to.
  private mutating func warnOfUnused() {
    let sections = [
      ("agents", "no route, connection or fallback names the agent"),
      ("callerLists", "no route uses the caller list"),
      ("schedules", "no route uses the schedule"), ("companions", "no agent uses the companion"),
      ("faqCollections", "no agent uses the FAQ collection"), ("functions", "no agent uses the function"),
    ]
    for (section, words) in sections {
      for entry in definitions.entries(of: section) where check.used[section]?.contains(entry.name) != true {
        check.append(entry.key.diagnostic(.warning, "\(words) '\(entry.name)'"))
      }
    }
  }

  private mutating func parse() {
    check.append(contentsOf: source.faults)
    definitions.isIncomplete = !source.faults.isEmpty
    for file in source.files {
      do throws(DiagnosticList) {
        var faults = DiagnosticList()
        let root = try YAML.parse(file.bytes, file: file.path, faults: &faults)
        check.append(contentsOf: faults)
        guard let root else { continue }
        definitions.take(root, &check)
        readSecrets(of: root)
      } catch {
        check.append(contentsOf: error)
        definitions.isIncomplete = true
      }
    }
  }

  /// Reads everything that the file refers to with `${…}`.
  private mutating func readSecrets(of root: YAMLNode) {
    guard root.document.text.contains(UInt8(ascii: "$")) else { return }
    for (index, entry) in root.document.entries.enumerated()
    where entry.kind == .plain || entry.kind == .quoted {
      let node = YAMLNode(document: root.document, index: index)
      guard node.bytes.contains(UInt8(ascii: "$")), let text = node.text, SecretReference.occurs(in: text)
      else { continue }
      do throws(TextFault) {
        try secrets.read(text, from: source)
      } catch {
        check.append(node.diagnostic(.error, error.message, hint: error.hint))
      }
    }
  }

  private mutating func numbering() -> Numbering {
    guard let node = definitions.numbering,
      check.check(node, .object(RouteSchema.numbering), key: "numbering")
    else {
      return Numbering()
    }
    return Numbering(region: node["region"]?.text)
  }

  private mutating func callerLists(_ numbering: Numbering) -> [String: NumberSet] {
    var result: [String: NumberSet] = [:]
    for entry in definitions.entries(of: "callerLists") {
      check.check(entry.value, .object(RouteSchema.callerList), key: entry.name)
      var set = NumberSet()
      for node in entry.value["numbers"]?.elements ?? [] {
        guard let text = node.text, !node.isNull else { continue }  // its shape was refused
        do {
          set.insert(try NumberPattern(text, numbering))
        } catch {
          check.append(node.diagnostic(.error, error.message, hint: error.hint))
        }
      }
      if let file = entry.value["file"], let path = file.text, !file.isNull,
        let content = CallerListFile.content(file, source, &check)
      {
        lists[path] = Digest.hash(content)
        let place = source.root.isEmpty ? path : RouteDirectory.absolute(path, in: source.root)
        set = CallerListFile.numbers(in: content, path: place, numbering, &check)
      }
      result[entry.name] = set
    }
    return result
  }

  private mutating func schedules() -> [String: Schedule] {
    var result: [String: Schedule] = [:]
    for entry in definitions.entries(of: "schedules") {
      check.check(entry.value, .object(RouteSchema.schedule), key: entry.name)
      guard let zone = entry.value["timezone"], let name = zone.text, !zone.isNull else { continue }
      guard let rules = source.timeZone(name).flatMap({ TimeZoneRules(name: name, file: $0) }) else {
        let near = RouteSource.timeZone(near: name).map { "did you mean '\($0)'?" }
        check.append(
          zone.diagnostic(
            .error, "there is no time zone '\(name)'",
            hint: near ?? "write a name of the IANA database, e.g. Europe/London or UTC"))
        continue
      }
      func texts(_ key: String) -> [String] {
        entry.value[key].map { $0.kind == .sequence ? $0.elements : [$0] }?.compactMap(\.text) ?? []
      }
      let open = texts("open").compactMap { try? OpeningHours($0) }  // bad ones were reported
      result[entry.name] = Schedule(
        name: entry.name, zone: rules, open: open, closed: texts("closed").compactMap { DatePattern($0) },
        location: entry.key.location)
    }
    return result
  }

  private mutating func trunks() -> [Trunk] {
    var trunks: [Trunk] = []
    for entry in definitions.entries(of: "trunks") {
      let shape = RouteSchema.trunk
      check.check(entry.value, .object(shape), key: entry.name)
      if entry.value.kind == .mapping || entry.value.isNull,
        ["addresses", "auth"].allSatisfy({ entry.value[$0] == nil && !shape.isMisspelt($0, in: entry.value) })
      {
        check.append(
          entry.key.diagnostic(
            .error, "the trunk '\(entry.name)' lets nobody in", hint: "give it 'addresses', 'auth', or both"))
      }
      trunks.append(Trunk(name: entry.name, entry.value, secrets))
    }
    return trunks
  }

  private mutating func connections() -> [SIPConnection] {
    var connections: [SIPConnection] = []
    for entry in definitions.entries(of: "connections") {
      check.check(entry.value, .object(RouteSchema.connection), key: entry.name)
      definitions.refer(entry.value["agentId"], "agent", in: "agents", &check)
      connections.append(
        SIPConnection(name: entry.name, at: entry.key.location, entry.value, secrets))
    }
    return connections
  }
}
