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
          .warning, "route \(table.name(of: route)): \(why)", hint: hint, at: place(route)))
    }
  }

  /// What in a target the channel lacks, in words, and what to do about it.
  private func want(_ target: RouteAction.Target, _ channel: ChannelFacts) -> (why: String, hint: String)? {
    var seen: Set<String> = []
    let needs: [Need] =
      switch target {
      case .transfer(let request): [Need(words: "it transfers its calls", target: request.target)]
      case .agent(let name, let overrides): self.needs(of: name, overrides, channel, &seen)
      case .split(let shares): shares.flatMap { self.needs(of: $0.agent, $0.overrides, channel, &seen) }
      case .reject: []
      }
    if let need = needs.first, !channel.capabilities.transfer {
      let keys = channel.provider == nil ? "" : ", or give the account the keys that its README names"
      return (
        "\(need.words), which \(channel.words) cannot do",
        "answer these calls with an agent that hands nobody over\(keys)"
      )
    }
    if !channel.capabilities.transfersToExtensions,
      let need = needs.first(where: { TransferDestination($0.target, domain: nil) == nil })
    {
      return (
        "\(need.words), to the extension \(need.target), which \(channel.words) cannot reach",
        "give the account a 'transferDomain', or write a number or a SIP address"
      )
    }
    if case .reject(let rejection) = target, [486, 600].contains(rejection.code),
      !channel.capabilities.rejectReasons
    {
      return (
        "it tells callers that it is busy, which \(channel.words) cannot do",
        "they are refused all the same, without a reason"
      )
    }
    return nil
  }

  /// Somebody whom callers may be handed to.
  private struct Need {
    var words: String
    var target: String
  }

  /// All hand-overs of an agent, and of those that go on when its backend fails.
  private func needs(
    of name: String, _ overrides: [Int], _ channel: ChannelFacts, _ seen: inout Set<String>
  ) -> [Need] {
    guard seen.insert(name).inserted,
      let agent = configuration(of: name, channel: channel.kind.rawValue, overrides: overrides)
    else { return [] }
    var needs: [Need] = []
    if agent.humanHandoff.enabled, let target = agent.humanHandoff.transferExtension {
      needs.append(Need(words: "its agent \(name) hands callers to a person", target: target))
    }
    for fallback in agent.fallback {
      switch fallback {
      case .transfer(let request):
        needs.append(
          Need(words: "its agent \(name) hands callers over when its backend fails", target: request.target))
      case .agent(let next): needs += self.needs(of: next, [], channel, &seen)
      }
    }
    return needs
  }

  /// Agents that may hand callers to a person, and do not say to whom.
  func lintHandoffs(_ warnings: inout DiagnosticList) {
    for name in agentNames where !warnings.isFull {
      let channels = [""] + (settings.agents[name].map { Array($0.channels.keys) } ?? [])
      let agents = channels.compactMap { configuration(of: name, channel: $0, overrides: []) }
      guard agents.contains(where: \.humanHandoff.enabled),
        agents.allSatisfy({ $0.humanHandoff.transferExtension == nil })
      else { continue }
      warnings.append(
        Diagnostic(
          .warning, "agent \(name): 'humanHandoff' is enabled, and 'transferExtension' does not say to whom",
          hint: "write transferExtension: an extension, a number or a SIP address",
          at: settings.agents[name]?.location))
    }
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
