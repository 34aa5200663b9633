public import RouterCore

/// One entry of `providers:` with `type: telnyx`.
struct TelnyxAccount: Sendable {
  var name: String
  /// What REST is asked with.
  var apiKey: String
  /// What webhooks are verified with, 32 bytes each: one, or two while one is being replaced.
  var publicKeys: [[UInt8]]
  /// The application whose webhooks these are; all of the account's without one.
  var connectionId: String?
  /// Scheme, host and version of the REST API, without a slash at the end.
  var apiURL: String
  /// Where extensions live that a caller is handed over to: `0200` becomes `sip:0200@DOMAIN`.
  var transferDomain: String?
  /// Whether hand-overs to SIP addresses are left to the caller's own network (REFER), so that Telnyx is out of the call then.
  var refersToSIP: Bool
  /// The number that who is called after a hand-over sees; the number that was called otherwise.
  var callerId: String?

  /// `nil` when something that is needed is missing, or a public key is none.
  init?(_ account: ProviderAccount) {
    let settings = account.settings
    let one = [settings["publicKey"]?.string].compactMap { $0 }
    let keys = (settings["publicKey"]?.array?.compactMap(\.string) ?? one).compactMap { Base64.decode($0) }
    guard let apiKey = settings["apiKey"]?.string, !apiKey.isEmpty, !keys.isEmpty,
      keys.allSatisfy({ $0.count == 32 })
    else { return nil }
    name = account.name
    self.apiKey = apiKey
    publicKeys = keys
    connectionId = settings["connectionId"].flatMap { $0.string ?? $0.integer.map(String.init) }
    apiURL = TelnyxAccount.versioned(settings["apiURL"]?.string ?? "https://api.telnyx.com")
    transferDomain = settings["transferDomain"]?.string
    refersToSIP = settings["refer"]?.bool ?? false
    callerId = settings["callerId"]?.string
  }

  private static func versioned(_ url: String) -> String {
    var url = Substring(url)
    while url.hasSuffix("/") { url = url.dropLast() }
    return url.hasSuffix("/v2") ? String(url) : url + "/v2"
  }
}

extension TelnyxChannel {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey("apiKey", needed: true, secret: true, "The key for REST."),
      ProviderKey(
        "publicKey", as: .texts, needed: true,
        "What webhooks are verified with, base 64; a list while it is being replaced."),
      ProviderKey("connectionId", "When given, webhooks of other applications are refused."),
      ProviderKey("refer", as: .boolean, "Hand over to SIP addresses by REFER (false)."),
      ProviderKey("callerId", "The number that who is called after a hand-over sees."),
      .transferDomain, .apiURL,
    ]
  }
}
