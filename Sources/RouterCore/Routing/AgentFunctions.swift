/// What an agent may use, made of its merged settings.
extension AgentSettings {
  /// Its functions, then its MCP servers, then what its knowledge base, FAQs and the search of the web come to.
  func functionDefinitions(
    of agent: AgentConfiguration, _ settings: JSONValue, _ secrets: Secrets
  ) -> [FunctionDefinition] {
    var all = settings["functions"].strings.compactMap { name in
      functions[name].map { FunctionDefinition(function: name, secrets.fill($0)) }
    }
    all += settings["mcp"].flatMap { $0["servers"] }.strings.compactMap { name in
      mcpServers[name].map { FunctionDefinition(mcpServer: name, secrets.fill($0)) }
    }
    if let name = agent.knowledgeBase, let base = knowledgeBases[name] {
      all.append(FunctionDefinition(key: name, kind: FunctionDefinition.Kind.knowledge, settings: base))
    }
    if !agent.faqs.isEmpty {
      all.append(FunctionDefinition(key: "faqs", kind: FunctionDefinition.Kind.faq))
    }
    if settings["useWebSearch"]?.bool != false, let search = webSearch(secrets) { all.append(search) }
    return all
  }

  /// What agents may have, whichever of them do.
  func allFunctions(_ secrets: Secrets) -> [FunctionDefinition] {
    var agent = AgentConfiguration(name: "")
    let all: JSONValue = [
      "functions": .array(functions.keys.sorted().map(JSONValue.string)),
      "mcp": ["servers": .array(mcpServers.keys.sorted().map(JSONValue.string))],
    ]
    var result = functionDefinitions(of: agent, all, secrets)
    for name in knowledgeBases.keys.sorted() {
      agent.knowledgeBase = name
      result += functionDefinitions(of: agent, ["useWebSearch": false], secrets)
    }
    return result
  }

  /// The first provider that searches the web; without one there is no such tool.
  private func webSearch(_ secrets: Secrets) -> FunctionDefinition? {
    let kind = FunctionDefinition.Kind.webSearch
    guard let name = providers.filter({ $0.value["type"]?.string == kind }).keys.min(),
      let provider = providers[name].map(secrets.fill)
    else { return nil }
    return FunctionDefinition(
      key: name, kind: kind, url: provider["url"]?.string, headers: provider["headers"].headers,
      timeout: provider["timeout"]?.integer, reach: provider.reach, settings: provider)
  }
}

extension FunctionDefinition {
  /// A function as it was written, secrets in place.
  fileprivate init(function key: String, _ value: JSONValue) {
    let url = value["url"]?.string
    let data = value["data"]
    self.init(
      key: key, kind: url.map(FunctionDefinition.scheme) ?? Kind.client, url: url,
      headers: value["headers"].headers,
      tool: data.map { data in
        Tool(
          name: data["name"]?.string ?? key, description: data["description"]?.string ?? "",
          parameters: data["parameters"] ?? ToolParameters.none)
      },
      prompt: value["prompt"]?.string, timeout: value["timeout"]?.integer,
      receiveMessages: value["receiveMessages"]?.bool ?? false,
      connectionBehavior: ConnectionBehavior(
        waitBeforeStart: value["connectionBehavior"]?["waitBeforeStart"]?.bool ?? false,
        abortOnFailure: value["connectionBehavior"]?["abortOnFailure"]?.bool ?? false),
      reach: value.reach, settings: value)
  }

  /// A server of the Model Context Protocol as it was written, secrets in place.
  fileprivate init(mcpServer key: String, _ value: JSONValue) {
    self.init(
      key: key, kind: "mcp", url: value["url"]?.string, headers: value["headers"].headers,
      prompt: value["description"]?.string, timeout: value["timeout"]?.integer, reach: value.reach,
      settings: value)
  }

  private static func scheme(_ url: String) -> String { url.prefix { $0 != ":" }.lowercased() }
}

/// Parameters of a function that says none.
private enum ToolParameters {
  static let none: JSONValue = ["type": "object", "properties": [:]]
}

extension JSONValue {
  /// `allowPrivate: true`.
  fileprivate var reach: NetworkReach { self["allowPrivate"]?.bool == true ? .anywhere : .publicOnly }
}

extension Optional<JSONValue> {
  /// Names with texts, in order.
  fileprivate var headers: [Header] {
    (self?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { name, value in
      value.string.map { Header(name, $0) }
    }
  }
}

/// What one key of a function says about another.
enum FunctionReferences {
  static func check(_ definitions: Definitions, _ check: inout SchemaCheck) {
    for entry in definitions.entries(of: "functions") where entry.value.kind == .mapping {
      let (node, shape) = (entry.value, RouteSchema.function)
      let flow = node["flow"]?.text
      let url = node["url"]?.text?.lowercased()
      func lacks(_ key: String) -> Bool { node[key] == nil && !shape.isMisspelt(key, in: node) }
      if flow == "explicit", lacks("url") {
        check.append(
          node.diagnostic(
            .error, "an explicit function needs 'url'",
            hint: "or write 'flow: implicit' when the calling application answers"))
      }
      if flow == "implicit", let url = node["url"] {
        check.append(
          url.diagnostic(
            .error, "an implicit function has no 'url'", hint: "write 'flow: explicit' when routerd calls it")
        )
      }
      let isSocket = ["ws:", "wss:"].contains { url?.hasPrefix($0) == true }
      for key in ["receiveMessages", "connectionBehavior"]
      where !isSocket && (url != nil || flow == "implicit") {
        if let node = node[key] {
          check.append(node.diagnostic(.error, "'\(key)' is for functions with a ws or wss url"))
        }
      }
      if lacks("data"), url?.hasPrefix("mcp") != true {
        check.append(
          node.diagnostic(
            .error, "a function needs 'data'", hint: "write data: {description: …, parameters: {…}}"))
      }
    }
  }
}
