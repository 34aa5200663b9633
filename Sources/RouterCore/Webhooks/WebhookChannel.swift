/// A channel whose calls a provider announces by its webhooks.
public protocol WebhookChannel: ChannelAdapter {
  /// Its calls.
  var calls: WebhookCalls { get }
  /// What it can do with the settings of one account; less than ``ChannelAdapter/capabilities`` where a key is missing.
  static func capabilities(of account: ProviderAccount) -> ChannelCapabilities
  /// Where the provider tells what becomes of calls, below `/voip/NAME/`; `nil` when it tells that by the same address.
  static var newsPath: String? { get }
}

extension WebhookChannel {
  public static var kind: ChannelKind { .voip }
  public static func capabilities(of account: ProviderAccount) -> ChannelCapabilities {
    capabilities.of(account)
  }
  public static var newsPath: String? { nil }
  public func run(_ calls: CallIntake) async throws { await self.calls.run(calls) }
}

extension ChannelCapabilities {
  /// The same with what an account's settings leave of it: an extension needs a `transferDomain` to live in.
  public func of(_ account: ProviderAccount) -> ChannelCapabilities {
    var known = self
    known.transfersToExtensions = account.settings["transferDomain"]?.string?.isEmpty == false
    return known
  }
}

extension ProviderAccount {
  /// Where its webhooks may come from (`addresses:`); from everywhere without it.
  public var addresses: [AddressPrefix]? {
    settings["addresses"]?.array?.compactMap { $0.string.flatMap { AddressPrefix($0) } }
  }

  /// Whether nobody but this machine may use it: a demonstration's, whose secrets everybody knows.
  public var isLocal: Bool {
    guard let addresses, !addresses.isEmpty else { return false }
    return addresses.allSatisfy { $0.isLoopback }
  }

  /// Whether its API is on this host: an emulator's.
  public var isEmulated: Bool { isOnThisHost("apiURL") }

  /// Whether the URL of a setting leads to this host.
  func isOnThisHost(_ key: String) -> Bool {
    guard let host = settings[key]?.string?.split(separator: "/").dropFirst().first else { return false }
    let isNamed = ["localhost", "[::1]"].contains { host == $0 || host.hasPrefix($0 + ":") }
    return isNamed || AddressPrefix(String(host.prefix { $0 != ":" }))?.isLoopback == true
  }

  /// Whether a request may be of this account, as far as its address says. One that came through a proxy which nobody trusts
  /// has the proxy's address, and that is nobody's.
  public func takes(_ request: HTTPServerRequest) -> Bool {
    guard let addresses else { return true }
    let isRelayed = ["Forwarded", "X-Forwarded-For", "Via"].contains { request.header($0) != nil }
    if isRelayed, addresses.contains(where: \.isLoopback) { return false }
    return addresses.contains { $0.contains(request.remote.ip) }
  }
}

extension AddressPrefix {
  private static let loopback = ["127.0.0.0/8", "::1"].compactMap { AddressPrefix($0) }

  /// Whether it has this machine's own addresses and no others.
  var isLoopback: Bool {
    AddressPrefix.loopback.contains { $0.length <= length && $0.contains(bits) }
  }
}

extension WebhookCalls {
  /// The accounts of the provider that a request may be of, as far as its address says; from the snapshot in force, secrets in
  /// place: never keep them, never log them.
  public func accounts(for request: HTTPServerRequest) -> [ProviderAccount] {
    host.providers(type).filter { $0.takes(request) }
  }
}
