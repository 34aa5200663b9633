/// The topmost `Via` of a message (RFC 3261 section 20.42), as far as answering needs it. Ranges lie in the storage of
/// the message's headers.
struct SIPVia: Sendable, Hashable {
  /// Whether it is of SIP/2.0; of another version it is read to be answered, as far as it looks the same.
  var isCurrent: Bool
  /// Host and port as written.
  var sentBy: Range<Int32>
  var port: UInt16?
  var branch: Range<Int32>?
  /// The end of a bare `rport` parameter, where `=port` goes (RFC 3581).
  var bareRport: Int32?
  /// The end of the first element of the field, where `received` goes.
  var end: Int32

  /// Reads the first element of a field's value.
  init?(_ headers: SIPHeaders, _ range: Range<Int32>) {
    guard let via = headers.withBytes(range, { SIPVia($0, offset: range.lowerBound) }) else { return nil }
    self = via
  }

  private init?(_ bytes: UnsafeRawBufferPointer, offset: Int32) {
    var reader = SIPReader(bytes)
    // "SIP" / "2.0" / transport, blanks allowed around the slashes.
    guard reader.token()?.equalsFolded("sip") == true, reader.skip(SIPByte.slash),
      let version = reader.token(), reader.skip(SIPByte.slash), reader.token() != nil
    else { return nil }
    isCurrent = version.matches("2.0")
    reader.skipBlanks()
    let start = reader.position
    guard let (host, port) = reader.hostPort() else { return nil }
    sentBy = offset + Int32(start)..<offset + Int32(start + host)
    self.port = port
    while reader.skip(SIPByte.semicolon) {
      guard let name = reader.token() else { return nil }
      let nameEnd = reader.tokenEnd
      var value: Range<Int>?
      if reader.skip(SIPByte.equals) {
        guard let found = reader.parameterValue() else { return nil }
        value = found
      }
      if name.equalsFolded("branch"), let value {
        branch = offset + Int32(value.lowerBound)..<offset + Int32(value.upperBound)
      } else if name.equalsFolded("rport"), value == nil {
        bareRport = offset + Int32(nameEnd)
      }
    }
    reader.skipBlanks()
    guard reader.isAtEnd || reader.peek == SIPByte.comma else { return nil }
    end = offset + Int32(reader.lastNonBlank)
  }
}

/// Walks over a value token by token.
struct SIPReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0
  /// Where the last token ended, before any blanks.
  private(set) var tokenEnd = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }
  var peek: UInt8? { isAtEnd ? nil : bytes[position] }
  /// The end of what was read, without blanks behind it.
  var lastNonBlank: Int {
    var end = position
    while end > 0, SIPByte.isWhite(bytes[end - 1]) { end -= 1 }
    return end
  }

  mutating func skipBlanks() { while let byte = peek, SIPByte.isWhite(byte) { position += 1 } }

  /// Skips `byte` with blanks around it.
  mutating func skip(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard peek == byte else { return false }
    position += 1
    skipBlanks()
    return true
  }

  mutating func token() -> UnsafeRawBufferPointer? {
    skipBlanks()
    let start = position
    while let byte = peek, SIPByte.isToken(byte) { position += 1 }
    tokenEnd = position
    return position > start ? UnsafeRawBufferPointer(rebasing: bytes[start..<position]) : nil
  }

  /// A token, a host (with brackets and colons) or a quoted string.
  mutating func parameterValue() -> Range<Int>? {
    skipBlanks()
    let start = position
    if peek == SIPByte.quote {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
      guard let length = SIPAddress.endOfQuote(rest) else { return nil }
      position = start + length
      return start..<position
    }
    // Values in the field hold more than the grammar of a token has; blanks and separators end them.
    while let byte = peek, !SIPByte.isWhite(byte), byte != SIPByte.semicolon, byte != SIPByte.comma {
      position += 1
    }
    return position > start ? start..<position : nil
  }

  /// `host[:port]`; the length as written and the port.
  mutating func hostPort() -> (length: Int, port: UInt16?)? {
    let start = position
    while let byte = peek, !SIPByte.isWhite(byte), byte != SIPByte.semicolon, byte != SIPByte.comma {
      position += 1
    }
    var end = position
    // "host : port" with blanks is legal (RFC 4475 section 3.1.1.1).
    var port: UInt16?
    var probe = self
    if probe.skip(SIPByte.colon) {
      guard let digits = probe.token(), let number = digits.decimal(limit: 65535) else { return nil }
      port = UInt16(number)
      end = position
      self = probe
    } else if let (_, found) = SIPURI.hostPort(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) {
      port = found
    } else {
      return nil
    }
    return end > start ? (end - start, port) : nil
  }
}
