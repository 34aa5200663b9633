/// Writes a message. Foreign values go through ``text(_:)``, which lets no line end through.
struct SIPWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

  mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Text that may come from anywhere: line ends become blanks.
  mutating func text(_ text: String) {
    let start = bytes.count
    bytes.append(contentsOf: text.utf8)
    for index in start..<bytes.count where bytes[index] == SIPByte.cr || bytes[index] == SIPByte.lf {
      bytes[index] = SIPByte.space
    }
  }

  mutating func number(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }

  mutating func endLine() {
    bytes.append(SIPByte.cr)
    bytes.append(SIPByte.lf)
  }

  /// A piece of a received message, as it was.
  mutating func copy(_ headers: SIPHeaders, _ range: Range<Int32>) {
    bytes.append(contentsOf: headers.storage[Int(range.lowerBound)..<Int(range.upperBound)])
  }

  mutating func field(_ name: StaticString, _ value: String) {
    raw(name)
    raw(": ")
    text(value)
    endLine()
  }

  mutating func field(_ name: StaticString, number value: some BinaryInteger) {
    raw(name)
    raw(": ")
    number(value)
    endLine()
  }

  mutating func fields(_ headers: [Header]) {
    for header in headers {
      // A name that is no token would break the message; such a field is left out.
      guard !header.name.isEmpty, header.name.utf8.allSatisfy(SIPByte.isToken) else { continue }
      bytes.append(contentsOf: header.name.utf8)
      raw(": ")
      text(header.value)
      endLine()
    }
  }

  /// Every field of one kind of a received message, one line each.
  mutating func echo(_ name: SIPHeaderName, of headers: SIPHeaders) {
    for field in headers.fields where field.name == name {
      raw(name.names.full)
      raw(": ")
      copy(headers, field.valueRange)
      endLine()
    }
  }

  /// `Content-Type`, `Content-Length`, the empty line and the body. Nothing may follow.
  mutating func end(contentType: String? = nil, body: [UInt8] = []) {
    if let contentType, !body.isEmpty { field("Content-Type", contentType) }
    field("Content-Length", number: body.count)
    endLine()
    bytes.append(contentsOf: body)
  }
}

extension SIPWriter {
  /// The part of a response that echoes the request (RFC 3261 section 8.2.6.2): status line, Via with where the
  /// request really came from (section 18.2.1, RFC 3581), Record-Route for responses that make a dialog, From, To
  /// with our tag, Call-ID, CSeq.
  mutating func beginResponse(
    _ status: Int, _ reason: String, to message: SIPMessage, via: SIPVia, source: SocketAddress,
    toTag: String?,
    recordsRoute: Bool = false
  ) {
    let headers = message.headers
    raw("SIP/2.0 ")
    number(status)
    raw(" ")
    text(reason)
    endLine()
    var isTop = true
    for field in headers.fields where field.name == .via {
      raw("Via: ")
      if isTop { topVia(headers, field.valueRange, via, source) } else { copy(headers, field.valueRange) }
      isTop = false
      endLine()
    }
    if recordsRoute { echo(.recordRoute, of: headers) }
    echo(.from, of: headers)
    for field in headers.fields where field.name == .to {
      raw("To: ")
      copy(headers, field.valueRange)
      if let toTag {
        raw(";tag=")
        text(toTag)
      }
      endLine()
    }
    echo(.callID, of: headers)
    echo(.cseq, of: headers)
  }

  private mutating func topVia(
    _ headers: SIPHeaders, _ range: Range<Int32>, _ via: SIPVia, _ source: SocketAddress
  ) {
    let isSource = headers.withBytes(via.sentBy) { sentBy in
      source.ip.withRawUTF8 { SIPWriter.names(sentBy, $0) }
    }
    let needsReceived = via.bareRport != nil || !isSource
    if let rport = via.bareRport {
      copy(headers, range.lowerBound..<rport)
      raw("=")
      number(source.port)
      copy(headers, rport..<via.end)
    } else {
      copy(headers, range.lowerBound..<via.end)
    }
    if needsReceived {
      raw(";received=")
      text(source.ip)
    }
    copy(headers, via.end..<range.upperBound)
  }

  /// Whether `sentBy` (a host, perhaps with a port) is this numeric address.
  private static func names(_ sentBy: UnsafeRawBufferPointer, _ ip: UnsafeRawBufferPointer) -> Bool {
    let start = sentBy.first == UInt8(ascii: "[") ? 1 : 0
    guard sentBy.count >= start + ip.count else { return false }
    let host = UnsafeRawBufferPointer(rebasing: sentBy[start..<(start + ip.count)])
    guard host.equalsFolded(ip) else { return false }
    guard start + ip.count < sentBy.count else { return true }
    let next = sentBy[start + ip.count]
    return start == 1 ? next == UInt8(ascii: "]") : next == SIPByte.colon || SIPByte.isWhite(next)
  }
}
