internal import FoundationEssentials
public import RouterCore

/// Calls by Telnyx's webhooks, their sound by its media streams, under Call Control or TeXML.
///
/// Signatures are ``TelnyxSignature``'s, what Telnyx says ``TelnyxEvent``'s or ``TeXMLWebhook``'s, what it is told
/// ``TelnyxCallControl``'s or ``TeXMLCallControl``'s, its sound ``TelnyxMediaCodec``'s; the call's life is `RouterCore`'s
/// (`WebhookCalls`).
public final class TelnyxChannel: ChannelAdapter {
  public static let name = "telnyx"
  public static let capabilities = ChannelCapabilities(
    transfer: true, digits: true, sendsDigits: true, rejectReasons: true)

  private let host: PluginHost
  let calls: WebhookCalls
  private let rest: TelnyxREST
  private let log: Log
  /// Events, so that a delivery that is repeated does nothing.
  private let seen = Lock(RecentSet(8192))

  /// How long TeXML is made to wait for its document; Call Control never waits.
  private static let patience = Duration.seconds(8)

  public init(_ configuration: NoConfiguration, _ host: PluginHost) async throws {
    self.host = host
    log = host.log.labelled(TelnyxChannel.name)
    calls = WebhookCalls(type: TelnyxChannel.name, host)
    rest = TelnyxREST(http: host.http, log: log, metrics: host.metrics)
    let form: Set<String> = ["application/x-www-form-urlencoded"]
    // No GET: its fields would stand in the address, which is not signed.
    host.voip.add(
      WebhookProvider(
        type: TelnyxChannel.name, methods: ["POST"], accepts: form.union(["application/json"]),
        recognises: { $0.header(TelnyxSignature.signatureHeader) != nil },
        handler: { [weak self] request, agent in
          await self?.receive(request, agent) ?? .text(503, "closing\n")
        }))
    for path in ["dial/{call}", "target/{call}"] {
      host.web.mount(
        WebRoute("/voip/\(TelnyxChannel.name)/\(path)", methods: ["POST"], accepts: form) {
          [weak self] request in await self?.dialled(request) ?? .text(503, "closing\n")
        })
    }
  }

  public func run(_ calls: CallIntake) async throws { await self.calls.run(calls) }

  // MARK: Who is believed

  /// The accounts whose key signed the request; empty is answered with 403 and was counted.
  private func signers(of request: HTTPServerRequest) -> [TelnyxAccount] {
    let accounts = host.providers(TelnyxChannel.name).compactMap(TelnyxAccount.init)
    switch TelnyxSignature.verdict(request, accounts, now: Int(Date().timeIntervalSince1970)) {
    case .right(let indices): return indices.map { accounts[$0] }
    case let verdict:
      calls.count("\(verdict)", refused: request)
      return []
    }
  }

  /// Several applications of an account have one key: the one that is named goes before those that name none.
  private func account(
    _ connectionId: String?, among signers: [TelnyxAccount], _ request: HTTPServerRequest
  ) -> TelnyxAccount? {
    let account =
      signers.first { $0.connectionId != nil && $0.connectionId == connectionId }
      ?? signers.first { $0.connectionId == nil || connectionId == nil }
    if account == nil { calls.count("unknown-account", refused: request) }
    return account
  }

  private static let refusal = HTTPServerReply.text(403, "not signed by an account that we know\n")
  private static let noted = HTTPServerReply.text(200, "")

  private func malformed(_ request: HTTPServerRequest) -> HTTPServerReply {
    calls.count("malformed", refused: request)
    return .text(400, "not what Telnyx sends\n")
  }

  private func receive(_ request: HTTPServerRequest, _ agent: String?) async -> HTTPServerReply {
    let signers = signers(of: request)
    guard !signers.isEmpty else { return TelnyxChannel.refusal }
    if TeXMLWebhook.isForm(request) {
      guard let webhook = TeXMLWebhook(request) else { return malformed(request) }
      guard let account = account(webhook.fields["ConnectionId"], among: signers, request) else {
        return TelnyxChannel.refusal
      }
      return await receive(webhook, account, request, agent)
    }
    guard let event = TelnyxEvent(request.body) else { return malformed(request) }
    guard let account = account(event["connection_id"], among: signers, request) else {
      return TelnyxChannel.refusal
    }
    if event.isAnnouncement { return announce(event, account, request, agent) }
    await follow(event)
    return TelnyxChannel.noted
  }

  // MARK: Call Control

  /// A call comes in. The reply says nothing of it, so it goes at once.
  private func announce(
    _ event: TelnyxEvent, _ account: TelnyxAccount, _ request: HTTPServerRequest, _ agent: String?
  ) -> HTTPServerReply {
    let id = event.callID
    let control = TelnyxCallControl(account, call: id, rest)
    let notice = notices(of: id)
    let outcome = calls.announce(
      WebhookCalls.Announcement(
        event.call(request, agent: agent), origin: request.origin, control: control,
        codec: {
          TelnyxMediaCodec(takesKey: { control.takesKey(ofSocket: true) }, notice: notice)
        }))
    return reply(to: outcome)
  }

  private func reply(to outcome: WebhookCalls.Outcome) -> HTTPServerReply {
    switch outcome {
    case .new: calls.count("accepted")
    case .known: calls.count("repeated")
    // Deliveries overtake each other, so this is nothing strange.
    case .over: calls.count("late")
    case .refused:
      calls.count("refused")
      return .response(
        HTTPResponse(status: 503, headers: [Header("Retry-After", "5")], body: Array("not serving\n".utf8)))
    }
    return TelnyxChannel.noted
  }

  /// What becomes of a call, in any order and more than once.
  private func follow(_ event: TelnyxEvent) async {
    if let id = event.id, !seen.withLock({ $0.insert(id) }) { return calls.count("repeated") }
    calls.count("news")
    if let target = event.target, event.callID != target.caller {
      guard let outcome = event.targetOutcome, let leg = calls.leg(target.caller) else { return }
      let control = leg.control as? TelnyxCallControl
      let isHeard = await leg.hasMedia
      await control?.targetReported(outcome, attempt: target.attempt, isHeard: isHeard)
      return
    }
    if event.type == "call.hangup" {
      // The announcement may still be under way: then it comes too late.
      if !event.callID.isEmpty { await calls.ending(event.callID)?.ended(event.end) }
      return
    }
    guard let leg = calls.leg(event.callID), let control = leg.control as? TelnyxCallControl else { return }
    switch event.type {
    case "call.dtmf.received", "dtmf":
      if let key = event.digit, control.takesKey(ofSocket: false) { leg.pressed(key) }
    case "call.bridged":
      // Connected by somebody else, or after we had stopped waiting: the caller is not ours any more.
      if !control.bridged() { await leg.ended(CallEnd(.transferred, text: "the caller was connected")) }
    case "streaming.failed":
      let why = (event["failure_reason"] ?? "unknown").prefix(100)
      await giveUp(leg, CallEnd(.failed, text: "the media stream failed: \(why)"))
    default: break
    }
  }

  /// A call that can have no sound, if it still waits for it.
  private func giveUp(_ leg: WebhookLeg, _ end: CallEnd) async {
    if await leg.refused(end) { await leg.control.hangUp(end) }
  }

  /// Where a call's media stream says what is no sound; it has no time to wait.
  private func notices(of id: String) -> @Sendable (TelnyxMediaCodec.Notice) -> Void {
    { [weak self] notice in
      guard let self else { return }
      Task { await self.heed(notice, of: id) }
    }
  }

  private func heed(_ notice: TelnyxMediaCodec.Notice, of id: String) async {
    switch notice {
    case .fault(let text): log.warning("the media stream reports an error", ("what", text), ("call", id))
    case .unusable(let why):
      log.warning("the media stream cannot be used", ("why", why), ("call", id))
      if let leg = calls.leg(id) { await giveUp(leg, CallEnd(.noCommonCodec, text: why)) }
    }
  }

  // MARK: TeXML

  private func receive(
    _ webhook: TeXMLWebhook, _ account: TelnyxAccount, _ request: HTTPServerRequest, _ agent: String?
  ) async -> HTTPServerReply {
    let id = webhook.callSid
    if let end = webhook.end {
      calls.count("news")
      await calls.ending(id)?.ended(end)
      return TelnyxChannel.noted
    }
    if webhook.fields["StreamEvent"] != nil { return await streamReported(webhook) }
    let control = TeXMLCallControl(account, webhook, origin: request.origin, rest)
    let notice = notices(of: id)
    let outcome = calls.announce(
      WebhookCalls.Announcement(
        webhook.call(request, agent: agent), origin: request.origin, control: control,
        codec: { TelnyxMediaCodec(namesCall: false, notice: notice) }))
    let acknowledgement = reply(to: outcome)
    switch outcome {
    case .new(let leg), .known(let leg): return await document(of: leg)
    case .over: return TeXML.hangUp.reply
    case .refused: return acknowledgement
    }
  }

  private func streamReported(_ webhook: TeXMLWebhook) async -> HTTPServerReply {
    calls.count("news")
    if webhook.fields["StreamEvent"] == "stream-error", let leg = calls.leg(webhook.callSid) {
      let why = (webhook.fields["StreamError"] ?? "unknown").prefix(100)
      await giveUp(leg, CallEnd(.failed, text: "the media stream failed: \(why)"))
    }
    return TelnyxChannel.noted
  }

  /// What the engine decides, in Telnyx's words.
  private func document(of leg: WebhookLeg) async -> HTTPServerReply {
    guard let control = leg.control as? TeXMLCallControl else { return .text(409, "under Call Control\n") }
    if let document = await control.reply.value(within: TelnyxChannel.patience) { return document.reply }
    await leg.ended(CallEnd(.noAnswer, text: "nobody took the call in time"))
    return TeXML.reject(isBusy: true).reply
  }

  /// News of the call to whom a caller is handed over to. The caller's own leg stands in the path.
  private func dialled(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard !signers(of: request).isEmpty else { return TelnyxChannel.refusal }
    guard let webhook = TeXMLWebhook(request) else { return malformed(request) }
    calls.count("news")
    let control = calls.leg(request.parameters["call"] ?? "")?.control as? TeXMLCallControl
    guard request.path.contains("/dial/") else {
      control?.targetReported(webhook.fields["CallStatus"])
      return TelnyxChannel.noted
    }
    return (control?.dialEnded(webhook.dialOutcome) ?? .hangUp).reply
  }
}
