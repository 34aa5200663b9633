internal import FoundationEssentials
public import RouterCore

/// Calls by Telnyx's webhooks, their sound by its media streams, under Call Control or TeXML.
///
/// Signatures are ``TelnyxSignature``'s, what Telnyx says ``TelnyxEvent``'s or ``TeXMLWebhook``'s, what it is told
/// ``TelnyxCallControl``'s or `DocumentCallControl`'s, its sound ``TelnyxMediaCodec``'s; the call's life is `RouterCore`'s
/// (`WebhookCalls`).
public final class TelnyxChannel: WebhookChannel {
  public static let name = "telnyx"
  public static let capabilities = ChannelCapabilities(
    transfer: true, digits: true, sendsDigits: true, rejectReasons: true)

  public let calls: WebhookCalls
  private let rest: TelnyxREST
  private let log: Log
  /// Events, so that a delivery that is repeated does nothing.
  private let seen = Lock(RecentSet(8192))

  /// How long TeXML is made to wait for its document; Call Control never waits.
  private static let patience = Duration.seconds(8)

  /// How far events may be behind others that happened after them.
  private static let newsLag = Duration.milliseconds(500)

  public init(_ configuration: NoConfiguration, _ host: PluginHost) async throws {
    log = host.log.labelled(TelnyxChannel.name)
    calls = WebhookCalls(type: TelnyxChannel.name, host)
    rest = TelnyxREST(rest: ProviderREST(TelnyxChannel.name, host, deadline: .seconds(6)))
    let form: Set<String> = ["application/x-www-form-urlencoded"]
    // No GET: its fields would stand in the address, which is not signed.
    calls.takeAnnouncements(
      methods: ["POST"], accepts: form.union(["application/json"]),
      recognises: { $0.header(TelnyxSignature.signatureHeader) != nil }
    ) { [weak self] in await self?.receive($0, $1) }
    calls.takeNews(at: ["dial/{call}", "target/{call}"], methods: ["POST"], accepts: form) {
      [weak self] in await self?.dialled($0)
    }
  }

  // MARK: Who is believed

  /// The accounts whose key signed the request; empty is answered with 403 and was counted.
  private func signers(of request: HTTPServerRequest) -> [TelnyxAccount] {
    let accounts = calls.accounts(for: request).compactMap(TelnyxAccount.init)
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

  private func malformed(_ request: HTTPServerRequest) -> HTTPServerReply {
    calls.count("malformed", refused: request)
    return .text(400, "not what Telnyx sends\n")
  }

  private func receive(_ request: HTTPServerRequest, _ agent: String?) async -> HTTPServerReply {
    let signers = signers(of: request)
    guard !signers.isEmpty else { return WebhookCalls.refusal }
    if TeXMLWebhook.isForm(request) {
      guard let webhook = TeXMLWebhook(request) else { return malformed(request) }
      guard let account = account(webhook.fields["ConnectionId"], among: signers, request) else {
        return WebhookCalls.refusal
      }
      return await receive(webhook, account, request, agent)
    }
    guard let event = TelnyxEvent(request.body) else { return malformed(request) }
    guard let account = account(event["connection_id"], among: signers, request) else {
      return WebhookCalls.refusal
    }
    if event.isAnnouncement { return announce(event, account, request, agent) }
    await follow(event)
    return WebhookCalls.noted
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
    switch outcome {
    case .new: calls.count("accepted")
    case .known: calls.count("repeated")
    // Deliveries overtake each other, so this is nothing strange.
    case .over: calls.count("late")
    case .refused: return calls.notServing()
    }
    return WebhookCalls.noted
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
      guard !event.callID.isEmpty, let leg = calls.ending(event.callID) else { return }
      if let control = leg.control as? TelnyxCallControl, control.isReferring {
        // Whoever was referred elsewhere is gone, too: the news of that may be a moment behind.
        try? await Task.sleep(for: TelnyxChannel.newsLag)
      }
      await leg.ended(event.end)
      return
    }
    guard let leg = calls.leg(event.callID), let control = leg.control as? TelnyxCallControl else { return }
    switch event.type {
    case "call.dtmf.received", "dtmf":
      if let key = event.digit, control.takesKey(ofSocket: false) { leg.pressed(key, isCounted: true) }
    case "call.bridged":
      // Connected by somebody else, or after we had stopped waiting: the caller is not ours any more.
      if !control.bridged() { await leg.ended(CallEnd(.transferred, text: "the caller was connected")) }
    case "call.refer.completed", "call.refer.failed":
      let isHeard = await leg.hasMedia
      await control.targetReported(event.referOutcome, attempt: nil, isHeard: isHeard)
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
    if let end = CallEnd(callStatus: webhook.fields["CallStatus"]) {
      calls.count("news")
      await calls.ending(id)?.ended(end)
      return WebhookCalls.noted
    }
    if webhook.fields["StreamEvent"] != nil { return await streamReported(webhook) }
    let provider = DocumentCallControl.Provider(account, webhook, origin: request.origin, rest)
    let notice = notices(of: id)
    let announcement = WebhookCalls.Announcement(
      webhook.call(request, agent: agent), origin: request.origin, control: DocumentCallControl(provider),
      codec: { TelnyxMediaCodec(namesCall: false, notice: notice) })
    return await calls.reply(
      to: request, announcement, by: DocumentCallControl.self, within: TelnyxChannel.patience,
      isOrdered: false)
  }

  private func streamReported(_ webhook: TeXMLWebhook) async -> HTTPServerReply {
    calls.count("news")
    if webhook.fields["StreamEvent"] == "stream-error", let leg = calls.leg(webhook.callSid) {
      let why = (webhook.fields["StreamError"] ?? "unknown").prefix(100)
      await giveUp(leg, CallEnd(.failed, text: "the media stream failed: \(why)"))
    }
    return WebhookCalls.noted
  }

  /// News of the call to whom a caller is handed over to. The caller's own leg stands in the path.
  private func dialled(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard !signers(of: request).isEmpty else { return WebhookCalls.refusal }
    guard let webhook = TeXMLWebhook(request) else { return malformed(request) }
    calls.count("news")
    let control = calls.leg(request.parameters["call"] ?? "")?.control as? DocumentCallControl
    guard request.path.contains("/dial/") else {
      control?.targetReported(webhook.fields["CallStatus"])
      return WebhookCalls.noted
    }
    return (control?.dialEnded(webhook.fields["DialCallStatus"]) ?? CallDocument.hangUp).reply
  }
}
