public import RouterCore

/// Calls by Twilio's webhooks, their sound by its media streams.
///
/// Signatures are ``TwilioSignature``'s, what Twilio says ``TwilioWebhook``'s, its sound ``TwilioMediaCodec``'s; the documents
/// that it follows and the call's life are `RouterCore`'s (`DocumentCallControl`, `WebhookCalls`).
public final class TwilioChannel: WebhookChannel {
  public static let name = "twilio"
  public static let capabilities = ChannelCapabilities(
    transfer: true, digits: true, sendsDigits: true, rejectReasons: true)
  public static let newsPath: String? = "status"

  public let calls: WebhookCalls
  private let rest: TwilioREST

  /// Twilio waits 15 s for the reply to a webhook; nobody rings longer than this before an agent takes the call.
  private static let patience = Duration.seconds(12)

  public init(_ configuration: NoConfiguration, _ host: PluginHost) async throws {
    calls = WebhookCalls(type: TwilioChannel.name, host)
    rest = TwilioREST(rest: ProviderREST(TwilioChannel.name, host))
    let methods: Set<String> = ["GET", "POST"]
    // JSON where somebody between Twilio and us makes it so: its hash is in the address that is signed.
    let kinds: Set<String> = ["application/x-www-form-urlencoded", "application/json"]
    calls.takeAnnouncements(
      methods: methods, accepts: kinds, recognises: { $0.header("X-Twilio-Signature") != nil }
    ) { [weak self] in await self?.receive($0, $1) }
    calls.takeNews(
      at: ["status", "stream", "dial/{call}", "target/{call}"], methods: methods, accepts: kinds
    ) {
      [weak self] in await self?.follow($0)
    }
  }

  // MARK: Webhooks

  /// Who sent it: the account whose token signed it. `nil` was answered with 403 and counted.
  private func verified(_ request: HTTPServerRequest) -> (webhook: TwilioWebhook, account: TwilioAccount)? {
    guard request.header("X-Twilio-Signature") != nil else {
      calls.count("unsigned", refused: request)
      return nil
    }
    guard let webhook = TwilioWebhook(request) else {
      calls.count("malformed", refused: request)
      return nil
    }
    let accounts = calls.accounts(for: request).compactMap(TwilioAccount.init)
    let candidates = accounts.filter { $0.accountSid == webhook.accountSid }
    guard !candidates.isEmpty else {
      calls.count("unknown-account", refused: request)
      return nil
    }
    guard let account = candidates.first(where: { TwilioSignature.isValid(request, tokens: $0.secrets) })
    else {
      calls.count("forged", refused: request)
      return nil
    }
    return (webhook, account)
  }

  /// A call comes in.
  private func receive(_ request: HTTPServerRequest, _ agent: String?) async -> HTTPServerReply {
    guard let (webhook, account) = verified(request) else { return WebhookCalls.refusal }
    // Some set one address for everything.
    let end = CallEnd(callStatus: webhook.fields["CallStatus"])
    if end != nil || webhook.fields["StreamEvent"] != nil { return await news(webhook) }
    let tokens = account.secrets
    let provider = DocumentCallControl.Provider(
      account, callSid: webhook.callSid, origin: request.origin, rest)
    let announcement = WebhookCalls.Announcement(
      webhook.call(request, agent: agent), origin: request.origin, control: DocumentCallControl(provider),
      codec: { TwilioMediaCodec() }, admits: { TwilioSignature.isValidSocket($0, tokens: tokens) })
    return await calls.reply(
      to: request, announcement, by: DocumentCallControl.self, within: TwilioChannel.patience)
  }

  /// News of a call: its status, its stream's, its transfer's.
  private func follow(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard let (webhook, _) = verified(request) else { return WebhookCalls.refusal }
    calls.count("news")
    guard let id = request.parameters["call"] else { return await news(webhook) }
    // The caller's leg stands in the path: a target's webhooks have the target's own CallSid.
    let control = calls.leg(id)?.control as? DocumentCallControl
    guard request.path.contains("/dial/") else {
      control?.targetReported(webhook.fields["CallStatus"])
      return WebhookCalls.noted
    }
    return (control?.dialEnded(webhook.fields["DialCallStatus"]) ?? CallDocument.hangUp).reply
  }

  private func news(_ webhook: TwilioWebhook) async -> HTTPServerReply {
    guard let leg = calls.leg(webhook.callSid) else { return WebhookCalls.noted }
    if let event = webhook.fields["StreamEvent"] {
      if event == "stream-error" {
        await leg.refused(
          CallEnd(
            .failed, text: "the media stream failed: \(webhook.fields["StreamError"]?.prefix(200) ?? "")"))
      }
    } else if let end = CallEnd(callStatus: webhook.fields["CallStatus"]) {
      await leg.ended(end)
    }
    return WebhookCalls.noted
  }
}
