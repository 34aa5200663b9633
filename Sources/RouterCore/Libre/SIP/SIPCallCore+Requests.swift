/// Requests of the other side in a call.
extension SIPCore {
  func inDialog(_ call: SIPCallCore, _ key: SIPTransactionKey, _ envelope: SIPEnvelope, _ flow: SIPFlow) {
    let method = envelope.cseq.method
    let transaction = transactions.open(key, merge: nil, envelope, flow, arrival(flow), toTag: nil)
    // An older number means that requests overtook each other (section 12.2.2).
    if let last = call.dialog?.remoteSequence, envelope.cseq.number < last { return transaction.answer(500) }
    call.dialog?.remoteSequence = envelope.cseq.number
    let unknown = unsupported(envelope.headers)
    guard unknown.isEmpty || method == .bye else {
      return transaction.answer(420, headers: [Header("Unsupported", unknown.joined(separator: ", "))])
    }
    call.flow = flow
    call.request(transaction, envelope)
  }
}

extension SIPCallCore {
  func request(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    switch envelope.cseq.method {
    case .bye: remoteBye(transaction, envelope)
    case .invite: reinvited(transaction, envelope)
    case .update: updated(transaction, envelope)
    case .prack: prack(transaction, envelope)
    case .info: informed(transaction, envelope)
    case .refer: referred(transaction, envelope)
    case .notify: notified(transaction, envelope)
    case .options: transaction.answer(SIPCore.standardReply(.options))
    case .subscribe, .publish: transaction.answer(SIPCore.standardReply(.subscribe))
    default: transaction.answer(SIPCore.standardReply(envelope.cseq.method))
    }
  }

  private func remoteBye(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    transaction.answer(200)
    let reasons = SIPReason.all(in: envelope.headers)
    // BYE of a caller before our answer: the INVITE gets 487 (section 15.1.2), as `end` does.
    let cause: SIPCallEnding.Cause = state == .ringing ? .cancelled : .remoteBye
    end(SIPCallEnding(cause, status: state == .ringing ? 487 : 200, reasons: reasons))
  }

  func informed(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    // Packages are negotiated with Recv-Info, which we never send (RFC 6086 section 4.2.2).
    if envelope.headers.contains("Info-Package") { return transaction.answer(469) }
    let pending = core.wait(transaction) { reply in transaction.answer(reply) }
    if let pending { emit(.info(pending)) }
  }

  // MARK: Changes of the session

  /// Whether a change can be looked at now (sections 14.2 and RFC 3311 section 5.2): not while another is under way.
  private func refuseChange(_ transaction: SIPServerTransaction) -> Bool {
    if outgoing != nil || success != nil {
      transaction.answer(491)
      return true
    }
    if invite != nil {
      transaction.answer(500, headers: [Header("Retry-After", "\(Int.random(in: 0...10))")])
      return true
    }
    return false
  }

  private func reinvited(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    guard state == .up || state == .answered else {
      // Of a caller who was not answered yet (RFC 3261 section 14.2); or our own is under way.
      guard isServer else { return transaction.answer(491) }
      return transaction.answer(500, headers: [Header("Retry-After", "\(Int.random(in: 0...10))")])
    }
    if refuseChange(transaction) { return }
    guard let (body, outcome) = readChange(transaction, envelope) else { return }
    invite = transaction
    transaction.answer(100)
    transaction.cancelled = { [unowned self, unowned transaction] _ in
      invite = nil
      transaction.answer(487)
    }
    let sequence = envelope.cseq.number
    let pending = core.wait(transaction) { [weak self] reply in
      self?.answerReinvite(transaction, sequence, reply, outcome, offers: body == .none)
    }
    guard let pending else { return }
    emit(.offer(SIPOffer(pending: pending, sdp: body.sdp)))
  }

  private func answerReinvite(
    _ transaction: SIPServerTransaction, _ sequence: UInt32, _ reply: SIPReply,
    _ outcome: SIPSessionTimer.ServerOutcome, offers: Bool
  ) {
    guard state != .over, invite === transaction else { return }
    invite = nil
    guard reply.status == 200, let bytes = success(of: transaction, reply.body, reply.headers, outcome) else {
      return transaction.answer(reply)
    }
    localSDP = reply.body
    transaction.send(200, bytes)
    keepSending(bytes, sequence, transaction.flow, offers: offers)
  }

  private func updated(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    guard let (body, outcome) = readChange(transaction, envelope) else { return }
    guard let sdp = body.sdp else {
      // Only a refresh of the session or of the Contact.
      guard let bytes = success(of: transaction, [], [], outcome) else { return }
      return transaction.send(200, bytes)
    }
    if state == .ringing || refuseChange(transaction) {
      // Before the answer there is an offer under way already (RFC 3311 section 5.2).
      if !transaction.hasFinalAnswer { transaction.answer(500, headers: [Header("Retry-After", "2")]) }
      return
    }
    invite = transaction
    let pending = core.wait(transaction) { [weak self] reply in
      guard let self, state != .over, invite === transaction else { return }
      invite = nil
      guard reply.status == 200, let bytes = success(of: transaction, reply.body, reply.headers, outcome)
      else {
        return transaction.answer(reply)
      }
      localSDP = reply.body
      remoteSDP = sdp
      transaction.send(200, bytes)
    }
    if let pending { emit(.offer(SIPOffer(pending: pending, sdp: sdp))) }
  }

  /// What re-INVITE and UPDATE have in common. `nil` when it was refused.
  private func readChange(
    _ transaction: SIPServerTransaction, _ envelope: SIPEnvelope
  ) -> (SIPBody, SIPSessionTimer.ServerOutcome)? {
    let body = SIPBody(envelope.headers, envelope.message.body)
    if body == .foreign {
      transaction.answer(415, headers: [Header("Accept", "application/sdp")])
      return nil
    }
    let outcome = SIPSessionTimer.serve(envelope.headers, core.settings.sessionTimer)
    if case .tooSmall(let minimum) = outcome {
      transaction.answer(422, headers: [Header("Min-SE", "\(minimum)")])
      return nil
    }
    dialog?.refresh(envelope.headers)
    notePeer(envelope.headers)
    return (body, outcome)
  }
}

extension SIPBody {
  var sdp: [UInt8]? {
    if case .sdp(let sdp) = self { return sdp }
    return nil
  }
}
