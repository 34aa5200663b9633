internal import RouterCore

/// What calls come in by, in this build.
enum Channels {
  private static let all = plugins.compactMap(\.channel)
  private static let webhooks = all.compactMap { $0 as? any WebhookChannel.Type }

  /// The types of providers whose webhooks announce calls.
  static let webhookTypes = Set(webhooks.map { $0.name })

  /// Every channel and, for providers, every account with what its own settings allow.
  static func facts(_ snapshot: RouteSnapshot) -> [ChannelFacts] {
    all.flatMap { channel -> [ChannelFacts] in
      guard let channel = channel as? any WebhookChannel.Type else {
        return [
          ChannelFacts(
            kind: channel.kind, words: "the channel \(channel.kind.rawValue)", channel.capabilities)
        ]
      }
      return snapshot.providers(ofType: channel.name).map { account in
        ChannelFacts(
          kind: channel.kind, provider: channel.name,
          words: "the account '\(account.name)' at \(channel.name)",
          channel.capabilities(of: account))
      }
    }
  }

  /// What stands in which provider's account, as `routerd endpoints` shows it.
  static func endpoints(_ snapshot: RouteSnapshot, at origin: String) -> JSONValue {
    .array(
      webhooks.compactMap { channel -> JSONValue? in
        let accounts = snapshot.providers(ofType: channel.name).map { JSONValue.string($0.name) }
        guard !accounts.isEmpty else { return nil }
        let base = "\(origin)/voip/\(channel.name)"
        var entry: [String: JSONValue] = [
          "provider": .string(channel.name), "accounts": .array(accounts), "webhook": .string(base),
        ]
        entry["news"] = channel.newsPath.map { .string("\(base)/\($0)") }
        return .object(entry)
      })
  }
}
