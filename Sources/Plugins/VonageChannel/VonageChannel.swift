internal import FoundationEssentials
public import RouterCore

/// Calls by Vonage's webhooks, their sound by its WebSockets.
///
/// Signatures are ``VonageSignature``'s, what Vonage says ``VonageWebhook``'s, what it is told ``VonageCallControl``'s, its
/// sound ``VonageMediaCodec``'s; the call's life is `RouterCore`'s (`WebhookCalls`).
public final class VonageChannel: WebhookChannel {
  public static let name = "vonage"
  public static let capabilities = ChannelCapabilities(
    transfer: true, digits: true, sendsDigits: true, rejectReasons: false)
  /// Without the application's key there is no REST, so nobody is handed over.
  public static func capabilities(of account: ProviderAccount) -> ChannelCapabilities {
    var known = capabilities.of(account)
    let account = VonageAccount(account)
    known.transfer = account?.privateKey != nil && account?.applicationId != nil
    return known
  }
  public static let newsPath: String? = "events"

  public let calls: WebhookCalls
  private let rest: VonageREST

  /// Vonage waits 5 s for the reply to its answer webhook.
  private static let patience = Duration.milliseconds(3500)

  public init(_ configuration: NoConfiguration, _ host: PluginHost) async throws {
    calls = WebhookCalls(type: VonageChannel.name, host)
    rest = VonageREST(rest: ProviderREST(VonageChannel.name, host))
    let methods: Set<String> = ["GET", "POST"]
    let json: Set<String> = ["application/json"]
    calls.takeAnnouncements(
      methods: methods, accepts: json, recognises: { VonageSignature.token(of: $0) != nil }
    ) { [weak self] in await self?.receive($0, $1) }
    calls.takeNews(at: ["events", "events/{call}", "transfer/{call}"], methods: methods, accepts: json) {
      [weak self] in await self?.follow($0)
    }
  }

  // MARK: Webhooks

  /// What was sent and by whose account; `nil` is answered with 403 and was counted.
  private func verified(_ request: HTTPServerRequest) -> (webhook: VonageWebhook, account: VonageAccount)? {
    let accounts = calls.accounts(for: request).compactMap(VonageAccount.init)
    let now = Int(Date().timeIntervalSince1970)
    switch VonageSignature.verdict(request, accounts, now: now) {
    case .right(let index):
      if let webhook = VonageWebhook(request) { return (webhook, accounts[index]) }
      calls.count("malformed", refused: request)
    case let verdict: calls.count("\(verdict)", refused: request)
    }
    return nil
  }

  /// A call comes in.
  private func receive(_ request: HTTPServerRequest, _ agent: String?) async -> HTTPServerReply {
    guard let (webhook, account) = verified(request) else { return WebhookCalls.refusal }
    // Some set one address for everything.
    guard webhook.isAnnouncement else { return await news(webhook, of: webhook.uuid) }
    let rate = account.sampleRate
    let announcement = WebhookCalls.Announcement(
      webhook.call(request, agent: agent), origin: request.origin, format: .linear16(rate),
      control: VonageCallControl(account, webhook, origin: request.origin, rest),
      codec: { VonageMediaCodec(sampleRate: rate) })
    return await calls.reply(
      to: request, announcement, by: VonageCallControl.self, within: VonageChannel.patience)
  }

  /// News of a call: its status, its socket's, its transfer's.
  private func follow(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard let (webhook, _) = verified(request) else { return WebhookCalls.refusal }
    calls.count("news")
    // The caller's leg stands in the path: the events of other legs have their own identifiers.
    guard let id = request.parameters["call"] else { return await news(webhook, of: webhook.uuid) }
    if request.path.contains("/transfer/") {
      let control = calls.leg(id)?.control as? VonageCallControl
      return control?.targetReported(webhook)?.reply ?? WebhookCalls.noted
    }
    return await news(webhook, of: id)
  }

  private func news(_ webhook: VonageWebhook, of id: String) async -> HTTPServerReply {
    guard let leg = calls.leg(id) else { return WebhookCalls.noted }
    if webhook.uuid == id, let end = webhook.end {
      await leg.ended(end)
    } else if let end = webhook.end, end.reason != .callerHungUp {
      // The socket's own leg could not be connected.
      await leg.refused(CallEnd(.failed, text: "the media socket could not be connected: \(end.text)"))
    } else if let reason = webhook["reason"] {
      await leg.refused(CallEnd(.failed, text: "Vonage could not go on: \(reason.prefix(200))"))
    }
    return WebhookCalls.noted
  }
}
