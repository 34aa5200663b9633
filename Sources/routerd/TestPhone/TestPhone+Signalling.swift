internal import RouterCore

/// What the other side does, and what the phone answers.
extension TestPhone {
  func sip(_ event: SIPCallEvent) {
    if case .progress(let response) = event { identify(response) }
    if case .answered(let response) = event { identify(response) }
    switch event {
    case .progress(let response):
      printer.event(
        response.status == 180 ? "ringing" : "progress", "\(response.status) \(response.reason)",
        ["status": .integer(response.status)])
      if let sdp = response.sdp { agree(sdp) }
    case .answered(let response): answered(response)
    case .acknowledged: break
    case .offer(let offer): answer(offer)
    case .info(let request):
      printer.event("info", at: elapsed, "INFO received")
      request.respond(SIPReply(200))
    case .referred(let referral): refer(referral)
    case .transferProgress: break
    case .ended(let ending): outcome.resolve(ending)
    }
  }

  private func identify(_ response: SIPResponse) {
    if let callID = response.headers["Call-ID"] { follower?.identify(callID) }
  }

  private func answered(_ response: SIPResponse) {
    isAnswered = true
    let sdp = response.sdp ?? []
    if options.isLateOffer {
      do throws(SDPError) {
        let answer = try negotiation?.answer(to: SessionDescription(parsing: sdp))
        guard let answer, let call else { return }
        Task { await call.acknowledge(sdp: answer.bytes) }
      } catch { return giveUp(.sdp("\(error)")) }
    } else if !sdp.isEmpty, !agree(sdp) {
      return
    }
    guard let parameters = negotiation?.parameters, let media else {
      return giveUp(.sdp("there is none"))
    }
    media.apply(parameters)
    startSound(parameters)
    let decision = response.headers["X-Route-Decision"]
    printer.event(
      "answered",
      "answered: \(parameters.codec.name)\(parameters.isEncrypted ? ", encrypted" : "")"
        + (decision.map { ", route decision \($0)" } ?? ""),
      [
        "codec": .string(parameters.codec.name), "encrypted": .bool(parameters.isEncrypted),
        "decision": decision.map(JSONValue.string) ?? .null,
        "callID": response.headers["Call-ID"].map(JSONValue.string) ?? .null,
      ])
  }

  @discardableResult
  func agree(_ sdp: [UInt8]) -> Bool {
    guard !options.isLateOffer else { return true }
    do throws(SDPError) {
      try negotiation?.accept(SessionDescription(parsing: sdp))
      return true
    } catch {
      giveUp(.sdp("\(error)"))
      return false
    }
  }

  private func answer(_ offer: SIPOffer) {
    do throws(SDPError) {
      guard var negotiation = self.negotiation else { return offer.reject() }
      let mine =
        if let sdp = offer.sdp { try negotiation.answer(to: SessionDescription(parsing: sdp)) } else {
          negotiation.offer()
        }
      self.negotiation = negotiation
      if let parameters = negotiation.parameters { media?.apply(parameters) }
      offer.accept(sdp: mine.bytes)
    } catch {
      offer.reject(SIPReply(error.sipStatus))
    }
  }

  private func refer(_ referral: SIPReferral) {
    let what = options.referral
    printer.event(
      "referred", at: elapsed, "asked to call \(referral.target.uri) instead: \(what.rawValue)",
      ["target": .string("\(referral.target.uri)"), "answer": .string(what.rawValue)])
    if what == .decline { return referral.reject() }
    if what == .dial { return dial(referral) }
    referral.accept()
    Task {
      guard what != .silent else { return }
      await referral.report(180)
      await referral.report(what == .busy ? 486 : 200)
    }
  }

  func media(_ event: LegEvent) {
    switch event {
    case .digit(let digit):
      printer.event("digit", at: elapsed, "the agent pressed \(digit)", ["digit": .string("\(digit)")])
    case .held(let isHeld):
      printer.event("held", at: elapsed, isHeld ? "put on hold" : "taken back", ["held": .bool(isHeld)])
    case .mediaLost: printer.event("warning", at: elapsed, "no sound comes any more")
    default: break
    }
  }
}
