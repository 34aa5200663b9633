internal import FoundationEssentials
public import RouterCore

/// Calls by Vonage's webhooks, their sound by its WebSockets.
///
/// Signatures are ``VonageSignature``'s, what Vonage says ``VonageWebhook``'s, what it is told ``VonageCallControl``'s, its
/// sound ``VonageMediaCodec``'s; the call's life is `RouterCore`'s (`WebhookCalls`).
public final class VonageChannel: ChannelAdapter {
  public static let name = "vonage"
  public static let capabilities = ChannelCapabilities(
    transfer: true, digits: true, sendsDigits: true, rejectReasons: false)

  private let host: PluginHost
  private let calls: WebhookCalls
  private let rest: VonageREST

  /// Vonage waits 5 s for the reply to its answer webhook.
  private static let patience = Duration.milliseconds(3500)

  public init(_ configuration: NoConfiguration, _ host: PluginHost) async throws {
    self.host = host
    calls = WebhookCalls(type: VonageChannel.name, host)
    rest = VonageREST(http: host.http, log: host.log.labelled(VonageChannel.name), metrics: host.metrics)
    let json: Set<String> = ["application/json"]
    host.voip.add(
      WebhookProvider(
        type: VonageChannel.name, methods: ["GET", "POST"], accepts: json,
        recognises: { VonageSignature.token(of: $0) != nil },
        handler: { [weak self] request, agent in
          await self?.receive(request, agent) ?? .text(503, "closing\n")
        }))
    for path in ["events", "events/{call}", "transfer/{call}"] {
      host.web.mount(
        WebRoute("/voip/\(VonageChannel.name)/\(path)", methods: ["GET", "POST"], accepts: json) {
          [weak self] request in await self?.follow(request) ?? .text(503, "closing\n")
        })
    }
  }

  public func run(_ calls: CallIntake) async throws { await self.calls.run(calls) }

  // MARK: Webhooks

  /// What was sent and by whose account; `nil` is answered with 403 and was counted.
  private func verified(_ request: HTTPServerRequest) -> (webhook: VonageWebhook, account: VonageAccount)? {
    let accounts = host.providers(VonageChannel.name).compactMap(VonageAccount.init)
    let now = Int(Date().timeIntervalSince1970)
    switch VonageSignature.verdict(request, accounts, now: now) {
    case .right(let index):
      if let webhook = VonageWebhook(request) { return (webhook, accounts[index]) }
      calls.count("malformed", refused: request)
    case let verdict: calls.count("\(verdict)", refused: request)
    }
    return nil
  }

  private static let refusal = HTTPServerReply.text(403, "not signed by an account that we know\n")

  /// A call comes in.
  private func receive(_ request: HTTPServerRequest, _ agent: String?) async -> HTTPServerReply {
    guard let (webhook, account) = verified(request) else { return VonageChannel.refusal }
    // Some set one address for everything.
    guard webhook.isAnnouncement else { return await news(webhook, of: webhook.uuid) }
    let outcome = calls.announce(
      WebhookCalls.Announcement(
        webhook.call(request, agent: agent), origin: request.origin, format: .linear16(account.sampleRate),
        control: VonageCallControl(account, webhook, origin: request.origin, rest),
        codec: { [rate = account.sampleRate] in VonageMediaCodec(sampleRate: rate) }))
    switch outcome {
    case .new(let leg):
      calls.count("accepted")
      return await reply(of: leg)
    case .known(let leg):
      calls.count("repeated")
      return await reply(of: leg)
    case .over:
      calls.count("replayed", refused: request)
      return VonageChannel.refusal
    case .refused:
      calls.count("refused")
      return .response(
        HTTPResponse(status: 503, headers: [Header("Retry-After", "5")], body: Array("not serving\n".utf8)))
    }
  }

  /// What the engine decides, in Vonage's words.
  private func reply(of leg: WebhookLeg) async -> HTTPServerReply {
    guard let control = leg.control as? VonageCallControl else { return .text(500, "no call of ours\n") }
    if let ncco = await control.reply.value(within: VonageChannel.patience) { return ncco.reply }
    if control.keepWaiting(), let ncco = control.reply.current { return ncco.reply }
    await leg.ended(CallEnd(.noAnswer, text: "nobody took the call in time"))
    return NCCO.end.reply
  }

  /// News of a call: its status, its socket's, its transfer's.
  private func follow(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard let (webhook, _) = verified(request) else { return VonageChannel.refusal }
    calls.count("news")
    // The caller's leg stands in the path: the events of other legs have their own identifiers.
    guard let id = request.parameters["call"] else { return await news(webhook, of: webhook.uuid) }
    if request.path.contains("/transfer/") {
      let control = calls.leg(id)?.control as? VonageCallControl
      return control?.targetReported(webhook)?.reply ?? VonageChannel.noted
    }
    return await news(webhook, of: id)
  }

  private static let noted = HTTPServerReply.response(HTTPResponse(status: 204))

  private func news(_ webhook: VonageWebhook, of id: String) async -> HTTPServerReply {
    guard let leg = calls.leg(id) else { return VonageChannel.noted }
    if webhook.uuid == id, let end = webhook.end {
      await leg.ended(end)
    } else if let end = webhook.end, end.reason != .callerHungUp {
      // The socket's own leg could not be connected.
      await leg.refused(CallEnd(.failed, text: "the media socket could not be connected: \(end.text)"))
    } else if let reason = webhook["reason"] {
      await leg.refused(CallEnd(.failed, text: "Vonage could not go on: \(reason.prefix(200))"))
    }
    return VonageChannel.noted
  }
}
