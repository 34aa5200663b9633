/// REFER in both directions, and the NOTIFYs that tell of it (RFC 3515).
extension SIPCallCore {
  // MARK: We ask

  /// Asks the other side to call somebody; `done` hears the final answer to REFER.
  func refer(_ request: SIPTransferRequest, _ done: @escaping (SIPResponse) -> Void) {
    guard state == .up, var plan = plan(.refer) else { return done(SIPResponse(status: 481)) }
    let referrer = request.referredBy ?? flow.map { core.contact($0, user: contactUser) }
    plan.hasContact = true
    plan.headers = [Header("Refer-To", "<\(request.target)>")]
    if let referrer { plan.headers.append(Header("Referred-By", referrer)) }
    plan.headers += request.headers
    weak var transfer: SIPClientRequest?
    let sent = send(plan) { [weak self] answer in
      guard let self, answer.status >= 200 else { return }
      if !(200..<300).contains(answer.status) { transfers.removeAll { $0 === transfer } }
      let response = core.response(answer)
      _ = answer.status == 481 && isGone(481)
      done(response)
    }
    transfer = sent
    // NOTIFY may come before the answer to REFER.
    transfers.append(sent)
    if transfers.count > 8 { transfers.removeFirst() }
  }

  func notified(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    let event = envelope.headers.first(.event) ?? ""
    guard event.prefix(while: { $0 != ";" }).trimmingBlanks().equalsFolded("refer") else {
      return transaction.answer(489, headers: [Header("Allow-Events", "refer")])
    }
    // `id` is the CSeq of the REFER that it tells of (RFC 3515 section 2.4.6); without one, of the newest.
    let parameters = event.split(separator: ";").dropFirst().map { String($0).trimmingBlanks().lowercased() }
    let id = parameters.first { $0.hasPrefix("id=") }.map { $0.dropFirst(3) }
    let told = id.map { id in transfers.first { $0.plan.sequence == UInt32(id) } } ?? transfers.last
    guard let told else { return transaction.answer(481) }
    transaction.answer(200)
    let subscription = envelope.headers.first(.subscriptionState) ?? ""
    let isTerminated = subscription.prefix { $0 != ";" }.trimmingBlanks().equalsFolded("terminated")
    let body = SIPCore.request(envelope, transaction.arrival).body
    let line = SIPFragment.statusLine(body)
    let isFinal = isTerminated || (line?.status ?? 0) >= 200
    // What becomes of one that was given up does not decide about the one after it.
    let isNewest = told === transfers.last
    if isFinal { transfers.removeAll { $0 === told } }
    guard isNewest else { return }
    emit(
      .transferProgress(
        SIPTransferProgress(status: line?.status, reason: line?.reason ?? "", isFinal: isFinal)))
  }

  // MARK: The other side asks

  func referred(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope) {
    guard state == .up || state == .answered else { return transaction.answer(481) }
    guard let target = envelope.headers.first(.referTo).flatMap({ SIPAddress($0) }) else {
      return transaction.answer(400, "Bad Request - Refer-To")
    }
    guard referrals.count < 8,
      let pending = core.wait(transaction, answer: { transaction.answer($0) })
    else { return transaction.answer(503) }
    emit(
      .referred(
        SIPReferral(
          pending: pending, call: handle, subscription: envelope.cseq.number, target: target,
          referredBy: envelope.headers.first(.referredBy).flatMap { SIPAddress($0) })))
  }

  /// Agrees to a REFER: 202, and the first NOTIFY at once (RFC 3515 section 2.4.4), unless none is wanted (RFC 4488).
  func accept(_ referral: SIPReferral) {
    guard state != .over else { return }
    let isSilent = referral.request.headers["Refer-Sub"]?.lowercased().hasPrefix("false") ?? false
    var reply = SIPReply(202)
    if isSilent { reply.headers.append(Header("Refer-Sub", "false")) }
    referral.pending.respond(reply)
    guard !isSilent else { return }
    referrals.insert(referral.subscription)
    report(referral.subscription, 100, nil)
  }

  /// Tells how the referred call goes.
  func report(_ subscription: UInt32, _ status: Int, _ reason: String?) {
    guard referrals.contains(subscription), var plan = plan(.notify) else { return }
    let isFinal = status >= 200
    if isFinal { referrals.remove(subscription) }
    plan.hasContact = true
    plan.headers = [
      Header("Event", "refer;id=\(subscription)"),
      Header("Subscription-State", isFinal ? "terminated;reason=noresource" : "active;expires=60"),
    ]
    plan.contentType = "message/sipfrag;version=2.0"
    plan.body = Array("SIP/2.0 \(status) \(reason ?? SIPStatus.reason(status))\r\n".utf8)
    send(plan) { [weak self] answer in
      // The other side may have lost interest.
      if answer.status >= 300 { self?.referrals.remove(subscription) }
    }
  }
}
