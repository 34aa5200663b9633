/// New calls that come in.
extension SIPCore {
  func invite(
    _ key: SIPTransactionKey, _ merge: SIPMergeKey, _ envelope: SIPEnvelope, _ flow: SIPFlow,
    _ arrival: SIPArrival
  ) {
    switch limiter?.ask(arrival.source.ip, now: .now) ?? .serve {
    case .serve: break
    case .refuse: return turnAway(.rate, envelope, flow)
    case .ignore:
      handlers?.turnedAway(.rate)
      return
    }
    guard pendingCalls < settings.limits.pendingCalls, calls.count < settings.limits.calls else {
      return turnAway(.full, envelope, flow)
    }
    let body = SIPBody(envelope.headers, envelope.message.body)
    let number = transactions.newBranch()
    let transaction = transactions.open(
      key, merge: merge, envelope, flow, arrival, toTag: SIPTag.text(number))
    let call = SIPCallCore(number: number, core: self, isServer: true)
    call.dialog = SIPDialog(server: envelope, localTag: number)
    call.flow = flow
    if envelope.via.bareRport != nil { call.sentBy = envelope.sentByHost }
    call.notePeer(envelope.headers)
    if case .sdp(let sdp) = body { call.remoteSDP = sdp }
    if envelope.headers.lists("100rel", in: .require) {
      call.reliable = SIPReliableProvisional(
        rseq: UInt32.random(in: 1...0xffff), sequence: envelope.cseq.number, hasSDP: false, offers: false)
    }
    offer(call, transaction, envelope, refusal(envelope.headers, body))
  }

  /// Refuses without remembering anything.
  func turnAway(_ why: SIPTurnedAway, _ envelope: SIPEnvelope, _ flow: SIPFlow) {
    handlers?.turnedAway(why)
    let seconds =
      switch why {
      case .rate: 1
      case .full: 5
      case .overload: Int.random(in: 3...9)  // many hear it at once, and should not come back at once
      }
    statelessly(503, envelope, flow, headers: [Header("Retry-After", "\(seconds)")])
  }

  /// What is wrong with an INVITE that could be read, in the order of section 8.2: extensions, body, answer, session
  /// interval.
  private func refusal(_ headers: SIPHeaders, _ body: SIPBody) -> SIPReply? {
    let unknown = unsupported(headers)
    if !unknown.isEmpty {
      return SIPReply(420, headers: [Header("Unsupported", unknown.joined(separator: ", "))])
    }
    if body == .foreign {
      return SIPReply(
        415, headers: [Header("Accept", "application/sdp"), Header("Accept-Encoding", "identity")])
    }
    if !SIPBody.mayAnswer(headers) { return SIPReply(406) }
    if case .tooSmall(let minimum) = SIPSessionTimer.serve(headers, settings.sessionTimer) {
      return SIPReply(422, headers: [Header("Min-SE", "\(minimum)")])
    }
    return nil
  }

  /// Asks the owner what is to become of a call.
  private func offer(
    _ call: SIPCallCore, _ transaction: SIPServerTransaction, _ envelope: SIPEnvelope, _ refusal: SIPReply?
  ) {
    guard let handlers else { return transaction.answer(503) }
    let request = SIPCore.request(envelope, transaction.arrival)
    call.contactUser = request.uri.rawUser
    calls[call.number] = call
    pendingCalls += 1
    let invitation = SIPInvitation(
      request: request, sdp: call.remoteSDP, refusal: refusal,
      call: SIPServerCall(endpoint: endpoint, id: call.handle))
    let decision = handlers.invitation(invitation)
    if let refusal, case .take = decision {
      discard(call)
      return transaction.answer(refusal)
    }
    switch decision {
    case .take(let events, let begin):
      call.take(transaction, events)
      begin?()
    case .ignore:
      discard(call)
      transaction.abandon()
    case .refuse(var reply):
      discard(call)
      if !(300...699).contains(reply.status) { reply.status = 500 }
      transaction.answer(reply)
    }
  }

  private func discard(_ call: SIPCallCore) {
    calls[call.number] = nil
    pendingCalls -= 1
  }
}

extension SIPCallCore {
  /// Keeps what the other side says about itself.
  func notePeer(_ headers: SIPHeaders) {
    if headers.contains(.allow) { allowsUpdate = headers.lists("update", in: .allow) }
  }
}
