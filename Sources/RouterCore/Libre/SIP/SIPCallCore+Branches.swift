internal import CLibre

/// A call that we place may ring in several places, and each of them is a dialog (RFC 3261 section 12.1.2).
extension SIPCallCore {
  // MARK: Before the answer

  /// The branch that a request of the other side belongs to, while nobody has answered.
  func earlyBranch(of envelope: SIPEnvelope) -> String? {
    guard dialog == nil, let tag = envelope.fromTag else { return nil }
    let name = envelope.headers.text(tag)
    return early[name]?.dialog.matches(envelope) == true ? name : nil
  }

  /// A request of a side that rings.
  func inEarlyDialog(_ name: String, _ key: SIPTransactionKey, _ envelope: SIPEnvelope, _ flow: SIPFlow) {
    let transaction = core.transactions.open(
      key, merge: nil, envelope, flow, core.arrival(flow), toTag: nil)
    if let last = early[name]?.dialog.remoteSequence, envelope.cseq.number < last {
      return transaction.answer(500)
    }
    early[name]?.dialog.remoteSequence = envelope.cseq.number
    let unknown = core.unsupported(envelope.headers)
    guard unknown.isEmpty else {
      return transaction.answer(420, headers: [Header("Unsupported", unknown.joined(separator: ", "))])
    }
    switch envelope.cseq.method {
    case .update: earlyUpdate(name, transaction, envelope)
    case .info: informed(transaction, envelope)
    case .options: transaction.answer(SIPCore.standardReply(.options))
    case .bye:
      // Not for a side that has not answered (section 15), but it says clearly that it is gone.
      early[name] = nil
      transaction.answer(200)
    default: transaction.answer(405, headers: [Header("Allow", "UPDATE, INFO, OPTIONS")])
    }
  }

  /// UPDATE before the answer (RFC 3311 section 5.2): a new Contact at any time, a new offer once the first one was
  /// answered reliably. The session timer begins with the answer.
  private func earlyUpdate(_ name: String, _ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    let body = SIPBody(envelope.headers, envelope.message.body)
    if body == .foreign {
      return transaction.answer(415, headers: [Header("Accept", "application/sdp")])
    }
    guard let sdp = body.sdp else {
      early[name]?.dialog.refresh(envelope.headers)
      guard let bytes = success(of: transaction, [], [], .none) else { return }
      return transaction.send(200, bytes)
    }
    guard early[name]?.isAgreed == true else { return transaction.answer(491) }
    guard invite == nil else {
      return transaction.answer(500, headers: [Header("Retry-After", "\(Int.random(in: 0...10))")])
    }
    early[name]?.dialog.refresh(envelope.headers)
    invite = transaction
    let pending = core.wait(transaction) { [weak self] reply in
      guard let self, state != .over, invite === transaction else { return }
      invite = nil
      guard reply.status == 200, let bytes = success(of: transaction, reply.body, reply.headers, .none) else {
        return transaction.answer(reply)
      }
      localSDP = reply.body
      remoteSDP = sdp
      transaction.send(200, bytes)
    }
    if let pending { emit(.offer(SIPOffer(pending: pending, sdp: sdp))) }
  }

  // MARK: After it

  /// A 2xx whose transaction is over: a copy gets its ACK again; another branch gets ACK and BYE, for one call is
  /// enough (section 13.2.2.4), and so does an answer that comes when we have given up.
  func answeredAgain(_ envelope: SIPEnvelope, _ flow: SIPFlow) {
    guard let tag = envelope.toTag else { return }
    let name = envelope.headers.text(tag)
    if name == dialog?.remoteTag {
      if let lastACK, lastACK.sequence == envelope.cseq.number {
        _ = core.transports.send(lastACK.bytes, on: lastACK.flow)
      }
      return
    }
    if let known = superfluous[name] {
      if let flow = known.flow { _ = core.transports.send(known.bytes, on: flow) }
      return
    }
    guard superfluous.count < SIPCallCore.maximumBranches,
      var other = SIPDialog(client: envelope, localTag: number, local: inviteFrom)
    else { return }
    if state == .over { self.flow = flow }
    superfluous[name] = SIPSuperfluousAnswer()
    sendACK(other.plan(.ack, sequence: envelope.cseq.number)) { [weak self] bytes, flow in
      self?.superfluous[name] = SIPSuperfluousAnswer(bytes: bytes, flow: flow)
    }
    var bye = other.plan(.bye, sequence: other.nextSequence())
    if dialog != nil {
      bye.headers = [Header("Reason", SIPReason.sip(200, "Call completed elsewhere").description)]
    }
    send(bye) { _ in }
  }
}
