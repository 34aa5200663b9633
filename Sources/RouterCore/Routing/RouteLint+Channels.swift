/// What calls come in by, for ``RouteSnapshot/lint(now:channels:)``: a channel, or one account of a provider.
public struct ChannelFacts: Sendable, Hashable {
  /// What its calls are called in `channel:`.
  public var kind: ChannelKind
  /// What they are called in `provider:`; `nil` for a channel without providers.
  public var provider: String?
  /// For a person, e.g. `the channel sip` or `the account main at example`.
  public var words: String
  public var capabilities: ChannelCapabilities

  public init(kind: ChannelKind, provider: String? = nil, words: String, _ capabilities: ChannelCapabilities)
  {
    self.kind = kind
    self.provider = provider
    self.words = words
    self.capabilities = capabilities
  }
}

extension RouteSnapshot {
  /// A route that needs what a channel which it names cannot do.
  func lintChannels(of route: Int, _ channels: [ChannelFacts], _ warnings: inout DiagnosticList) {
    let entry = table.routes[route]
    var kinds: Set<String>?
    var providers: Set<String>?
    for condition in table.conditions[Int(entry.conditions)] {
      switch condition {
      case .channel(let names): kinds = Set(names)
      case .provider(let names): providers = Set(names)
      default: break
      }
    }
    // A route that names none is everybody's: it is not meant for what it cannot get.
    guard kinds != nil || providers != nil else { return }
    let action = table.actions[Int(entry.action)]
    for channel in channels {
      guard kinds?.contains(channel.kind.rawValue) ?? true,
        providers.map({ names in channel.provider.map(names.contains) ?? false }) ?? true
      else { continue }
      let needs = [action.target] + action.fallback
      guard let (why, hint) = needs.lazy.compactMap({ self.want($0, channel) }).first else { continue }
      warnings.append(
        Diagnostic(
          .warning, "route \(table.name(of: route)): \(why), which \(channel.words) cannot do", hint: hint,
          at: place(route)))
    }
  }

  /// What in a target the channel lacks, in words, and what to do about it.
  private func want(_ target: RouteAction.Target, _ channel: ChannelFacts) -> (why: String, hint: String)? {
    func handsOver(_ name: String, _ overrides: [Int]) -> String? {
      let agent = configuration(of: name, channel: channel.kind.rawValue, overrides: overrides)
      return agent?.humanHandoff.enabled == true ? "its agent \(name) hands callers to a person" : nil
    }
    let hint =
      channel.provider == nil
      ? "answer these calls with an agent that hands nobody over"
      : "answer these calls with an agent that hands nobody over, or give the account the keys that its README names"
    let transfer: String? =
      switch target {
      case .transfer: "it transfers its calls"
      case .agent(let name, let overrides): handsOver(name, overrides)
      case .split(let shares): shares.lazy.compactMap { handsOver($0.agent, $0.overrides) }.first
      case .reject: nil
      }
    if let transfer, !channel.capabilities.transfer { return (transfer, hint) }
    if case .reject(let rejection) = target, [486, 600].contains(rejection.code),
      !channel.capabilities.rejectReasons
    {
      return ("it tells callers that it is busy", "they are refused all the same, without a reason")
    }
    return nil
  }

  /// Webhooks that are waited for while nothing listens for them (`web: listen:`).
  /// - Parameter types: The types of providers whose webhooks announce calls.
  public func lintWebhooks(of types: Set<String>) -> DiagnosticList {
    var warnings = DiagnosticList()
    let hint = "set 'web: {listen: [...]}' in routerd.yaml"
    for (name, account) in settings.providers.sorted(by: { $0.key < $1.key }) {
      guard let type = account["type"]?.string, types.contains(type),
        // A demonstration that only this machine may use.
        !ProviderAccount(name: name, settings: account).isLocal
      else { continue }
      warnings.append(
        Diagnostic(
          .warning, "the provider '\(name)' announces calls by webhook, and nothing listens for webhooks",
          hint: hint, at: settings.providerLocations[name]))
    }
    for name in voipAgents {
      warnings.append(
        Diagnostic(
          .warning, "the agent '\(name)' has the channel voip, and nothing listens for webhooks", hint: hint,
          at: settings.agents[name]?.location))
    }
    return warnings
  }
}
