/// A message whose mandatory fields were read and checked: what transactions and dialogs need to find their way
/// (RFC 3261 sections 8.1.1, 17.1.3, 17.2.3 and 12.2.2).
struct SIPEnvelope: Sendable {
  let message: SIPMessage
  let via: SIPVia
  let callID: Range<Int32>
  let cseq: SIPSequence
  /// Missing with peers of RFC 2543.
  let fromTag: Range<Int32>?
  let toTag: Range<Int32>?
  /// Whom a request outside of a dialog names, after ``readParties()``.
  private(set) var parties: SIPParties?

  var headers: SIPHeaders { message.headers }

  /// Reads and checks. A request with a defect is refused with it; one without a usable `Via`, and any response with a
  /// defect, can only be dropped (`nil`).
  static func open(_ message: SIPMessage) -> Result<SIPEnvelope, SIPDefect>? {
    let headers = message.headers
    guard let viaRange = headers.range(.via), let via = SIPVia(headers, viaRange) else { return nil }
    do throws(SIPDefect) {
      return .success(try SIPEnvelope(message, via))
    } catch {
      return message.isRequest ? .failure(error) : nil
    }
  }

  private init(_ message: SIPMessage, _ via: SIPVia) throws(SIPDefect) {
    let headers = message.headers
    if let defect = message.defect { throw defect }
    if !via.isCurrent { throw SIPDefect("Via Of Another Version") }
    try SIPEnvelope.checkSingles(headers)
    guard let callID = headers.range(.callID), !callID.isEmpty else { throw SIPDefect("Missing Call-ID") }
    guard let cseqRange = headers.range(.cseq) else { throw SIPDefect("Missing CSeq") }
    guard let cseq = headers.withBytes(cseqRange, { SIPSequence($0) }) else { throw SIPDefect("Bad CSeq") }
    let fromTag = try SIPEnvelope.tag(headers, .from)
    let toTag = try SIPEnvelope.tag(headers, .to)
    if headers.withBytes(callID, { $0.contains(where: SIPByte.isBlank) }) { throw SIPDefect("Bad Call-ID") }
    self.message = message
    self.via = via
    self.callID = callID
    self.cseq = cseq
    self.fromTag = fromTag
    self.toTag = toTag
    if case .request(let method, _) = message.start {
      guard cseq.method == method else { throw SIPDefect("CSeq Method Does Not Match") }
      try SIPEnvelope.checkMaxForwards(headers)
      // A new one within a dialog moves it.
      if method == .invite, toTag != nil, mustNameContact { _ = try SIPEnvelope.contact(headers) }
    }
  }

  /// Only peers of RFC 2543 call without a Contact.
  private var mustNameContact: Bool { hasCookie || headers.contains(.contact) }

  /// Reads and checks the addresses of a request that opens something; within a dialog, tags decide.
  mutating func readParties() throws(SIPDefect) {
    guard case .request(let method, let uri) = message.start else { return }
    let (target, from, to) = try SIPEnvelope.addresses(headers, uri)
    let contact = try method == .invite && mustNameContact ? SIPEnvelope.contact(headers) : nil
    parties = SIPParties(target: target, from: from, to: to, contact: contact)
  }

  /// The host of the topmost `Via`, IPv6 without brackets.
  var sentByHost: String { headers.withBytes(via.sentBy) { SIPURI.hostPort($0)?.host } ?? "" }

  /// Whether the branch names the transaction, as RFC 3261 has it: the cookie with something behind it (RFC 4475
  /// section 3.2.1). Without, it is of a peer of RFC 2543.
  var hasCookie: Bool {
    via.branch.map { headers.withBytes($0) { $0.count > 7 && $0.hasPrefix("z9hG4bK") } } ?? false
  }

  /// Two values where one belongs leave open which was meant (RFC 4475 section 3.3.9).
  private static func checkSingles(_ headers: SIPHeaders) throws(SIPDefect) {
    var seen: UInt64 = 0
    for field in headers.fields where field.name.isSingle {
      let bit: UInt64 = 1 << UInt64(field.name.rawValue)
      if seen & bit != 0 { throw SIPDefect("Duplicate \(field.name.names.full)") }
      seen |= bit
    }
  }

  /// The tag of `From` or `To`, after the form of the field was checked.
  private static func tag(_ headers: SIPHeaders, _ name: SIPHeaderName) throws(SIPDefect) -> Range<Int32>? {
    guard let range = headers.range(name) else { throw SIPDefect("Missing \(name.names.full)") }
    let found: (isGood: Bool, tag: Range<Int32>?) = headers.withBytes(range) { bytes in
      guard let parts = SIPAddress.parts(bytes), !parts.uri.isEmpty, let base = bytes.baseAddress,
        let parameters = parts.parameters.baseAddress
      else { return (false, nil) }
      let found = SIPEnvelope.tag(parts.parameters)
      let offset = range.lowerBound + Int32(parameters - base)
      return (
        found.isGood, found.tag.map { offset + Int32($0.lowerBound)..<offset + Int32($0.upperBound) }
      )
    }
    guard found.isGood else { throw SIPDefect("Bad \(name.names.full)") }
    return found.tag
  }

  /// Whether parameters keep to the grammar (RFC 4475 section 3.1.2.1), and where the value of `;tag=` lies. A
  /// semicolon at the end is let through.
  private static func tag(_ parameters: UnsafeRawBufferPointer) -> (isGood: Bool, tag: Range<Int>?) {
    var reader = SIPReader(parameters)
    var tag: Range<Int>?
    while reader.skip(SIPByte.semicolon), !reader.isAtEnd {
      guard let name = reader.token() else { return (false, nil) }
      guard reader.skip(SIPByte.equals) else { continue }
      guard let value = reader.parameterValue() else { return (false, nil) }
      if tag == nil, name.equalsFolded("tag") { tag = value }
    }
    reader.skipBlanks()
    return (reader.isAtEnd, tag)
  }

  /// A missing one is read as 70: peers of RFC 2543 have none (RFC 4475 section 3.4.1). Zero is for proxies to
  /// refuse; an endpoint serves it (RFC 4475 section 3.1.1.11).
  private static func checkMaxForwards(_ headers: SIPHeaders) throws(SIPDefect) {
    if headers.withBytes(.maxForwards, { $0.decimal(limit: 255) != nil }) == false {
      throw SIPDefect("Bad Max-Forwards")
    }
  }

  private static func addresses(
    _ headers: SIPHeaders, _ uri: Range<Int32>
  ) throws(SIPDefect) -> (target: SIPURI, from: SIPAddress, to: SIPAddress) {
    guard let target = headers.withBytes(uri, { SIPURI(bytes: $0) }) else {
      throw SIPDefect("Bad Request-URI")
    }
    switch target.scheme {
    case "sip", "sips", "tel": break
    default: throw SIPDefect("Unsupported URI Scheme", status: 416)
    }
    // Header fields have no place in a Request-URI (section 19.1.1).
    if target.rawHeaders != nil { throw SIPDefect("Header Fields In Request-URI") }
    guard let from = headers.address(.from) else { throw SIPDefect("Bad From") }
    guard let to = headers.address(.to) else { throw SIPDefect("Bad To") }
    return (target, from, to)
  }

  /// Exactly one URI of ours to come back to (section 8.1.1.8).
  private static func contact(_ headers: SIPHeaders) throws(SIPDefect) -> SIPAddress {
    guard headers.count(.contact) == 1, let value = headers.first(.contact) else {
      throw SIPDefect(headers.contains(.contact) ? "Several Contacts" : "Missing Contact")
    }
    let contacts = SIPHeaders.split(value)
    guard contacts.count == 1, let contact = SIPAddress(contacts[0]) else { throw SIPDefect("Bad Contact") }
    return contact
  }
}

/// What makes two requests the same one sent again (RFC 3261 section 17.2.3).
struct SIPTransactionKey: Hashable, Sendable {
  private let bytes: [UInt8]

  /// The key of the transaction that `envelope` belongs to; ACK and CANCEL belong to their INVITE's.
  init(_ envelope: SIPEnvelope) {
    let headers = envelope.headers
    let method: SIPMethod =
      switch envelope.cseq.method {
      case .ack, .cancel: .invite
      case let method: method
      }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(96)
    if envelope.hasCookie, let branch = envelope.via.branch {
      bytes += headers.storage[Int(branch.lowerBound)..<Int(branch.upperBound)]
      bytes.append(0)
      bytes += headers.storage[Int(envelope.via.sentBy.lowerBound)..<Int(envelope.via.sentBy.upperBound)]
    } else {
      // A peer of RFC 2543: what it left unchanged when it sent again.
      for range in [headers.range(.via), envelope.callID, envelope.fromTag].compactMap(\.self) {
        bytes += headers.storage[Int(range.lowerBound)..<Int(range.upperBound)]
        bytes.append(0)
      }
      bytes += "\(envelope.cseq.number)".utf8
    }
    bytes.append(0)
    bytes += method.name.utf8
    self.bytes = bytes
  }
}

/// What two requests share that reached us by different ways (RFC 3261 section 8.2.2.2).
struct SIPMergeKey: Hashable, Sendable {
  private let bytes: [UInt8]

  init(_ envelope: SIPEnvelope) {
    let headers = envelope.headers
    var bytes: [UInt8] = []
    bytes.reserveCapacity(96)
    bytes += headers.storage[Int(envelope.callID.lowerBound)..<Int(envelope.callID.upperBound)]
    bytes.append(0)
    if let tag = envelope.fromTag { bytes += headers.storage[Int(tag.lowerBound)..<Int(tag.upperBound)] }
    bytes.append(0)
    withUnsafeBytes(of: envelope.cseq.number) { bytes += $0 }
    bytes += envelope.cseq.method.name.utf8
    self.bytes = bytes
  }
}
