public import RouterCore

/// Somebody's webhook: a provider of the route files, read.
struct WebhookSettings: Sendable {
  var url: String
  /// Signs what is sent; used as it stands, prefix included.
  var secret: String?
  /// Lines of history that a turn carries.
  var contextLimit: Int
  /// How long the webhook may take to begin its answer.
  var timeout: Duration
  /// Said when there is no answer; empty is nothing, as the contract has it.
  var apology: String
  /// Said when the caller has been silent for a while.
  var silence: String
  var headers: [Header]

  static let contextLimits = 0...50
  static let timeouts = 5...120

  /// Throws ``VoiceFailure`` for a provider that is no webhook.
  init(_ provider: JSONValue) throws(VoiceFailure) {
    guard let url = provider["url"]?.string, url.hasPrefix("https://") || url.hasPrefix("http://") else {
      throw VoiceFailure(.protocolError, "a webhook has a url that begins with https:// or http://")
    }
    self.url = url
    secret = provider["secret"]?.string
    contextLimit = try Self.number("contextLimit", provider, Self.contextLimits) ?? 10
    timeout = .seconds(try Self.number("timeout", provider, Self.timeouts) ?? 30)
    apology = provider["apology"]?.string ?? "Sorry, I did not get that. Could you say it again?"
    silence = provider["silence"]?.string ?? "Are you still there?"
    headers = (provider["headers"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { name, value in
      value.string.map { Header(name, $0) }
    }
  }

  private static func number(
    _ name: String, _ provider: JSONValue, _ range: ClosedRange<Int>
  ) throws(VoiceFailure) -> Int? {
    guard let value = provider[name] else { return nil }
    guard let number = value.integer, range.contains(number) else {
      throw VoiceFailure(
        .protocolError, "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A request with this body, signed now.
  ///
  /// - Parameters:
  ///   - id: The delivery's own; a retry carries the same.
  ///   - unixTime: In whole seconds.
  func request(_ body: [UInt8], id: String, unixTime: Int) -> HTTPRequest {
    var headers = [
      Header("Content-Type", "application/json"), Header("Accept", "application/x-ndjson, application/json"),
      Header("X-Webhook-Timestamp", "\(unixTime)"), Header("X-Webhook-ID", id),
    ]
    if let secret {
      headers.append(Header("X-Webhook-Signature", Self.signature(body, secret: secret, unixTime: unixTime)))
    }
    return HTTPRequest("POST", url: url, headers: headers + self.headers, body: body)
  }

  /// HMAC-SHA256 over the time, a full stop and the very bytes that are sent. The secret is text: unlike Standard
  /// Webhooks, what follows `whsec_` is not base 64.
  static func signature(_ body: [UInt8], secret: String, unixTime: Int) -> String {
    let signed = Array("\(unixTime).".utf8) + body
    return "sha256=" + Digest.hexadecimal(Digest.authenticate(signed, key: secret.utf8))
  }
}

extension WebhookModel {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey("url", as: .url(["https", "http"]), needed: true, "Where events are posted."),
      ProviderKey("secret", "Signs what is posted."),
      ProviderKey(
        "contextLimit", as: .integer(WebhookSettings.contextLimits), "Lines of recentHistory (10)."),
      ProviderKey(
        "timeout", as: .integer(WebhookSettings.timeouts), "Seconds until an answer must begin (30)."),
      ProviderKey("apology", "Said when there is no answer."),
      ProviderKey("silence", "Said when the caller is silent."),
      .headers,
    ]
  }
}
