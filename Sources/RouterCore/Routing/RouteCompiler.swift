/// Makes routes of nodes that ``SchemaCheck`` found sound, and packs them.
struct RouteCompiler {
  let definitions: Definitions
  let numbering: Numbering
  private var routes: [RouteTable.Route] = []
  private var entries: [(pattern: NumberPattern?, route: UInt32)] = []
  private var files: [String] = []
  private var fileNumbers: [String: UInt16] = [:]
  private var texts = TextPool()
  private var conditions: [[Condition]] = [[]]
  private var conditionNumbers: [[Condition]: UInt32] = [[]: 0]
  private var actions: [RouteAction] = []
  private var actionNumbers: [RouteAction: UInt32] = [:]
  private var overrides: [Sourced] = []
  private var overrideNumbers: [Sourced: Int] = [:]
  /// First route of each name, by a hash of it; the rare others of the same hash are in `sameHash`.
  private var names = NumberTable()
  private var sameHash: [String: Int] = [:]
  /// Actions that are an agent and nothing else.
  private var plainActions: [String: UInt32] = [:]

  init(_ definitions: Definitions, _ numbering: Numbering) {
    self.definitions = definitions
    self.numbering = numbering
  }

  /// Compiles one route. Reports what the shape alone cannot say, of a route with a wrong shape, too: what is made of
  /// such a one is never used.
  mutating func add(_ node: YAMLNode, _ check: inout SchemaCheck) {
    check.check(node, .object(RouteSchema.route))
    let place = node.location
    let number = UInt32(routes.count)
    let patterns = toPatterns(node, &check)
    let conditions = self.conditions(node["match"], &check)
    let action = actionNumber(node, &check)
    let name = node["name"]?.text ?? ""
    takeName(name, node, conditions, &check)
    for pattern in patterns { entries.append((pattern, number)) }
    if patterns.isEmpty { entries.append((nil, number)) }
    routes.append(
      RouteTable.Route(
        name: name.isEmpty ? .empty : texts.add(name.utf8), to: toText(patterns), line: UInt32(place.line),
        priority: Int32(clamping: node["priority"]?.integer ?? 0), conditions: intern(conditions),
        action: action,
        file: fileNumber(place.file)))
  }

  /// The table of all routes that were added.
  func table() -> RouteTable {
    RouteTable(
      routes: routes, files: files, texts: texts, conditions: conditions, actions: actions,
      overrides: overrides,
      index: RouteIndex(priorities: routes.map(\.priority), entries: entries))
  }

  private mutating func takeName(
    _ name: String, _ node: YAMLNode, _ conditions: [Condition], _ check: inout SchemaCheck
  ) {
    let keepsCallersApart = node["split"] != nil || node["match"]?["percent"] != nil
    if name.isEmpty, keepsCallersApart, !RouteSchema.route.isMisspelt("name", in: node) {
      check.append(
        node.diagnostic(
          .error, "a route with 'split' or 'percent' needs a 'name'",
          hint: "callers stay on their side by the route's name"))
    }
    guard !name.isEmpty else { return }
    if let first = route(named: name) {
      let other = routes[first]
      let place = SourceLocation(file: files[Int(other.file)], line: Int(other.line), column: 1)
      check.append(
        (node["name"] ?? node).diagnostic(
          .error, "there are two routes '\(name)'", hint: "give one of them another name",
          notes: [.init("the first one", at: place)]))
    } else {
      let key = RouteCompiler.key(name)
      if names[key] == nil { names[key] = UInt32(routes.count) } else { sameHash[name] = routes.count }
    }
  }

  private static func key(_ name: String) -> UInt64 { YAMLDocument.hash(name.utf8) | 1 }

  /// Position of the route of a name.
  func route(named name: String) -> Int? {
    guard let first = names[RouteCompiler.key(name)] else { return nil }
    return texts[routes[Int(first)].name] == name ? Int(first) : sameHash[name]
  }

  private mutating func fileNumber(_ file: String) -> UInt16 {
    if let number = fileNumbers[file] { return number }
    let number = UInt16(truncatingIfNeeded: files.count)
    files.append(file)
    fileNumbers[file] = number
    return number
  }

  private mutating func toText(_ patterns: [NumberPattern]) -> TextPool.Piece {
    if patterns.isEmpty { return .empty }
    return texts.add(patterns.map(\.description).joined(separator: "\n").utf8)
  }

  // MARK: Sharing

  private mutating func intern(_ value: [Condition]) -> UInt32 {
    if value.isEmpty { return 0 }
    if let number = conditionNumbers[value] { return number }
    conditions.append(value)
    conditionNumbers[value] = UInt32(conditions.count - 1)
    return UInt32(conditions.count - 1)
  }

  private mutating func intern(_ value: RouteAction) -> UInt32 {
    if let number = actionNumbers[value] { return number }
    actions.append(value)
    actionNumbers[value] = UInt32(actions.count - 1)
    return UInt32(actions.count - 1)
  }

  private mutating func intern(_ node: YAMLNode?, in route: YAMLNode) -> [Int] {
    guard let node, !node.isNull else { return [] }
    let first = route.location.line
    let value = Sourced(node, .patch(RouteSchema.agentSettings)).replacingOrigins { origin in
      // Aliases may stand in front of the route, in the same file.
      if case .line(_, let line) = origin { .below(line - first) } else { origin }
    }
    if let number = overrideNumbers[value] { return [number] }
    overrides.append(value)
    overrideNumbers[value] = overrides.count - 1
    return [overrides.count - 1]
  }
}

// MARK: What a route does

extension RouteCompiler {
  /// The action of a route, shared with those that do the same.
  private mutating func actionNumber(_ node: YAMLNode, _ check: inout SchemaCheck) -> UInt32 {
    let isPlain = ["overrides", "fallback", "limit", "hook"].allSatisfy { node[$0] == nil }
    guard isPlain, let agent = node["agent"]?.text else { return intern(action(node, &check)) }
    if let known = plainActions[agent] { return known }
    let number = intern(action(node, &check))
    // One that is not there is reported at each place.
    if definitions.has(agent, in: "agents") { plainActions[agent] = number }
    return number
  }

  private mutating func action(_ node: YAMLNode, _ check: inout SchemaCheck) -> RouteAction {
    var action = RouteAction(target: target(node, in: node, &check) ?? .reject(.init(code: 500)))
    action.fallback = (node["fallback"]?.elements ?? []).compactMap { target($0, in: node, &check) }
    if let limit = node["limit"] {
      action.limit = RouteAction.Limit(
        calls: limit["calls"]?.integer ?? limit.integer ?? 0, key: limit["key"]?.text)
    }
    if let hook = node["hook"] {
      action.hook = RouteCompiler.hook(hook)
      PlainSecrets.warn(hook, of: "hook", ["secret"], &check)
    }
    let hasAgent = node["agent"] != nil || node["split"] != nil
    if !hasAgent, node["transfer"] != nil || node["reject"] != nil, let overrides = node["overrides"] {
      check.append(
        overrides.diagnostic(
          .error, "overrides change an agent, and this route has none", hint: "take 'overrides' out"))
    }
    return action
  }

  private mutating func target(
    _ node: YAMLNode, in route: YAMLNode, _ check: inout SchemaCheck
  ) -> RouteAction.Target? {
    if let agent = node["agent"] {
      definitions.refer(agent, "agent", in: "agents", &check)
      refer(in: node["overrides"], &check)
      return .agent(agent.text ?? "", overrides: intern(node["overrides"], in: route))
    }
    if let transfer = node["transfer"] {
      let target = transfer["target"]?.text ?? transfer.text ?? ""
      return .transfer(TransferRequest(target: target, timeout: transfer["timeout"]?.integer ?? 30))
    }
    if let reject = node["reject"] {
      return .reject(
        RouteAction.Rejection(
          code: reject["code"]?.integer ?? reject.integer ?? 603, reason: reject["reason"]?.text,
          retryAfter: reject["retryAfter"]?.integer))
    }
    return node["split"].map { split($0, in: route, &check) }
  }

  private mutating func split(
    _ node: YAMLNode, in route: YAMLNode, _ check: inout SchemaCheck
  ) -> RouteAction.Target {
    var shares: [RouteAction.Share] = []
    for element in node.elements {
      guard let agent = element["agent"] else { continue }
      definitions.refer(agent, "agent", in: "agents", &check)
      refer(in: element["overrides"], &check)
      refer(in: route["overrides"], &check)
      let own = intern(route["overrides"], in: route) + intern(element["overrides"], in: route)
      shares.append(.init(agent: agent.text ?? "", weight: element["weight"]?.integer ?? 0, overrides: own))
    }
    let isCounted = node.kind == .sequence && node.elements.allSatisfy { $0["weight"]?.integer != nil }
    if isCounted, shares.allSatisfy({ $0.weight == 0 }) {
      check.append(
        node.diagnostic(
          .error, "a split needs a weight above 0",
          hint: "write [{agent: a, weight: 95}, {agent: b, weight: 5}]"))
    }
    return .split(shares)
  }

  private static func hook(_ node: YAMLNode) -> PreAnswerHook {
    PreAnswerHook(
      url: node["url"]?.text ?? node.text ?? "", secret: node["secret"]?.text,
      deadline: .milliseconds(node["timeoutMs"]?.integer ?? 300),
      onFailure: node["onFailure"]?.text.flatMap(PreAnswerHook.Default.init) ?? .proceed,
      reach: node["allowPrivate"]?.text == "true" ? .anywhere : .publicOnly)
  }

  private func refer(in overrides: YAMLNode?, _ check: inout SchemaCheck) {
    if let overrides { AgentReferences.check(overrides, definitions, &check) }
  }
}

// MARK: Which calls a route takes
