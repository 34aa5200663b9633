public import RouterCore

/// One entry of `providers:` with `type: twilio`.
struct TwilioAccount: Sendable {
  var name: String
  var accountSid: String
  /// What webhooks are signed with: the auth token (two while it is being replaced), and shared keys.
  var secrets: [String]
  /// What REST is asked with: an API key, else the account itself.
  var user: String
  var password: String
  /// Scheme and host of the REST API.
  var apiURL: String
  /// Where extensions live that a caller is handed over to: `0200` becomes `sip:0200@DOMAIN`.
  var transferDomain: String?
  /// The caller's number as who is called after a hand-over shall see it; Twilio's own choice otherwise.
  var callerId: String?

  /// `nil` when something that is needed is missing.
  init?(_ account: ProviderAccount) {
    let settings = account.settings
    let tokens = TwilioAccount.texts(settings["authToken"])
    guard let sid = settings["accountSid"]?.string, !sid.isEmpty, let token = tokens.first else { return nil }
    name = account.name
    accountSid = sid
    secrets = tokens + TwilioAccount.texts(settings["sharedKey"])
    user = settings["apiKey"]?.string ?? sid
    password = settings["apiSecret"]?.string ?? token
    apiURL =
      settings["apiURL"]?.string ?? TwilioAccount.apiURL(settings["edge"]?.string, settings["region"]?.string)
    transferDomain = settings["transferDomain"]?.string
    callerId = settings["callerId"]?.string
  }

  /// A text, or a list of them.
  private static func texts(_ value: JSONValue?) -> [String] {
    (value?.array?.compactMap(\.string) ?? [value?.string].compactMap { $0 }).filter { !$0.isEmpty }
  }

  /// https://www.twilio.com/docs/global-infrastructure: both parts or none.
  private static func apiURL(_ edge: String?, _ region: String?) -> String {
    guard let edge, let region else { return "https://api.twilio.com" }
    return "https://api.\(edge).\(region).twilio.com"
  }
}

extension TwilioChannel {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey("accountSid", needed: true, "The account: AC…"),
      ProviderKey(
        "authToken", as: .texts, needed: true, secret: true,
        "What webhooks are signed with; a list while it is being replaced."),
      ProviderKey("sharedKey", as: .texts, secret: true, "A shared key for webhooks, or several."),
      ProviderKey("apiKey", "The SID of an API key for REST, in place of the account's token."),
      ProviderKey("apiSecret", secret: true, "The secret of that API key."),
      ProviderKey("edge", "The edge of a regional API, e.g. dublin."),
      ProviderKey("region", "The region of a regional API, e.g. ie1."),
      ProviderKey("callerId", "The number that who is called after a hand-over sees."),
      .transferDomain, .apiURL,
    ]
  }
}
