/// A provisional response of ours that is sent again until PRACK comes (RFC 3262 section 3).
struct SIPReliableProvisional {
  var rseq: UInt32
  var sequence: UInt32
  /// It carries SDP: the final answer waits for its PRACK.
  var hasSDP: Bool
  /// Its SDP is an offer, whose answer comes with PRACK.
  var offers: Bool
  var isOutstanding = false
  let timer = LoopTimer()
  /// What must wait for PRACK.
  var waiting: [SIPReply] = []
  var waitingAcceptance: (sdp: [UInt8], headers: [Header])?
}

/// The first INVITE of a call that came in.
extension SIPCallCore {
  /// Takes the call: 100 in time, an end when nobody answers it.
  func take(_ transaction: SIPServerTransaction, _ events: @escaping @Sendable (SIPCallEvent) -> Void) {
    self.events = events
    invite = transaction
    transaction.cancelled = { [weak self] reasons in self?.cancelled(reasons) }
    let timers = core.settings.timers
    // 100 stops the caller's retransmissions and lets it cancel; it is saved when something better is sent in time
    // (section 17.2.1).
    ringTimer.start(after: timers.trying) { [unowned self] in
      if let invite, invite.lastStatus == 0 { invite.answer(100) }
      limitRinging()
    }
  }

  /// The call rings for as long as we let it, or as the caller says that its invitation holds (RFC 3261 section 13.3.1).
  private func limitRinging() {
    let timers = core.settings.timers
    let expires = invite?.envelope?.headers.first(.expires).flatMap { SIPNumber.seconds($0) }
    let patience = expires.map { max(.zero, .seconds($0) - timers.trying) } ?? timers.unanswered
    let status = patience < timers.unanswered ? 487 : 480
    ringTimer.start(after: min(patience, timers.unanswered)) { [unowned self] in
      guard state == .ringing else { return }
      invite?.answer(status)
      end(SIPCallEnding(.timedOut, status: status))
    }
  }

  private func cancelled(_ reasons: [SIPReason]) {
    guard state == .ringing else { return }
    invite?.answer(487)
    end(SIPCallEnding(.cancelled, status: 487, reasons: reasons))
  }

  /// Refuses.
  func refuse(_ reply: SIPReply) {
    guard state == .ringing, let invite else { return }
    var reply = reply
    if !(300...699).contains(reply.status) { reply.status = 500 }
    invite.answer(reply)
    end(SIPCallEnding(.refusedByUs, status: reply.status))
  }

  // MARK: Provisional answers

  func ring(_ reply: SIPReply) {
    guard state == .ringing, let invite, (101...199).contains(reply.status) else { return }
    // Who wants both reliable answers and our offer gets the offer with the first one (RFC 3261 section 13.2.1): the 200.
    if reliable != nil, remoteSDP == nil, reply.body.isEmpty { return }
    if reliable?.isOutstanding == true {
      // The next one waits for PRACK of the last (RFC 3262 section 3); a few are kept.
      if let count = reliable?.waiting.count, count < 8 { reliable?.waiting.append(reply) }
      return
    }
    guard var writer = invite.begin(reply.status, reply.reason, recordsRoute: true) else { return }
    writer.field("Contact", core.contact(invite.flow, user: contactUser))
    writer.field("Allow", SIPCore.allowed)
    if reliable != nil {
      reliable?.rseq += 1
      reliable?.hasSDP = !reply.body.isEmpty
      reliable?.offers = !reply.body.isEmpty && remoteSDP == nil
      writer.raw("Require: 100rel\r\n")
      writer.field("RSeq", number: reliable?.rseq ?? 0)
    }
    writer.fields(reply.headers)
    writer.end(contentType: reply.contentType, body: reply.body)
    if !reply.body.isEmpty { localSDP = reply.body }
    invite.send(reply.status, writer.bytes)
    if reliable != nil {
      reliable?.isOutstanding = true
      repeatProvisional(
        reply.status, writer.bytes, after: core.settings.timers.t1, until: .now + core.settings.timers.timeout
      )
    }
  }

  private func repeatProvisional(
    _ status: Int, _ bytes: [UInt8], after delay: Duration, until: ContinuousClock.Instant
  ) {
    reliable?.timer.start(after: delay) { [unowned self] in
      guard state == .ringing, let invite else { return }
      guard ContinuousClock.now < until else {
        // No PRACK in 64 × T1 (RFC 3262 section 3).
        invite.answer(504)
        return end(SIPCallEnding(.notAcknowledged, status: 504))
      }
      invite.send(status, bytes)
      repeatProvisional(status, bytes, after: delay * 2, until: until)
    }
  }

  /// PRACK: the answer to it is written here; what waited for it goes on.
  func prack(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    guard let rack = envelope.headers["RAck"].flatMap({ SIPResponseAcknowledgement($0) }), let reliable,
      reliable.isOutstanding, rack.rseq == reliable.rseq, rack.cseq == reliable.sequence,
      rack.method == .invite
    else { return transaction.answer(481) }
    self.reliable?.isOutstanding = false
    reliable.timer.cancel()
    let body = SIPBody(envelope.headers, envelope.message.body)
    transaction.answer(200)
    if case .sdp(let sdp) = body, reliable.offers {
      remoteSDP = sdp
      emit(.acknowledged(sdp: sdp))
    }
    guard state == .ringing else { return }
    let waiting = reliable.waiting
    self.reliable?.waiting = []
    if let acceptance = reliable.waitingAcceptance {
      self.reliable?.waitingAcceptance = nil
      accept(acceptance.sdp, acceptance.headers)
    } else {
      for reply in waiting { ring(reply) }
    }
  }

  // MARK: The answer

  func accept(_ sdp: [UInt8], _ headers: [Header]) {
    guard state == .ringing, let invite, let envelope = invite.envelope else { return }
    if let reliable, reliable.isOutstanding, reliable.hasSDP {
      // 200 must not overtake the PRACK of SDP (RFC 3262 section 3).
      self.reliable?.waitingAcceptance = (sdp, headers)
      return
    }
    ringTimer.cancel()
    reliable?.timer.cancel()
    let outcome = SIPSessionTimer.serve(envelope.headers, core.settings.sessionTimer)
    // What PRACK has agreed on is not said again (RFC 6337 section 2.2).
    let isAgreed = reliable?.offers == true && remoteSDP != nil
    let sequence = envelope.cseq.number
    let offers = remoteSDP == nil
    guard let bytes = success(of: invite, isAgreed ? [] : sdp, headers, outcome, recordsRoute: true) else {
      return
    }
    core.pendingCalls -= 1
    state = .answered
    localSDP = sdp
    invite.send(200, bytes)
    self.invite = nil
    keepSending(bytes, sequence, invite.flow, offers: offers)
  }

  /// A 2xx to INVITE or UPDATE with all that belongs into it; starts the session timer that it names.
  func success(
    of transaction: SIPServerTransaction, _ sdp: [UInt8], _ headers: [Header],
    _ outcome: SIPSessionTimer.ServerOutcome, recordsRoute: Bool = false
  ) -> [UInt8]? {
    guard var writer = transaction.begin(200, recordsRoute: recordsRoute) else { return nil }
    writer.field("Contact", core.contact(transaction.flow, user: contactUser))
    writer.field("Allow", SIPCore.allowed)
    writer.raw("Supported: timer, 100rel\r\n")
    if case .agreed(let timer, let field, let requires) = outcome {
      writer.field("Session-Expires", field.description)
      if requires { writer.raw("Require: timer\r\n") }
      startSession(timer)
    } else {
      startSession(nil)
    }
    writer.fields(headers)
    writer.end(contentType: "application/sdp", body: sdp)
    return writer.bytes
  }

  /// Sends a 2xx again and again until its ACK comes (section 13.3.1.4), also over TCP.
  func keepSending(_ bytes: [UInt8], _ sequence: UInt32, _ flow: SIPFlow, offers: Bool) {
    let timers = core.settings.timers
    success = Success(
      bytes: bytes, sequence: sequence, flow: flow, interval: timers.t1, until: .now + timers.timeout,
      offers: offers)
    successTimer.start(after: timers.t1) { [unowned self] in sendSuccessAgain() }
  }

  private func sendSuccessAgain() {
    guard var again = success else { return }
    guard ContinuousClock.now < again.until else {
      success = nil
      bye(byeAfterACK ?? [Header("Reason", SIPReason.sip(408, "ACK timeout").description)])
      return end(SIPCallEnding(.notAcknowledged, status: 408))
    }
    _ = core.transports.send(again.bytes, on: again.flow)
    again.interval = min(again.interval * 2, core.settings.timers.t2)
    success = again
    successTimer.start(after: again.interval) { [unowned self] in sendSuccessAgain() }
  }

  /// ACK for a 2xx of ours.
  func acknowledged(_ envelope: SIPEnvelope) {
    guard let success, success.sequence == envelope.cseq.number else { return }
    self.success = nil
    successTimer.cancel()
    if state == .answered { state = .up }
    if let headers = byeAfterACK {
      bye(headers)
      return end(SIPCallEnding(.localBye, status: 200))
    }
    var sdp: [UInt8]?
    if case .sdp(let found) = SIPBody(envelope.headers, envelope.message.body) { sdp = found }
    if let sdp { remoteSDP = sdp }
    acceptance?.resolve(.success(sdp))
    acceptance = nil
    emit(.acknowledged(sdp: sdp))
    if success.offers, sdp == nil, state == .up {
      // Our offer was left without an answer: there is no session (section 13.2.1).
      bye([Header("Reason", SIPReason.q850(88, "no answer in ACK").description)])
      end(SIPCallEnding(.notAcknowledged, status: 488))
    }
  }
}
