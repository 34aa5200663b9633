internal import RouterCore

/// Changes of an answered call's session: hold, resume, moved media, another codec (RFC 3261 section 14, RFC 3264
/// section 8).
extension SIPLeg {
  /// Answers a re-INVITE or an UPDATE. What cannot be agreed on is refused, and the session stays as it was.
  func renegotiate(_ offer: SIPOffer) {
    guard case .up = state else {
      // The first offer is not answered yet (RFC 3311 section 5.2).
      offer.reject(SIPReply(491))
      return
    }
    do throws(SDPError) {
      guard let body = offer.sdp else {
        // A full offer of our own, never a mirror of a hold; the answer comes with ACK (RFC 3261 section 14.2).
        let ours = negotiation.offer()
        awaitsAnswer = true
        offer.accept(sdp: ours.bytes)
        return
      }
      let answer = try negotiation.answer(to: SessionDescription(parsing: body))
      apply()
      offer.accept(sdp: answer.bytes)
    } catch {
      log.info("session change refused", ("why", error.description))
      offer.reject(SIPReply(error.sipStatus))
    }
  }

  /// ACK, or the answer to a refresh of the session, which repeats our last description as an offer (RFC 4028
  /// section 7.4). Where an offer of ours is open, the answer is in it.
  func acknowledge(_ sdp: [UInt8]?) {
    let isFirst = if case .answering = state { true } else { false }
    let isOpen = awaitsAnswer || (!isFirst && sdp != nil && negotiation.refreshOffer() != nil)
    let isAnswered = isOpen && sdp.map(take) ?? false
    let isMissing = awaitsAnswer && !isAnswered
    awaitsAnswer = false
    guard isFirst else { return }  // later, without an answer the session stays as it was
    if isMissing {
      finish(CallEnd(.noCommonCodec, text: "ACK brought no answer to our offer that we could use"))
      call.hangUp(now: [.q850(CallEnd(.noCommonCodec).q850)])
    } else {
      state = .up
      settleAnswer()
    }
  }

  private func take(_ answer: [UInt8]) -> Bool {
    do throws(SDPError) {
      try negotiation.accept(SessionDescription(parsing: answer))
      apply()
      return true
    } catch {
      log.info("answer to an offer of ours ignored", ("why", error.description))
      return false
    }
  }
}
