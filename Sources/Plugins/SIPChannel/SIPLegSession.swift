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
        offer.accept(sdp: Array(ours.text.utf8))
        return
      }
      let answer = try negotiation.answer(to: SessionDescription(parsing: body))
      apply()
      offer.accept(sdp: Array(answer.text.utf8))
    } catch {
      log.info("session change refused", ("why", error.description))
      offer.reject(SIPReply(error.sipStatus))
    }
  }

  /// ACK, perhaps with the answer to an offer that we made in a re-INVITE's answer.
  func acknowledge(_ sdp: [UInt8]?) {
    guard awaitsAnswer else { return }
    awaitsAnswer = false
    guard let sdp else { return }  // without an answer the session stays as it was
    do throws(SDPError) {
      try negotiation.accept(SessionDescription(parsing: sdp))
      apply()
    } catch {
      log.info("answer of a session change ignored", ("why", error.description))
    }
  }
}
