internal import RouterCore

/// A call to whom the other side referred us.
struct PhoneReferral {
  var referral: SIPReferral
  var media: RTPMedia
  var negotiation: SDPNegotiation
  /// The other side knows how it went.
  var isOver = false
}

/// `--answer-refer dial`: the phone does what it was asked to do, and tells how that goes (RFC 3515 section 2.4.5).
extension TestPhone {
  func dial(_ referral: SIPReferral) {
    // One at a time is enough for a telephone.
    guard referred == nil, let endpoint, let address = negotiation?.wish.addresses.first else {
      return referral.reject(SIPReply(603))
    }
    let media: RTPMedia
    do throws(MediaError) {
      media = try RTPMedia.open(
        MediaSettings(bindAddress: address, ports: RTPPorts(20000...29999)), on: loop
      ) { _ in }
    } catch {
      printer.event("warning", at: elapsed, "cannot call \(referral.target.uri): \(error.description)")
      return referral.reject(SIPReply(503))
    }
    var negotiation = SDPNegotiation(
      .init(
        addresses: [address], port: media.port, codecs: options.codecs, encryption: options.encryption))
    let offer = negotiation.offer().bytes
    referred = PhoneReferral(referral: referral, media: media, negotiation: negotiation)
    referral.accept()
    let from =
      PhoneOptions.caller(options.from ?? "phone", host: address) ?? SIPAddress(uri: SIPURI(host: address))
    Task {
      _ = await endpoint.call(
        SIPOutgoingCall(
          target: PhoneReferral.target(referral), from: from, sdp: offer,
          headers: PhoneReferral.headers(referral), credentials: options.credentials, proxy: options.proxy)
      ) { event in
        self.assumeIsolated { $0.referred(event) }
      }
    }
  }

  /// What the new call does.
  private func referred(_ event: SIPCallEvent) {
    switch event {
    case .progress(let response): tell(response.status, response.reason)
    case .answered(let response):
      do throws(SDPError) {
        try referred?.negotiation.accept(SessionDescription(parsing: response.sdp ?? []))
        if let parameters = referred?.negotiation.parameters { referred?.media.apply(parameters) }
      } catch {
        printer.event("warning", at: elapsed, "the new call's SDP: \(error.description)")
      }
      tell(response.status, response.reason)
    case .offer(let offer): offer.reject()
    case .info(let request): request.respond(SIPReply(200))
    case .referred(let referral): referral.reject()
    case .ended(let ending) where ending.status >= 300:
      tell(ending.status, ending.response?.reason)
      referred?.media.close()
      referred = nil
    case .ended, .acknowledged, .transferProgress: break
    }
  }

  private func tell(_ status: Int, _ reason: String?) {
    guard let referral = referred?.referral, referred?.isOver == false else { return }
    referred?.isOver = status >= 200
    printer.event(
      "dialled", at: elapsed, "\(referral.target.uri): \(status) \(reason ?? "")",
      ["target": .string("\(referral.target.uri)"), "status": .integer(status)])
    Task { await referral.report(status, reason: reason) }
  }
}

extension PhoneReferral {
  /// Whom to call: the target without the header fields that it wants in the INVITE (RFC 3261 section 19.1.5).
  fileprivate static func target(_ referral: SIPReferral) -> SIPURI {
    var uri = referral.target.uri
    uri.rawHeaders = nil
    return uri
  }

  /// Who sent us, and a dialog to take over (RFC 3891); nothing else of what a stranger writes into a URI.
  fileprivate static func headers(_ referral: SIPReferral) -> [Header] {
    var headers = referral.target.uri.headers.filter { $0.name.lowercased() == "replaces" }
    if let referrer = referral.referredBy { headers.append(Header("Referred-By", "\(referrer)")) }
    return headers
  }
}
