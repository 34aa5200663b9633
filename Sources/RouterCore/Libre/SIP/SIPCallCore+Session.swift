/// Changes of the session that we start, and its timer.
extension SIPCallCore {
  // MARK: re-INVITE

  /// Offers a changed session; `done` hears the final answer.
  func reinvite(_ sdp: [UInt8], _ headers: [Header], _ done: @escaping (SIPResponse) -> Void) {
    guard state == .up, !isChanging else { return done(SIPResponse(status: state == .over ? 481 : 491)) }
    changed = done
    sendReinvite(sdp, headers, isRetry: false)
  }

  /// Whether an INVITE or an offer is under way, in either direction.
  var isChanging: Bool { outgoing != nil || invite != nil || success != nil || reinviteDelay != nil }

  private func reinviteDone(_ response: SIPResponse) {
    let done = changed
    changed = nil
    done?(response)
  }

  private func sendReinvite(_ sdp: [UInt8], _ headers: [Header], isRetry: Bool) {
    guard var plan = plan(.invite) else { return reinviteDone(SIPResponse(status: 481)) }
    plan.hasContact = true
    plan.headers = sessionHeaders + headers
    plan.contentType = "application/sdp"
    plan.body = sdp
    outgoing = send(plan) { [weak self] answer in
      guard let self, answer.status >= 200, state != .over else { return }
      let sequence = outgoing?.plan.sequence ?? plan.sequence
      outgoing = nil
      reinviteAnswered(answer, sequence, sdp, headers, isRetry: isRetry)
    }
  }

  private func reinviteAnswered(
    _ answer: SIPClientRequest.Answer, _ sequence: UInt32, _ sdp: [UInt8], _ headers: [Header], isRetry: Bool
  ) {
    let response = core.response(answer)
    if response.isSuccess, let envelope = answer.envelope {
      dialog?.refresh(envelope.headers)
      notePeer(envelope.headers)
      inviteSequence = sequence
      acknowledge(sequence, sdp: nil)
      startSession(SIPSessionTimer.accepted(envelope.headers))
      localSDP = sdp
      if let answerSDP = response.sdp { remoteSDP = answerSDP }
    } else if response.status == 491, !isRetry {
      // Both wanted the same at once: who owns the Call-ID waits longer (section 14.1).
      let delay = isServer ? Int.random(in: 0...200) * 10 : Int.random(in: 210...400) * 10
      let timer = LoopTimer()
      reinviteDelay = timer
      timer.start(after: .milliseconds(delay)) { [unowned self] in
        reinviteDelay = nil
        guard !isChanging else { return reinviteDone(response) }
        sendReinvite(sdp, headers, isRetry: true)
      }
      return
    } else {
      _ = isGone(response.status)
    }
    reinviteDone(response)
  }

  /// `Session-Expires` and what belongs to it, for a request that starts or refreshes the session.
  var sessionHeaders: [Header] {
    var headers = [Header("Allow", SIPCore.allowed), Header("Supported", "timer, 100rel")]
    if let sessionTimer {
      headers.append(Header("Session-Expires", sessionTimer.field.description))
    } else if state == .ringing, let interval = core.settings.sessionTimer.interval {
      headers.append(Header("Session-Expires", "\(max(interval, minimumInterval))"))
    }
    if minimumInterval > 90 { headers.append(Header("Min-SE", "\(minimumInterval)")) }
    return headers
  }

  // MARK: ACK

  /// Sends ACK for the 2xx to an INVITE of ours, and keeps it for copies of the 2xx.
  func acknowledge(_ sequence: UInt32, sdp: [UInt8]?) {
    guard var plan = dialog?.plan(.ack, sequence: sequence) else { return }
    plan.contentType = "application/sdp"
    plan.body = sdp ?? []
    sendACK(plan) { [weak self] bytes, flow in self?.lastACK = (sequence, bytes, flow) }
  }

  /// ACK for a 2xx is a request without a transaction (section 13.2.2.4).
  func sendACK(_ plan: SIPRequestPlan, sent: @escaping ([UInt8], SIPFlow) -> Void) {
    let transmit = { [unowned core] (flow: SIPFlow) in
      let bytes = plan.write(
        via: core.via(flow, core.transactions.newBranch()), contact: nil, product: core.settings.product)
      _ = core.transports.send(bytes, on: flow)
      sent(bytes, flow)
    }
    if let flow = directFlow(plan) { return transmit(flow) }
    guard let hop = plan.hop else { return }
    core.resolver.resolve(SIPLookup(hop, available: core.availableTransports)) { [weak self] destinations in
      guard let self, let destination = destinations.first else { return }
      do throws(SIPFailure) {
        transmit(try core.transports.flow(to: destination))
      } catch {
        core.log.debug("cannot send ACK", ("error", error.description))
      }
    }
  }

  // MARK: Session timer (RFC 4028)

  /// Starts the timer anew, as a 2xx has agreed; `nil` ends it.
  func startSession(_ timer: SIPSessionTimer?) {
    sessionTimer = timer
    refreshTimer.cancel()
    expiryTimer.cancel()
    guard let timer else { return }
    expiryTimer.start(after: timer.expiry) { [unowned self] in sessionExpired() }
    if let refresh = timer.refresh {
      refreshTimer.start(after: refresh) { [unowned self] in refreshSession() }
    }
  }

  private func sessionExpired() {
    guard state == .up || state == .answered else { return }
    bye([Header("Reason", SIPReason.sip(408, "Session expired").description)])
    end(SIPCallEnding(.sessionExpired, status: 200))
  }

  /// Refreshes by UPDATE where the other side has it, else by a re-INVITE that changes nothing (section 7.4).
  private func refreshSession() {
    guard state == .up, let sessionTimer else { return }
    // While something else is under way its 2xx refreshes the session too, or we come back.
    let again = Duration.milliseconds(max(200, sessionTimer.interval * 50))
    guard !isChanging else {
      return refreshTimer.start(after: again) { [unowned self] in refreshSession() }
    }
    if allowsUpdate {
      refreshByUpdate(again)
    } else if let localSDP {
      reinvite(localSDP, []) { [weak self] response in self?.refreshed(response, again) }
    }
  }

  private func refreshByUpdate(_ again: Duration) {
    guard var plan = plan(.update) else { return }
    plan.hasContact = true
    plan.headers = sessionHeaders
    send(plan) { [weak self] answer in
      guard let self, answer.status >= 200, state == .up else { return }
      if (200..<300).contains(answer.status), let envelope = answer.envelope {
        dialog?.refresh(envelope.headers)
        startSession(SIPSessionTimer.accepted(envelope.headers))
      } else {
        if answer.status == 405 || answer.status == 501 { allowsUpdate = false }
        if !isGone(answer.status) { refreshed(core.response(answer), again) }
      }
    }
  }

  private func refreshed(_ response: SIPResponse, _ again: Duration) {
    guard state == .up, !response.isSuccess else { return emitChange(response) }
    if response.status == 422, let floor = response.headers.first(.minSE).flatMap({ SIPNumber.seconds($0) }),
      let old = sessionTimer, floor > old.interval, floor < 86_400
    {
      minimumInterval = floor
      sessionTimer?.interval = floor
    }
    // The session still lasts: try again before it ends.
    refreshTimer.start(after: again) { [unowned self] in refreshSession() }
  }

  /// The answer to a refresh may carry a changed session.
  private func emitChange(_ response: SIPResponse) {
    guard state == .up, let sdp = response.sdp else { return }
    emit(.acknowledged(sdp: sdp))
  }
}
