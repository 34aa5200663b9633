internal import CLibre

/// One call of an endpoint, from the first INVITE to the end, in either role. Lives on the endpoint's loop.
final class SIPCallCore {
  enum State {
    /// No final answer yet.
    case ringing
    /// Our 2xx was sent, its ACK has not come; or theirs came and our ACK waits for SDP.
    case answered
    case up
    case over
  }

  /// A 2xx of ours that is sent again until its ACK comes (RFC 3261 section 13.3.1.4).
  struct Success {
    var bytes: [UInt8]
    var sequence: UInt32
    var flow: SIPFlow
    var interval: Duration
    var until: ContinuousClock.Instant
    /// The answer is to come with ACK.
    var offers: Bool
  }

  let number: UInt64
  unowned let core: SIPCore
  let isServer: Bool
  var state = State.ringing
  var events: (@Sendable (SIPCallEvent) -> Void)?
  /// `nil` for a call of ours that nobody answered yet.
  var dialog: SIPDialog?
  /// The way that the other side was last heard on.
  var flow: SIPFlow?
  /// Where the caller believes that its INVITE came from, when it asked to be answered where that really was (`rport`).
  var sentBy = ""
  /// User part of our Contact, escaped.
  var contactUser: String?
  /// Whether the other side's `Allow` names UPDATE.
  var allowsUpdate = false
  var localSDP: [UInt8]?
  var remoteSDP: [UInt8]?

  // Incoming INVITE: the first, or a later one that waits for an answer.
  var invite: SIPServerTransaction?
  let ringTimer = LoopTimer()
  var reliable: SIPReliableProvisional?
  var success: Success?
  let successTimer = LoopTimer()
  var acceptance: OneShot<Result<[UInt8]?, SIPCallOver>>?
  /// BYE as soon as ACK has come: before, it must not be sent (section 15).
  var byeAfterACK: [Header]?

  // INVITE of ours that has no final answer.
  var outgoing: SIPClientRequest?
  var outgoingCall: SIPOutgoingCall?
  var isGivenUp = false
  var early: [String: SIPEarlyDialog] = [:]
  /// `From` of our INVITE, with its tag; empty before there was one.
  var inviteFrom = ""
  /// ACK for the last 2xx, for copies of it.
  var lastACK: (sequence: UInt32, bytes: [UInt8], flow: SIPFlow)?
  /// Branches that answered after another one did, or after the end; each got ACK and BYE.
  var superfluous: [String: SIPSuperfluousAnswer] = [:]
  /// CSeq of the last INVITE of ours that was answered with 2xx.
  var inviteSequence: UInt32 = 0
  var reinviteDelay: LoopTimer?
  /// Who waits for the end of a re-INVITE of ours.
  var changed: ((SIPResponse) -> Void)?

  var sessionTimer: SIPSessionTimer?
  /// The shortest interval that somebody on the way accepts.
  var minimumInterval = 0
  let refreshTimer = LoopTimer()
  let expiryTimer = LoopTimer()
  /// REFERs of ours whose NOTIFYs are still to come; their CSeq changes with a challenge.
  var transfers: [SIPClientRequest] = []
  /// REFERs of theirs that are still to be reported on.
  var referrals: Set<UInt32> = []

  init(number: UInt64, core: SIPCore, isServer: Bool) {
    self.number = number
    self.core = core
    self.isServer = isServer
  }

  var handle: SIPCallNumber { SIPCallNumber(value: number) }

  func emit(_ event: SIPCallEvent) { events?(event) }

  // MARK: The end

  /// Ends the call here: everything stops, the owner hears of it. What must be sent was sent before.
  func end(_ ending: SIPCallEnding) {
    guard state != .over else { return }
    if state == .ringing, isServer { core.pendingCalls -= 1 }
    state = .over
    stopTimers()
    outgoing?.abandon(481)
    outgoing = nil
    changed?(SIPResponse(status: 481))
    changed = nil
    if let invite, !invite.hasFinalAnswer { invite.answer(invite.isInvite ? 487 : 481) }
    invite = nil
    core.calls[number] = nil
    early = [:]
    if !inviteFrom.isEmpty { core.keepEnded(self) }
    let events = self.events
    self.events = nil
    acceptance?.resolve(.failure(SIPCallOver(ending: ending)))
    acceptance = nil
    events?(.ended(ending))
  }

  private func stopTimers() {
    for timer in [ringTimer, successTimer, refreshTimer, expiryTimer] { timer.cancel() }
    reliable = nil
    reinviteDelay = nil
    success = nil
  }

  /// Ends the call as its owner wants it, whatever state it is in.
  func hangUp(_ reasons: [SIPReason], _ headers: [Header]) {
    let headers = reasons.map { Header("Reason", $0.description) } + headers
    switch state {
    case .over: return
    case .ringing where isServer: refuse(SIPReply(480, headers: headers))
    case .ringing:
      isGivenUp = true
      outgoing?.cancel(headers)
    case .answered where isServer: byeAfterACK = headers
    case .answered, .up:
      bye(headers)
      end(SIPCallEnding(.localBye, status: 200, reasons: reasons))
    }
  }

  /// The endpoint closes.
  func shutDown() {
    switch state {
    case .over: return
    case .ringing where isServer: invite?.answer(503)
    case .ringing: outgoing?.cancel([])
    case .answered, .up: bye([Header("Reason", SIPReason.sip(503, "Shutdown").description)])
    }
    end(SIPCallEnding(.closed, status: 503))
  }

  func bye(_ headers: [Header]) {
    guard var plan = plan(.bye) else { return }
    plan.headers = headers
    send(plan) { _ in }
  }

  // MARK: Requests of ours in the dialog

  func plan(_ method: SIPMethod) -> SIPRequestPlan? {
    guard let sequence = dialog?.nextSequence() else { return nil }
    return dialog?.plan(method, sequence: sequence)
  }

  /// Sends a request in the dialog; `done` hears every answer. 481 and 408 say that the other side has no such dialog
  /// any more, unless the request was an aside (RFC 5057).
  @discardableResult
  func send(
    _ plan: SIPRequestPlan, done: @escaping (SIPClientRequest.Answer) -> Void
  ) -> SIPClientRequest {
    let request = SIPClientRequest(
      plan, core: core, credentials: outgoingCall?.credentials, contactUser: contactUser, answered: done)
    // Its own CSeq has been counted; after a challenge it needs the next one.
    request.nextSequence = { [weak self] in self?.dialog?.nextSequence() ?? plan.sequence + 1 }
    if let flow = directFlow(plan), !shouldLeave(flow, plan) {
      request.start(on: flow)
    } else {
      request.start()
    }
    return request
  }

  /// Whether a request is too large for the datagrams of this way, and the peer can be reached by another.
  private func shouldLeave(_ flow: SIPFlow, _ plan: SIPRequestPlan) -> Bool {
    guard flow.transport == .udp, let hop = plan.hop, hop.transport == nil, core.isLarge(plan),
      case .direct(let address, _) = SIPLookup(hop).plan
    else { return false }
    // Behind NAT only the way that it came on leads back.
    return flow.remote.socketAddress == address
  }

  /// The way to the other side where none has to be looked for: the connection that it uses, or the address that it
  /// sent from when its Contact is one that only its own network knows: a private one, or the one in its `Via`, while
  /// its packets come from elsewhere.
  func directFlow(_ plan: SIPRequestPlan) -> SIPFlow? {
    guard let flow, core.transports.isOpen(flow) else { return nil }
    if case .stream = flow.path { return flow }
    guard let hop = plan.hop, case .direct(let address, .udp) = SIPLookup(hop).plan else { return nil }
    let source = flow.remote.ip
    if plan.routes.isEmpty, address.ip != source,
      address.ip == sentBy || (SIPAddressRange.isPrivate(address.ip) && !SIPAddressRange.isPrivate(source))
    {
      return flow
    }
    guard let remote = sa(address), remote.family == flow.remote.family else { return nil }
    var direct = flow
    direct.remote = remote
    return direct
  }

  /// Whether an answer says that the dialog is gone (RFC 5057 section 5.1); the call is over then.
  func isGone(_ status: Int) -> Bool {
    guard status == 481 || status == 408 else { return false }
    if state != .over {
      if status == 408 { bye([Header("Reason", SIPReason.sip(408, "Request Timeout").description)]) }
      end(SIPCallEnding(.lost, status: 200))
    }
    return true
  }

  // MARK: Requests of theirs

  /// Whether a request with our tag is of this call.
  func isDialog(of envelope: SIPEnvelope) -> Bool { dialog?.matches(envelope) ?? false }
}

/// Addresses that mean something inside of one network only.
enum SIPAddressRange {
  static func isPrivate(_ ip: String) -> Bool {
    if ip.utf8.contains(SIPByte.colon) {
      let low = ip.lowercased()
      return low == "::1" || low.hasPrefix("fe80:") || low.hasPrefix("fc") || low.hasPrefix("fd")
    }
    let parts = ip.split(separator: ".").compactMap { UInt8($0) }
    guard parts.count == 4 else { return false }
    switch (parts[0], parts[1]) {
    case (10, _), (127, _), (192, 168), (169, 254), (172, 16...31), (100, 64...127): return true
    default: return false
    }
  }
}
