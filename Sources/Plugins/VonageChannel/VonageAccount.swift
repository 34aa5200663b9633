public import RouterCore

/// One entry of `providers:` with `type: vonage`.
struct VonageAccount: Sendable {
  var name: String
  /// The account's key, as its signed webhooks name it.
  var apiKey: String?
  var applicationId: String?
  /// Signature secrets: one, or two while one is being replaced.
  var secrets: [String]
  /// The application's private key (PEM), for REST: without it a call cannot be handed over.
  var privateKey: String?
  /// Scheme and host of the REST API, where the account does not leave it to the webhook's `region_url`.
  var apiURL: String?
  /// Of the media socket: 8000, 16000 or 24000.
  var sampleRate: Int
  /// Where extensions live that a caller is handed over to: `0200` becomes `sip:0200@DOMAIN`.
  var transferDomain: String?

  /// `nil` when something that is needed is missing.
  init?(_ account: ProviderAccount) {
    let settings = account.settings
    let one = [settings["signatureSecret"]?.string].compactMap { $0 }
    let secrets = (settings["signatureSecret"]?.array?.compactMap(\.string) ?? one).filter { !$0.isEmpty }
    guard !secrets.isEmpty else { return nil }
    name = account.name
    self.secrets = secrets
    apiKey = settings["apiKey"]?.string
    applicationId = settings["applicationId"]?.string
    privateKey = settings["privateKey"]?.string
    apiURL = settings["apiURL"]?.string
    let written = settings["sampleRate"].flatMap { $0.integer ?? $0.string.flatMap { Int($0) } }
    let rate = written ?? VonageMediaCodec.usualRate
    sampleRate = VonageMediaCodec.rates.contains(rate) ? rate : VonageMediaCodec.usualRate
    transferDomain = settings["transferDomain"]?.string
  }
}

extension VonageChannel {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey(
        "signatureSecret", as: .texts, needed: true, secret: true,
        "The account's signature secret; a list while it is being replaced."),
      ProviderKey("apiKey", "When given, the webhooks must be this account's."),
      ProviderKey("applicationId", "When given, the webhooks must be this application's."),
      ProviderKey(
        "privateKey", secret: true, "The application's private key, PEM; without it there is no hand-over."),
      ProviderKey(
        "sampleRate", as: .choice(VonageMediaCodec.rates.sorted().map(String.init)),
        "Of the WebSocket (16000)."),
      .transferDomain, .apiURL,
    ]
  }
}
