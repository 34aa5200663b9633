internal import RouterCore

/// What an INVITE says, as the routes see it.
func inboundCall(_ request: SIPRequest, trunk: Trunk?) -> InboundCall {
  let headers = request.headers
  let isTrusted = trunk != nil
  let from = request.from
  return InboundCall(
    channel: .sip, from: callerIdentity(headers, from: from, isTrusted: isTrusted),
    to: calledParty(
      requestURI: request.uri, headers, from: trunk?.calledNumberFrom ?? [.requestURI, .to]),
    trunk: trunk?.name, diversion: divertingParties(headers), headers: metadata(headers),
    sourceAddress: request.arrival.source, attestation: isTrusted ? attestation(headers, from: from) : nil,
    language: headers.list("Accept-Language").first.map { String($0.prefix { $0 != ";" }.trimmed) },
    foreignID: request.callID)
}

/// What of the header fields goes along with a call.
enum MetadataLimit {
  static let fields = 64
  static let bytes = 16_384
}

/// The header fields that go along with a call, up to ``MetadataLimit``, in order. Credentials never do.
func metadata(_ headers: SIPHeaders) -> [Header] {
  var kept: [Header] = []
  kept.reserveCapacity(min(headers.count, MetadataLimit.fields))
  var bytes = 0
  for header in headers.all where !isSecret(header.name) {
    bytes += header.name.utf8.count + header.value.utf8.count
    if kept.count == MetadataLimit.fields || bytes > MetadataLimit.bytes { break }
    kept.append(header)
  }
  return kept
}

private func isSecret(_ name: String) -> Bool {
  switch name.utf8.count {
  case 13: name.lowercased() == "authorization"
  case 19: name.lowercased() == "proxy-authorization"
  default: false
  }
}

/// The final answer to an INVITE that says how a call ended: status, Reason with Q.850 (RFC 3326, RFC 6432), and when
/// to try again.
func rejection(_ end: CallEnd, headers: [Header] = []) -> SIPReply {
  // A status that is no refusal would answer the call.
  let status = (300...699).contains(end.sipStatus) ? end.sipStatus : 480
  var fields = headers
  fields.append(Header("Reason", "\(reason(end))"))
  if let seconds = end.retryAfter { fields.append(Header("Retry-After", "\(seconds)")) }
  let isOwnPhrase = end.reason == .rejectedByRoute && isPhrase(end.text)
  return SIPReply(status, reason: isOwnPhrase ? end.text : nil, headers: fields)
}

/// For the Reason field of a rejection or a BYE.
func reason(_ end: CallEnd) -> SIPReason {
  .q850(end.q850, isPhrase(end.text) ? end.text : nil)
}

/// Whether a text can stand in a start line and a quoted string as it is: printable ASCII, and not long.
private func isPhrase(_ text: String) -> Bool {
  !text.isEmpty && text.utf8.count <= 100 && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
}

/// How a call ended that the other side, or the network, ended.
func callEnd(_ ending: SIPCallEnding) -> CallEnd {
  let q850 = ending.reasons.first { $0.isQ850 }?.cause
  let words = ending.reasons.first { $0.text != nil }?.text ?? ""
  switch ending.cause {
  case .remoteBye: return CallEnd(.callerHungUp, text: words, q850: q850)
  case .cancelled, .cancelledByUs: return CallEnd(.cancelled, text: words, q850: q850)
  case .localBye: return CallEnd(.agentHungUp, q850: q850)
  case .refusedByUs, .refused: return CallEnd(.failed, sipStatus: ending.status, q850: q850)
  case .notAcknowledged:
    return CallEnd(.notAcknowledged, text: "the caller's network never acknowledged the answer")
  case .timedOut: return CallEnd(.noAnswer, sipStatus: ending.status)
  case .sessionExpired: return CallEnd(.sessionExpired, text: "no session refresh came")
  case .lost: return CallEnd(.callerHungUp, text: "the caller's side no longer knows the call", q850: 41)
  case .closed: return CallEnd(.failed, text: "the channel was closed", sipStatus: 503)
  }
}
