/// What the program's plugins can do for providers, by the provider's `type:`.
public struct ProviderTypes: Sendable, Hashable {
  /// Types that turn sound into words.
  public var hearing: Set<String>
  /// Types that turn words into sound.
  public var speaking: Set<String>
  /// Types that carry a conversation. While it is empty nobody knows of any, and no type is doubted.
  public var conversing: Set<String>
  /// Types that something else is made of: calls, searches.
  public var others: Set<String>
  /// What is read of a provider, by its type. Of a type that is not here nobody knows, and no key is doubted.
  public var keys: [String: [ProviderKey]] = [:]

  public init(
    hearing: Set<String> = [], speaking: Set<String> = [], conversing: Set<String> = [],
    others: Set<String> = []
  ) {
    self.hearing = hearing
    self.speaking = speaking
    self.conversing = conversing
    self.others = others
  }

  /// All that there are.
  var all: Set<String> { hearing.union(speaking).union(conversing).union(others) }

  /// With the types of another plugin.
  public mutating func add(_ more: ProviderTypes) {
    hearing.formUnion(more.hearing)
    speaking.formUnion(more.speaking)
    conversing.formUnion(more.conversing)
    others.formUnion(more.others)
    keys.merge(more.keys) { $0 + $1 }
  }

  /// What may stand in a provider: with `type`, `speech` and `addresses`, what its plugin reads.
  func shape(of type: String?) -> ObjectShape {
    guard let type, let keys = keys[type] else { return RouteSchema.provider }
    return ObjectShape(
      "a provider of type '\(type)'", doc: RouteSchema.provider.doc,
      RouteSchema.provider.fields + keys.map(\.field))
  }

  /// Settings that are secrets, of a provider that calls come from.
  func secrets(of type: String) -> Set<String> {
    guard others.contains(type) else { return [] }
    return Set((keys[type] ?? []).filter(\.isSecret).map(\.name))
  }
}

/// What is wrong with providers and with who names them.
enum ProviderReferences {
  /// Reports a type that no plugin serves.
  static func checkType(_ provider: YAMLNode, _ definitions: Definitions, _ check: inout SchemaCheck) {
    guard let types = definitions.types, !types.conversing.isEmpty, let node = provider["type"],
      let type = node.text, !types.all.contains(type)
    else { return }
    let near = Suggestion.nearest(to: type, in: types.all.sorted()).map { "did you mean '\($0)'? " } ?? ""
    check.append(
      node.diagnostic(
        .error, "this routerd has nothing for providers of type '\(type)'",
        hint: near + "there are: \(types.all.sorted().joined(separator: ", "))"))
  }

  /// Warns of keys that are not there, and without which the provider is of no use.
  static func checkNeeded(
    _ provider: YAMLNode, _ name: String, _ definitions: Definitions, _ check: inout SchemaCheck
  ) {
    guard let node = provider["type"], let keys = definitions.types?.keys[node.text ?? ""] else { return }
    let shape = definitions.shape(ofProvider: provider)
    for key in keys where key.isNeeded && provider[key.name] == nil {
      if shape.isMisspelt(key.name, in: provider) { continue }  // that was reported
      check.append(
        node.diagnostic(
          .warning, "the provider '\(name)' has no '\(key.name)', and is of no use without", hint: key.doc))
    }
  }

  /// Reports secrets that stand in plain words, unless the account is an emulator's: everybody knows those.
  static func checkSecrets(
    _ provider: YAMLNode, _ account: ProviderAccount, _ definitions: Definitions, _ check: inout SchemaCheck
  ) {
    guard let type = account.settings["type"]?.string, let secrets = definitions.types?.secrets(of: type),
      !secrets.isEmpty, !account.isLocal, !account.isEmulated
    else { return }
    for (key, value) in provider.pairs.sorted(by: { $0.key.text ?? "" < $1.key.text ?? "" }) {
      guard let name = key.text, secrets.contains(name) else { continue }
      for plain in PlainSecrets.plain(value) {
        check.append(
          PlainSecrets.diagnostic(
            .error, "the '\(name)' of the provider '\(account.name)' stands here for all to read", key, plain,
            more: "; an emulator's (apiURL on this host) may stand here"))
      }
    }
  }

  /// Warns of types in `match: {provider: …}` that no calls come from.
  static func checkChannel(_ node: YAMLNode, _ definitions: Definitions, _ check: inout SchemaCheck) {
    guard let types = definitions.types, !types.others.isEmpty else { return }
    for element in node.kind == .sequence ? node.elements : [node] {
      guard let type = element.text, !types.others.contains(type) else { continue }
      let near = Suggestion.nearest(to: type, in: types.others.sorted()).map { "did you mean '\($0)'?" }
      check.append(
        element.diagnostic(.warning, "no calls come from providers of type '\(type)'", hint: near))
    }
  }

  /// Reports an agent's `provider:` that nobody defined, or whose type carries no conversation.
  static func checkConversing(_ node: YAMLNode?, _ definitions: Definitions, _ check: inout SchemaCheck) {
    guard let node, let name = node.text, name != AgentReferences.offline else { return }
    definitions.refer(node, "provider", in: "providers", &check)
    guard let types = definitions.types, !types.conversing.isEmpty,
      let type = definitions.type(ofProvider: name), types.all.contains(type),
      !types.conversing.contains(type)
    else { return }
    check.append(
      node.diagnostic(
        .error, "the provider '\(name)' is of type '\(type)', which carries no conversation",
        hint: "types that do: \(types.conversing.sorted().joined(separator: ", "))"))
  }
}
