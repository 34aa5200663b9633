internal import RouterCore

/// What plugins offer, gathered at start.
struct Assembly: Sendable {
  var channels: [any ChannelAdapter] = []
  var store: (any CallStore)?
  /// What agents remember of people.
  var memory: (any MemoryStore)?
  /// What hears and speaks by itself, by the provider's `type:`.
  var voiceModels: [String: any VoiceModel] = [:]
  /// What reads and writes, by the provider's `type:`.
  var textModels: [String: any TextModel] = [:]
  /// What carries out agents' functions.
  var tools: [any ToolAdapter] = []
  /// What speaks the engine's own words.
  var speech: (any SpeechSynthesizer)?
  /// What lends text models an ear and a mouth, by the provider's `type:`.
  var recognizers: [String: any SpeechRecognizer] = [:]
  var synthesizers: [String: any SpeechSynthesizer] = [:]

  /// What can carry a conversation: text models with an ear and a mouth among them.
  var conversationModels: [String: any VoiceModel] {
    let pipelines = textModels.mapValues { model -> any VoiceModel in
      SpeechPipeline(model: model, recognizers: recognizers, synthesizers: synthesizers)
    }
    return pipelines.merging(voiceModels) { _, own in own }
  }
}

/// One line of the plugin list: how a plugin is configured and made.
struct PluginEntry: Sendable {
  /// Makes the plugin, at start; its configuration was read before.
  typealias Maker = @Sendable (PluginHost, inout Assembly) async throws -> Void

  /// The plugin's section in `routerd.yaml`; `nil` when it reads nothing there.
  let section: String?
  /// Reads the section, which may be missing.
  let read: @Sendable (YAMLNode?) throws(DiagnosticList) -> Maker
  /// What keeps its section from being used here and now, with the places.
  var obstacles: @Sendable (YAMLNode) -> [Diagnostic] = { _ in [] }
  /// For a channel: what it is called, and what it can do.
  var channel: (any ChannelAdapter.Type)?
  /// For a store whose records can be read without it.
  var reader: (@Sendable (YAMLNode?) throws -> any CallRecords)?
  /// What it can do for providers, known before anything is made.
  var types = ProviderTypes()
  /// Words about an agent's configuration, for whoever wrote it.
  typealias Advice = @Sendable (AgentConfiguration) -> [String]
  /// What it says as the model, by the provider's `type:`.
  var advice: [String: Advice] = [:]
  /// What it says as the recogniser of text models, by the type of the recogniser's provider.
  var hearing: [String: Advice] = [:]
  /// The provider's `type:` of a text model whose callers may say anything.
  var listener: String?

  /// A way for calls to come in.
  static func channel<Channel: ChannelAdapter>(_ type: Channel.Type) -> PluginEntry {
    var entry = plugin(type) { channel, assembly in assembly.channels.append(channel) }
    entry.channel = type
    // A channel that is none of the engine's own kinds is a provider's, which accounts are for.
    if ![.sip, .websocket, .webrtc].contains(type.kind) { entry.types.others = [type.name] }
    entry.types.keys[type.name] = type.providerKeys(of: type.name)
    return entry
  }

  /// A keeper of call records, and of what agents remember; there is one.
  static func store<Store: OfflineCallStore & MemoryStore>(_ type: Store.Type) -> PluginEntry {
    var entry = plugin(type) { store, assembly in
      assembly.store = store
      assembly.memory = store
    }
    entry.reader = { node in try Store.reader(configuration(Store.Configuration.self, node)) }
    return entry
  }

  /// Something that hears and speaks, for providers of this `type:` with these keys.
  static func voiceModel(
    _ make: @autoclosure @escaping @Sendable () -> any VoiceModel, for type: String,
    keys: [ProviderKey] = []
  ) -> PluginEntry {
    var entry = PluginEntry(section: nil) { _ in { _, assembly in assembly.voiceModels[type] = make() } }
    entry.types.conversing = [type]
    entry.types.keys[type] = keys
    return entry
  }

  /// The same for one that is a plugin: its section may be missing.
  static func voiceModel<Model: Plugin & VoiceModel>(_ type: Model.Type, for name: String) -> PluginEntry {
    var entry = plugin(type) { model, assembly in assembly.voiceModels[name] = model }
    entry.advice = [name: { Model.warnings(for: $0) }]
    entry.types.conversing = [name]
    entry.types.keys[name] = type.providerKeys(of: name)
    return entry
  }

  /// Something that reads and writes, for providers of this `type:` with these keys.
  static func textModel(
    _ make: @autoclosure @escaping @Sendable () -> any TextModel, for type: String,
    keys: [ProviderKey] = []
  ) -> PluginEntry {
    var entry = PluginEntry(section: nil) { _ in { _, assembly in assembly.textModels[type] = make() } }
    entry.types.conversing = [type]
    entry.types.keys[type] = keys
    return entry
  }

  /// The same for one that is a plugin: its section may be missing.
  static func textModel<Model: Plugin & TextModel>(_ type: Model.Type, for name: String) -> PluginEntry {
    var entry = plugin(type) { model, assembly in assembly.textModels[name] = model }
    entry.listener = name
    entry.types.conversing = [name]
    entry.types.keys[name] = type.providerKeys(of: name)
    return entry
  }

  /// Something that carries out functions of agents, perhaps for providers of a `type:`.
  static func tool<Adapter: Plugin & ToolAdapter>(_ type: Adapter.Type, for name: String? = nil)
    -> PluginEntry
  {
    var entry = plugin(type) { tool, assembly in assembly.tools.append(tool) }
    guard let name else { return entry }
    entry.types.others = [name]
    entry.types.keys[name] = type.providerKeys(of: name)
    return entry
  }

  /// The ear and the mouth of text models that name no other; it also speaks the engine's own words.
  static func offlineSpeech<Speech: Plugin & SpeechRecognizer & SpeechSynthesizer>(_ type: Speech.Type)
    -> PluginEntry
  {
    var entry = plugin(type) { speech, assembly in
      assembly.speech = speech
      assembly.recognizers["offline"] = speech
      assembly.synthesizers["offline"] = speech
    }
    entry.types = ProviderTypes(hearing: ["offline"], speaking: ["offline"])
    entry.hearing = ["offline": { Speech.warnings(for: $0) }]
    return entry
  }

  /// An ear and a mouth for text models whose `speech:` names a provider of this `type:`.
  static func speech<Speech: Plugin & SpeechRecognizer & SpeechSynthesizer>(
    _ type: Speech.Type, for name: String
  ) -> PluginEntry {
    var entry = plugin(type) { speech, assembly in
      assembly.recognizers[name] = speech
      assembly.synthesizers[name] = speech
    }
    entry.types = ProviderTypes(hearing: [name], speaking: [name])
    entry.types.keys[name] = type.providerKeys(of: name)
    entry.hearing = [name: { Speech.warnings(for: $0) }]
    return entry
  }

  private static func plugin<P: Plugin>(
    _ type: P.Type, _ add: @escaping @Sendable (P, inout Assembly) -> Void
  ) -> PluginEntry {
    var entry = PluginEntry(section: type.name) { node throws(DiagnosticList) in
      let configuration = try configuration(P.Configuration.self, node)
      return { host, assembly in add(try await P(configuration, host), &assembly) }
    }
    entry.obstacles = { node in
      // What cannot be read was reported.
      guard let configuration = try? configuration(P.Configuration.self, node) else { return [] }
      return P.obstacles(to: configuration).compactMap { $0.diagnostic(in: node) }
    }
    return entry
  }

  private static func configuration<Configuration: Decodable>(
    _ type: Configuration.Type, _ node: YAMLNode?
  ) throws(DiagnosticList) -> Configuration {
    if let node { return try YAMLDecoder.decode(type, from: node) }
    // A section that is missing reads like one with nothing in it.
    guard let empty = try YAML.parse("{}", file: "defaults") else {
      preconditionFailure("an empty mapping is a node")
    }
    return try YAMLDecoder.decode(type, from: empty)
  }
}

extension ProviderTypes {
  /// What the plugins of this build can do for providers.
  static let ofPlugins = plugins.reduce(into: ProviderTypes()) { all, entry in
    all.add(entry.types)
  }
}

extension [PluginEntry] {
  /// What plugins say of agents, by the type of the provider that carries the conversation.
  var advice: [String: PluginEntry.Advice] {
    let hearing = reduce(into: [:]) { $0.merge($1.hearing) { first, _ in first } }
    return reduce(into: [:]) { all, entry in
      all.merge(entry.advice) { first, _ in first }
      if let name = entry.listener { all[name] = { hearing[$0.recognizer.type]?($0) ?? [] } }
    }
  }
}
