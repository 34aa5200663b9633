public import RouterCore

/// Calls by Twilio's webhooks, their sound by its media streams.
///
/// Signatures are ``TwilioSignature``'s, what Twilio says ``TwilioWebhook``'s, what it is told ``TwilioCallControl``'s, its
/// sound ``TwilioMediaCodec``'s; the call's life is `RouterCore`'s (`WebhookCalls`).
public final class TwilioChannel: ChannelAdapter {
  public static let name = "twilio"
  public static let capabilities = ChannelCapabilities(
    transfer: true, digits: true, sendsDigits: true, rejectReasons: true)

  private let host: PluginHost
  let calls: WebhookCalls
  private let rest: TwilioREST

  /// Twilio waits 15 s for the reply to a webhook; nobody rings longer than this before an agent takes the call.
  private static let patience = Duration.seconds(12)

  public init(_ configuration: NoConfiguration, _ host: PluginHost) async throws {
    self.host = host
    calls = WebhookCalls(type: TwilioChannel.name, host)
    rest = TwilioREST(http: host.http, log: host.log.labelled(TwilioChannel.name), metrics: host.metrics)
    let form: Set<String> = ["application/x-www-form-urlencoded"]
    host.voip.add(
      WebhookProvider(
        type: TwilioChannel.name, methods: ["GET", "POST"], accepts: form,
        recognises: { $0.header("X-Twilio-Signature") != nil },
        handler: { [weak self] request, agent in
          await self?.receive(request, agent) ?? .text(503, "closing\n")
        }))
    for path in ["status", "stream", "dial/{call}", "target/{call}"] {
      host.web.mount(
        WebRoute("/voip/\(TwilioChannel.name)/\(path)", methods: ["GET", "POST"], accepts: form) {
          [weak self] request in await self?.follow(request) ?? .text(503, "closing\n")
        })
    }
  }

  public func run(_ calls: CallIntake) async throws { await self.calls.run(calls) }

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
    let accounts = host.providers(TwilioChannel.name).compactMap(TwilioAccount.init)
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

  private static let refusal = HTTPServerReply.text(403, "not signed by an account that we know\n")

  /// A call comes in.
  private func receive(_ request: HTTPServerRequest, _ agent: String?) async -> HTTPServerReply {
    guard let (webhook, account) = verified(request) else { return TwilioChannel.refusal }
    // Some set one address for everything.
    if webhook.end != nil || webhook.fields["StreamEvent"] != nil { return await news(webhook) }
    let tokens = account.secrets
    let outcome = calls.announce(
      WebhookCalls.Announcement(
        webhook.call(request, agent: agent), origin: request.origin,
        control: TwilioCallControl(account, callSid: webhook.callSid, origin: request.origin, rest),
        codec: { TwilioMediaCodec() }, admits: { TwilioSignature.isValidSocket($0, tokens: tokens) }))
    switch outcome {
    case .new(let leg):
      calls.count("accepted")
      return await reply(of: leg)
    case .known(let leg):
      calls.count("repeated")
      return await reply(of: leg)
    case .over:
      calls.count("replayed", refused: request)
      return TwilioChannel.refusal
    case .refused:
      calls.count("refused")
      return .response(
        HTTPResponse(status: 503, headers: [Header("Retry-After", "5")], body: Array("not serving\n".utf8)))
    }
  }

  /// What the engine decides, in Twilio's words.
  private func reply(of leg: WebhookLeg) async -> HTTPServerReply {
    guard let control = leg.control as? TwilioCallControl else { return .text(500, "no call of ours\n") }
    if let twiml = await control.reply.value(within: TwilioChannel.patience) { return twiml.reply }
    await leg.ended(CallEnd(.noAnswer, text: "nobody took the call in time"))
    return TwiML.reject(isBusy: true).reply
  }

  /// News of a call: its status, its stream's, its transfer's.
  private func follow(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard let (webhook, _) = verified(request) else { return TwilioChannel.refusal }
    calls.count("news")
    guard let id = request.parameters["call"] else { return await news(webhook) }
    // The caller's leg stands in the path: a target's webhooks have the target's own CallSid.
    let control = calls.leg(id)?.control as? TwilioCallControl
    guard request.path.contains("/dial/") else {
      control?.targetReported(webhook.fields["CallStatus"])
      return .text(200, "")
    }
    return (control?.dialEnded(webhook.fields["DialCallStatus"]) ?? .hangUp).reply
  }

  private func news(_ webhook: TwilioWebhook) async -> HTTPServerReply {
    guard let leg = calls.leg(webhook.callSid) else { return .text(200, "") }
    if let event = webhook.fields["StreamEvent"] {
      if event == "stream-error" {
        await leg.refused(
          CallEnd(
            .failed, text: "the media stream failed: \(webhook.fields["StreamError"]?.prefix(200) ?? "")"))
      }
    } else if let end = webhook.end {
      await leg.ended(end)
    }
    return .text(200, "")
  }
}
