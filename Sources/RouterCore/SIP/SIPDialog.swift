/// What both sides of a dialog know of each other (RFC 3261 section 12).
struct SIPDialog: Sendable {
  let callID: String
  /// Our tag.
  let localTag: UInt64
  /// `From` of our requests, with our tag.
  var local: String
  /// `To` of our requests, with the tag of the other side.
  var remote: String
  var remoteTag: String
  /// Where requests go: the other side's Contact.
  var target: String
  /// Our way there, in the order of `Route`.
  var routes: [String]
  var localSequence: UInt32
  /// The highest CSeq of the other side; `nil` before its first request.
  var remoteSequence: UInt32?

  /// The dialog of a call that came in (section 12.1.1). The fields were checked when the request was read.
  init(server envelope: SIPEnvelope, localTag: UInt64) {
    let headers = envelope.headers
    callID = headers.text(envelope.callID)
    self.localTag = localTag
    local = (headers.first(.to) ?? "") + ";tag=" + SIPTag.text(localTag)
    remote = headers.first(.from) ?? ""
    remoteTag = envelope.fromTag.map { headers.text($0) } ?? ""
    // A peer of RFC 2543 may have no Contact: it is where it calls from.
    target = (headers.range(.contact) ?? headers.range(.from)).flatMap { SIPDialog.target(headers, $0) } ?? ""
    routes = headers.list(.recordRoute)
    localSequence = UInt32.random(in: 1...0xffff)
    remoteSequence = envelope.cseq.number
  }

  /// A dialog of a call that we place, as an answer of the other side makes it (section 12.1.2). `nil` when the answer
  /// names no Contact or no tag.
  init?(client envelope: SIPEnvelope, localTag: UInt64, local: String) {
    let headers = envelope.headers
    guard let target = headers.range(.contact).flatMap({ SIPDialog.target(headers, $0) }) else { return nil }
    callID = headers.text(envelope.callID)
    self.localTag = localTag
    self.local = local
    remote = headers.first(.to) ?? ""
    remoteTag = envelope.toTag.map { headers.text($0) } ?? ""
    self.target = target
    routes = headers.list(.recordRoute).reversed()
    localSequence = envelope.cseq.number
    remoteSequence = nil
  }

  /// Whether a request inside of a dialog is of this one (our tag has been compared).
  func matches(_ envelope: SIPEnvelope) -> Bool {
    let headers = envelope.headers
    let isCall = headers.withBytes(envelope.callID) { id in callID.withRawUTF8 { id.elementsEqual($0) } }
    guard isCall else { return false }
    guard let tag = envelope.fromTag else { return remoteTag.isEmpty }
    return headers.withBytes(tag) { tag in remoteTag.withRawUTF8 { tag.elementsEqual($0) } }
  }

  /// Takes over a new Contact (section 12.2.1.2: re-INVITE and UPDATE refresh the target).
  mutating func refresh(_ headers: SIPHeaders) {
    if let target = headers.range(.contact).flatMap({ SIPDialog.target(headers, $0) }) {
      self.target = target
    }
  }

  mutating func nextSequence() -> UInt32 {
    localSequence += 1
    return localSequence
  }

  /// A request in this dialog (section 12.2.1.1). A first route without `lr` is of RFC 2543: it takes the place of the
  /// Request-URI, and the target goes to the end.
  func plan(_ method: SIPMethod, sequence: UInt32) -> SIPRequestPlan {
    var plan = SIPRequestPlan(
      method: method, uri: target, routes: routes, from: local, to: remote, callID: callID, sequence: sequence
    )
    if let first = routes.first, let route = SIPAddress(first)?.uri {
      plan.hop = route
      if !route.parameters.contains("lr") {
        plan.uri = route.description
        plan.routes = routes.dropFirst() + ["<\(target)>"]
      }
    } else {
      plan.hop = SIPURI(target)
    }
    return plan
  }

  /// The URI of a single Contact.
  private static func target(_ headers: SIPHeaders, _ contact: Range<Int32>) -> String? {
    headers.withBytes(contact) { bytes in
      guard let parts = SIPAddress.parts(bytes.trimmed()), SIPURI(bytes: parts.uri) != nil else { return nil }
      return parts.uri.text
    }
  }
}

/// A request of ours before it has a way: everything but Via and Contact.
struct SIPRequestPlan: Sendable {
  var method: SIPMethod
  var uri: String
  var routes: [String] = []
  /// With its tag.
  var from: String
  var to: String
  var callID: String
  var sequence: UInt32
  var headers: [Header] = []
  var contentType: String?
  var body: [UInt8] = []
  var hasContact = false
  /// Where it goes first.
  var hop: SIPURI?

  /// Writes it for one way.
  func write(via: String, contact: String?, product: String, authorization: [Header] = []) -> [UInt8] {
    var writer = SIPWriter()
    writer.text(method.name)
    writer.raw(" ")
    writer.text(uri)
    writer.raw(" SIP/2.0")
    writer.endLine()
    writer.field("Via", via)
    for route in routes { writer.field("Route", route) }
    writer.raw("Max-Forwards: 70\r\n")
    writer.field("From", from)
    writer.field("To", to)
    writer.field("Call-ID", callID)
    writer.raw("CSeq: ")
    writer.number(sequence)
    writer.raw(" ")
    writer.text(method.name)
    writer.endLine()
    if hasContact, let contact { writer.field("Contact", contact) }
    writer.field("User-Agent", product)
    writer.fields(authorization)
    writer.fields(headers)
    writer.end(contentType: contentType, body: body)
    return writer.bytes
  }

  /// ACK for a final answer of 300 and above, or CANCEL: the same way, number and branch, without a body (sections
  /// 17.1.1.3 and 9.1).
  func derived(_ method: SIPMethod, to: String? = nil) -> SIPRequestPlan {
    SIPRequestPlan(
      method: method, uri: uri, routes: routes, from: from, to: to ?? self.to, callID: callID,
      sequence: sequence)
  }
}
