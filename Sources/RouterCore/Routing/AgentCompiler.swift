/// An agent as it was written: its own settings, and what each channel changes.
struct CompiledAgent: Sendable {
  var name: String
  var settings: Sourced
  var channels: [String: Sourced]
  var location: SourceLocation
}

/// The names that an agent's settings refer to.
enum AgentReferences {
  /// A model backend that needs no account, and no definition.
  static let offline = "offline"

  /// Reports names that nobody defined. `settings` is an agent, a channel's block or a route's overrides.
  static func check(_ settings: YAMLNode, _ definitions: Definitions, _ check: inout SchemaCheck) {
    func refer(_ key: String, _ noun: String, _ section: String) {
      definitions.referAll(settings[key], noun, in: section, &check)
    }
    refer("companionId", "companion", "companions")
    refer("knowledgeBaseId", "knowledge base", "knowledgeBases")
    refer("functions", "function", "functions")
    refer("faqCollections", "FAQ collection", "faqCollections")
    for element in settings["fallback"]?.elements ?? [] {
      if let agent = agent(ofFallback: element) { definitions.refer(agent, "agent", in: "agents", &check) }
    }
    definitions.referAll(settings["mcp"]?["servers"], "MCP server", in: "mcpServers", &check)
    for key in ["provider", "webhook"] {
      ProviderReferences.checkConversing(settings[key], definitions, &check)
    }
    SpeechReferences.check(settings["speech"], definitions, &check)
  }

  /// The agent that an element of `fallback:` names; `nil` for a transfer.
  private static func agent(ofFallback element: YAMLNode) -> YAMLNode? {
    element.kind == .mapping ? element["agent"] : element
  }
}

extension AgentReferences {
  /// Reports agents whose fallbacks come back to them: such a call would go in circles.
  static func refuseCycles(_ definitions: Definitions, _ check: inout SchemaCheck) {
    var next: [String: [String]] = [:]
    for entry in definitions.entries(of: "agents") {
      let blocks = [entry.value] + (entry.value["channels"]?.pairs.map(\.value) ?? [])
      next[entry.name] = blocks.flatMap { block in
        (block["fallback"]?.elements ?? []).compactMap { agent(ofFallback: $0)?.text }
      }
    }
    var done: Set<String> = []
    for entry in definitions.entries(of: "agents") where !done.contains(entry.name) {
      guard let cycle = cycle(from: entry.name, next, &done) else { continue }
      check.append(
        entry.key.diagnostic(
          .error, "the fallback of '\(entry.name)' comes back: \(cycle.joined(separator: " → "))",
          hint: "end the chain with an agent that needs no other"))
    }
  }

  /// Walks depth first, without recursion: chains may be long.
  private static func cycle(
    from start: String, _ next: [String: [String]], _ done: inout Set<String>
  ) -> [String]? {
    var path: [(name: String, rest: [String])] = [(start, next[start] ?? [])]
    var onPath: Set<String> = [start]
    while var last = path.popLast() {
      guard !last.rest.isEmpty else {
        onPath.remove(last.name)
        done.insert(last.name)
        continue
      }
      let name = last.rest.removeFirst()
      path.append(last)
      if onPath.contains(name) {
        done.formUnion(onPath)
        return path.map(\.name).drop { $0 != name } + [name]
      }
      if !done.contains(name) {
        path.append((name, next[name] ?? []))
        onPath.insert(name)
      }
    }
    return nil
  }
}

/// All that agents are made of.
struct AgentSettings: Sendable {
  var agents: [String: CompiledAgent] = [:]
  var companions: [String: JSONValue] = [:]
  var faqCollections: [String: [AgentConfiguration.FAQ]] = [:]
  var functions: [String: JSONValue] = [:]
  var knowledgeBases: [String: JSONValue] = [:]
  var mcpServers: [String: JSONValue] = [:]
  var providers: [String: JSONValue] = [:]
  /// Where each provider is written.
  var providerLocations: [String: SourceLocation] = [:]

  init() {}

  /// Reads the sections; reports what is wrong with them, also with what a wrong value stands beside. What is made of
  /// wrong ones is never used.
  init(_ definitions: Definitions, _ check: inout SchemaCheck) {
    for entry in definitions.entries(of: "agents") {
      check.check(entry.value, .object(RouteSchema.agent), key: entry.name)
      AgentReferences.check(entry.value, definitions, &check)
      VoiceMode.check(entry.value, &check)
      agents[entry.name] = AgentSettings.agent(entry, definitions, &check)
    }
    companions = AgentSettings.read("companions", RouteSchema.companion, definitions, &check)
    for entry in definitions.entries(of: "providers") {
      let shape = definitions.shape(ofProvider: entry.value)
      check.check(entry.value, .object(shape), key: entry.name)
      providers[entry.name] = JSONValue(entry.value, .object(shape))
      ProviderReferences.checkType(entry.value, definitions, &check)
      ProviderReferences.checkNeeded(entry.value, entry.name, definitions, &check)
      let account = ProviderAccount(name: entry.name, settings: providers[entry.name] ?? .null)
      ProviderReferences.checkSecrets(entry.value, account, definitions, &check)
      SpeechReferences.check(entry.value["speech"], definitions, &check)
      providerLocations[entry.name] = entry.key.location
    }
    knowledgeBases = AgentSettings.read("knowledgeBases", RouteSchema.knowledgeBase, definitions, &check)
    mcpServers = AgentSettings.read("mcpServers", RouteSchema.mcpServer, definitions, &check)
    functions = AgentSettings.read("functions", RouteSchema.function, definitions, &check)
    FunctionReferences.check(definitions, &check)
    for entry in definitions.entries(of: "faqCollections") {
      check.check(entry.value, .list(.object(RouteSchema.faq)), key: entry.name)
      faqCollections[entry.name] = entry.value.elements.map { item in
        AgentConfiguration.FAQ(
          question: item["question"]?.text ?? "", answer: item["answer"]?.text ?? "",
          phrases: item["phrases"]?.elements.compactMap(\.text) ?? [])
      }
    }
  }

  private static func read(
    _ section: String, _ shape: ObjectShape, _ definitions: Definitions, _ check: inout SchemaCheck
  ) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    for entry in definitions.entries(of: section) {
      check.check(entry.value, .object(shape), key: entry.name)
      values[entry.name] = JSONValue(entry.value, .object(shape))
    }
    return values
  }

  private static func agent(
    _ entry: Definitions.Entry, _ definitions: Definitions, _ check: inout SchemaCheck
  ) -> CompiledAgent {
    guard case .object(var settings, let origin) = Sourced(entry.value, .object(RouteSchema.agent)) else {
      return CompiledAgent(
        name: entry.name, settings: Sourced([:], from: entry.key.origin), channels: [:],
        location: entry.key.location)
    }
    var channels: [String: Sourced] = [:]
    if case .object(let blocks, _) = settings["channels"] { channels = blocks }
    settings["channels"] = nil
    for (_, block) in entry.value["channels"]?.pairs ?? [] {
      AgentReferences.check(block, definitions, &check)
    }
    return CompiledAgent(
      name: entry.name, settings: .object(settings, origin), channels: channels, location: entry.key.location)
  }
}

// MARK: One call's agent

extension AgentSettings {
  /// An agent's settings for a channel, with further layers merged in order.
  func merged(_ agent: CompiledAgent, channel: String, layers: [Sourced]) -> Sourced {
    var result = agent.settings
    if let block = agent.channels[channel] { result = result.merging(block) }
    for layer in layers { result = result.merging(layer) }
    return result
  }

  /// What the merged settings mean, references followed and secrets in place. Total: every layer was checked when the
  /// table was loaded, and what a session asked for in vain is as if it were not set.
  func configuration(named name: String, _ merged: JSONValue, _ secrets: Secrets) -> AgentConfiguration {
    let filled = secrets.fill(merged)
    let companion = filled["companionId"]?.string.flatMap { companions[$0] }.map(secrets.fill)
    let settings = filled["providerSettings"] ?? [:]
    let provider = VoiceMode.provider(of: filled) ?? AgentReferences.offline
    let definition = providers[provider].map(secrets.fill) ?? [:]
    var agent = AgentConfiguration(name: name)
    agent.instructions =
      settings["instructions"]?.string ?? companion?["instructions"]?.string ?? companion?["description"]?
      .string ?? ""
    agent.voiceId = filled["voiceId"]?.string
    agent.language = filled["language"]?.string.map(LanguageTag.canonical)
    agent.initialSpeech = filled["initialSpeech"]?.string
    agent.faqs = filled["faqCollections"].strings.flatMap { faqCollections[$0] ?? [] }
    agent.knowledgeBase = filled["knowledgeBaseId"]?.string
    agent.turnDetection = AgentConfiguration.TurnDetection(settings["turnDetection"])
    agent.humanHandoff = AgentConfiguration.HumanHandoff(filled["humanHandoff"])
    agent.provider = provider
    agent.providerType = definition["type"]?.string ?? AgentReferences.offline
    agent.providerConfiguration = definition
    agent.providerSettings = settings
    agent.recognizer = speech("recognizer", filled, definition, secrets)
    agent.synthesizer = speech("synthesizer", filled, definition, secrets)
    agent.fallback = (filled["fallback"]?.array ?? []).compactMap(AgentConfiguration.Fallback.init)
    agent.memory = filled["memory"].map(AgentConfiguration.Memory.init)
    agent.patience = AgentConfiguration.Patience(filled["patience"])
    agent.functions = functionDefinitions(of: agent, filled, secrets)
    agent.tags = (filled["tags"]?.object ?? [:]).compactMapValues(\.string)
    agent.maximumDuration = filled["maximumDuration"]?.integer ?? agent.maximumDuration
    return agent
  }
}

extension Optional<JSONValue> {
  /// The texts of a list.
  var strings: [String] { self?.array?.compactMap(\.string) ?? [] }
}

extension AgentConfiguration.TurnDetection {
  fileprivate init(_ value: JSONValue?) {
    self.init()
    threshold = value?["threshold"]?.number ?? threshold
    prefixPadding = value?["prefix_padding_ms"]?.integer ?? prefixPadding
    silenceDuration = value?["silence_duration_ms"]?.integer ?? silenceDuration
  }
}

extension AgentConfiguration.HumanHandoff {
  fileprivate init(_ value: JSONValue?) {
    self.init()
    enabled = value?["enabled"]?.bool ?? false
    transferExtension = value?["transferExtension"]?.string
    transferDescription = value?["transferDescription"]?.string
  }
}

extension AgentConfiguration.Fallback {
  fileprivate init?(_ value: JSONValue) {
    if let name = value.string ?? value["agent"]?.string {
      self = .agent(name)
    } else if let transfer = value["transfer"], let target = transfer.string ?? transfer["target"]?.string {
      self = .transfer(TransferRequest(target: target, timeout: transfer["timeout"]?.integer ?? 30))
    } else {
      return nil
    }
  }
}

extension AgentConfiguration.Memory {
  fileprivate init(_ value: JSONValue) {
    self.init()
    by = value["by"]?.string.flatMap(Identity.init) ?? by
    conversations = value["conversations"]?.integer ?? conversations
    days = value["days"]?.integer ?? days
  }
}

extension AgentConfiguration.Patience {
  fileprivate init(_ value: JSONValue?) {
    self.init(
      open: value?["openMs"]?.integer, word: value?["wordMs"]?.integer,
      firstAudio: value?["firstAudioMs"]?.integer)
  }
}
