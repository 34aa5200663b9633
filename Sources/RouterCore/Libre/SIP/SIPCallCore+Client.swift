/// What one branch of the other side has said before the answer.
struct SIPEarlyDialog {
  var dialog: SIPDialog
  var order = SIPReliableOrder()
  /// Our offer was answered reliably: either side may make another one.
  var isAgreed = false
}

/// ACK for an answer that nobody wanted any more; `nil` until its way is known.
struct SIPSuperfluousAnswer {
  var bytes: [UInt8] = []
  var flow: SIPFlow?
}

/// The first INVITE of a call that we place.
extension SIPCallCore {
  /// Branches that may ring at once.
  static let maximumBranches = 16

  func place(_ call: SIPOutgoingCall, _ events: @escaping @Sendable (SIPCallEvent) -> Void) {
    outgoingCall = call
    self.events = events
    contactUser = call.from.uri.rawUser
    localSDP = call.sdp
    sendInvite(sequence: UInt32.random(in: 1...0xffff), callID: SIPTag.text(core.transactions.newBranch()))
  }

  private func sendInvite(sequence: UInt32, callID: String) {
    guard let call = outgoingCall else { return }
    var from = call.from
    from.parameters["tag"] = SIPTag.text(number)
    var plan = SIPRequestPlan(
      method: .invite, uri: call.target.description,
      routes: call.proxy.map { [SIPCore.looseRoute($0)] } ?? [],
      from: from.description, to: (call.to ?? SIPAddress(uri: call.target)).description, callID: callID,
      sequence: sequence)
    plan.hop = call.proxy ?? call.target
    plan.hasContact = true
    plan.headers = sessionHeaders.map { header in
      header.name == "Supported" && call.reliability == .none ? Header("Supported", "timer") : header
    }
    if call.reliability == .required { plan.headers.append(Header("Require", "100rel")) }
    plan.headers += call.headers
    plan.contentType = "application/sdp"
    plan.body = call.sdp ?? []
    inviteFrom = plan.from
    let request = SIPClientRequest(
      plan, core: core, credentials: call.credentials, contactUser: contactUser
    ) { [weak self] answer in
      guard let self, state != .over else { return }
      if answer.status < 200 { progressed(answer) } else { answered(answer) }
    }
    outgoing = request
    request.start()
  }

  // MARK: Provisional answers

  private func progressed(_ answer: SIPClientRequest.Answer) {
    guard answer.status > 100, let envelope = answer.envelope, let tag = envelope.toTag, !isGivenUp else {
      return
    }
    flow = answer.flow ?? flow
    let name = envelope.headers.text(tag)
    if early[name] == nil, early.count < SIPCallCore.maximumBranches, let local = outgoing?.plan.from,
      let dialog = SIPDialog(client: envelope, localTag: number, local: local)
    {
      early[name] = SIPEarlyDialog(dialog: dialog)
    }
    if envelope.headers.lists("100rel", in: .require),
      let rseq = envelope.headers.first(.rseq).flatMap({ SIPNumber.unsigned($0) })
    {
      // A copy, or one whose predecessor is missing, is not confirmed and does not count (RFC 3262 section 4).
      guard var branch = early[name], branch.order.accept(rseq) else { return }
      prack(name, &branch, rseq, envelope)
      if outgoingCall?.sdp != nil, core.response(answer).sdp != nil { branch.isAgreed = true }
      early[name] = branch
    }
    emit(.progress(core.response(answer)))
  }

  private func prack(
    _ name: String, _ branch: inout SIPEarlyDialog, _ rseq: UInt32, _ envelope: SIPEnvelope
  ) {
    var plan = branch.dialog.plan(.prack, sequence: branch.dialog.nextSequence())
    let rack = SIPResponseAcknowledgement(rseq: rseq, cseq: envelope.cseq.number, method: .invite)
    plan.headers = [Header("RAck", rack.description)]
    // After a challenge it takes the branch's next number; the dialog's, once somebody has answered.
    send(plan) { _ in }.nextSequence = { [weak self] in
      self?.early[name]?.dialog.nextSequence() ?? self?.dialog?.nextSequence() ?? plan.sequence + 1
    }
  }

  // MARK: The final answer

  private func answered(_ answer: SIPClientRequest.Answer) {
    let request = outgoing
    outgoing = nil
    let response = core.response(answer)
    guard response.isSuccess, let envelope = answer.envelope else {
      return refused(response, request)
    }
    flow = answer.flow ?? flow
    inviteSequence = envelope.cseq.number
    dialog = SIPDialog(client: envelope, localTag: number, local: request?.plan.from ?? "")
    guard dialog != nil else {
      // Without a Contact nothing more can be sent, not even BYE.
      return end(SIPCallEnding(.lost, status: 502, response: response))
    }
    // PRACKs have used numbers of the dialog.
    if let tag = envelope.toTag, let branch = early[envelope.headers.text(tag)] {
      dialog?.localSequence = max(branch.dialog.localSequence, inviteSequence)
      dialog?.remoteSequence = branch.dialog.remoteSequence
    }
    early = [:]
    notePeer(envelope.headers)
    remoteSDP = response.sdp
    if isGivenUp {
      acknowledge(inviteSequence, sdp: nil)
      bye([])
      return end(SIPCallEnding(.cancelledByUs, status: 487))
    }
    if outgoingCall?.sdp != nil {
      acknowledge(inviteSequence, sdp: nil)
      state = .up
    } else {
      state = .answered
    }
    startSession(SIPSessionTimer.accepted(envelope.headers))
    emit(.answered(response))
  }

  private func refused(_ response: SIPResponse, _ request: SIPClientRequest?) {
    if isGivenUp { return end(SIPCallEnding(.cancelledByUs, status: 487, response: response)) }
    if response.status == 422, let request,
      let floor = response.headers.first(.minSE).flatMap({ SIPNumber.seconds($0) }), floor > minimumInterval,
      floor < 86_400
    {
      // Again with what everybody on the way accepts (RFC 4028 section 7.3).
      minimumInterval = floor
      return sendInvite(sequence: request.plan.sequence + 1, callID: request.plan.callID)
    }
    let cause: SIPCallEnding.Cause =
      switch (response.arrival, response.status) {
      case (nil, 408): .timedOut
      case (nil, _): .lost
      default: .refused
      }
    end(
      SIPCallEnding(
        cause, status: response.status, reasons: SIPReason.all(in: response.headers), response: response))
  }

  /// Our answer to the offer in a 2xx.
  func acknowledgeOffer(_ sdp: [UInt8]) {
    guard !isServer, state == .answered else { return }
    localSDP = sdp
    state = .up
    acknowledge(inviteSequence, sdp: sdp)
  }
}

extension SIPCore {
  static func looseRoute(_ uri: SIPURI) -> String {
    var uri = uri
    if !uri.parameters.contains("lr") { uri.parameters.all.append(SIPParameters.Parameter("lr")) }
    return "<\(uri)>"
  }
}
