extension SessionDescription {
  /// Reads a body. Lenient about line ends, unknown lines and missing `s=` and `t=`; strict about sizes (``SDPLimit``).
  public init(parsing bytes: [UInt8]) throws(SDPError) {
    guard bytes.count <= SDPLimit.bytes else { throw .tooLarge("bytes") }
    let outcome: Result<SessionDescription, SDPError> = bytes.withUnsafeBytes { bytes in
      var reader = SessionDescriptionReader()
      do throws(SDPError) {
        for line in bytes.lines { try reader.take(line) }
        return .success(try reader.finished())
      } catch {
        return .failure(error)
      }
    }
    self = try outcome.get()
  }

  /// Reads a body.
  public init(parsing text: String) throws(SDPError) { try self.init(parsing: Array(text.utf8)) }

  /// As it goes on the wire, with CRLF.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The same as bytes: the body of a message.
  public var bytes: [UInt8] {
    var writer = SessionDescriptionWriter()
    writer.line("v=0")
    writer.line(
      "o=", origin.username, " ", origin.sessionID, " ", String(origin.version), " IN ", origin.addressType,
      " ", origin.address)
    writer.line("s=", name)
    if let connection { writer.write(connection) }
    writer.line("t=0 0")
    for attribute in attributes { writer.write(attribute) }
    for media in media {
      writer.add("m=", media.kind, " ", String(media.port), " ", media.transport)
      for format in media.formats { writer.add(" ", format) }
      writer.line()
      if let connection = media.connection { writer.write(connection) }
      for attribute in media.attributes { writer.write(attribute) }
    }
    return writer.bytes
  }
}

/// Writes lines into one array of bytes.
private struct SessionDescriptionWriter {
  var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(512) }

  mutating func add(_ texts: String...) { for text in texts { bytes.append(contentsOf: text.utf8) } }

  mutating func line(_ texts: String...) {
    for text in texts { bytes.append(contentsOf: text.utf8) }
    bytes.append(SIPByte.cr)
    bytes.append(SIPByte.lf)
  }

  mutating func write(_ connection: SessionDescription.Connection) {
    line("c=IN ", connection.addressType, " ", connection.address)
  }

  mutating func write(_ attribute: SessionDescription.Attribute) {
    if let value = attribute.value {
      line("a=", attribute.name, ":", value)
    } else {
      line("a=", attribute.name)
    }
  }
}

/// Builds a session description line by line.
private struct SessionDescriptionReader {
  private var number = 0
  private var origin: SessionDescription.Origin?
  private var name = "-"
  private var connection: SessionDescription.Connection?
  private var attributes: [SessionDescription.Attribute] = []
  private var media: [SessionDescription.Media] = []

  mutating func take(_ line: UnsafeRawBufferPointer) throws(SDPError) {
    number += 1
    guard number <= SDPLimit.lines else { throw .tooLarge("lines") }
    guard line.count <= SDPLimit.lineBytes else { throw .tooLarge("characters in a line") }
    if line.isEmpty { return }
    // What we read may be echoed in an answer: no control character may hide in it.
    for byte in line where byte < 0x20 && byte != SIPByte.tab || byte == 0x7F {
      throw malformed("control character")
    }
    guard line.count >= 2, line[1] == SIPByte.equals else { throw malformed("not of the form x=…") }
    let value = UnsafeRawBufferPointer(rebasing: line[2...])
    if number == 1 {
      guard line[0] == UInt8(ascii: "v"), value.allSatisfy({ $0 == UInt8(ascii: "0") || $0 == SIPByte.space })
      else { throw malformed("not v=0") }
      return
    }
    switch line[0] {
    case UInt8(ascii: "o"): origin = try readOrigin(value)
    case UInt8(ascii: "s"): name = value.text
    case UInt8(ascii: "c"): try add(readConnection(value))
    case UInt8(ascii: "a"): add(readAttribute(value))
    case UInt8(ascii: "m"): try media.append(readMedia(value))
    default: break  // b=, k=, t=, i=, …: nothing that we need
    }
  }

  func finished() throws(SDPError) -> SessionDescription {
    guard let origin else { throw .malformed(line: max(number, 1), "no o= line") }
    return SessionDescription(
      origin: origin, name: name, connection: connection, attributes: attributes, media: media)
  }

  private func malformed(_ what: String) -> SDPError { .malformed(line: number, what) }

  private func readOrigin(_ value: UnsafeRawBufferPointer) throws(SDPError) -> SessionDescription.Origin {
    let words = value.words
    guard words.count >= 6 else { throw malformed("o= with fewer than six words") }
    return SessionDescription.Origin(
      username: words[0].text, sessionID: words[1].text, version: UInt64(words[2].text) ?? 0,
      addressType: words[4].text, address: words[5].text)
  }

  private func readConnection(_ value: UnsafeRawBufferPointer) throws(SDPError)
    -> SessionDescription.Connection
  {
    let words = value.words
    guard words.count >= 3 else { throw malformed("c= with fewer than three words") }
    guard words[0].equalsFolded("IN") else { throw malformed("c= of an unknown network") }
    // A TTL or a count of multicast addresses may follow.
    let type = words[1].equalsFolded("IP4") ? "IP4" : words[1].text.uppercased()
    return SessionDescription.Connection(addressType: type, address: words[2].upTo(SIPByte.slash).text)
  }

  private func readAttribute(_ value: UnsafeRawBufferPointer) -> SessionDescription.Attribute {
    let name = value.upTo(SIPByte.colon)
    guard name.count < value.count else { return SessionDescription.Attribute(value.trimmed().text) }
    let rest = UnsafeRawBufferPointer(rebasing: value[(name.count + 1)...])
    return SessionDescription.Attribute(name.trimmed().text, rest.trimmed().text)
  }

  private func readMedia(_ value: UnsafeRawBufferPointer) throws(SDPError) -> SessionDescription.Media {
    guard media.count < SDPLimit.media else { throw .tooLarge("media") }
    let words = value.words
    guard words.count >= 4 else { throw malformed("m= with fewer than four words") }
    guard words.count - 3 <= SDPLimit.formats else { throw .tooLarge("formats") }
    guard let port = words[1].upTo(SIPByte.slash).decimal(limit: 65535) else {
      throw malformed("m= with a bad port")
    }
    let kind = words[0].matches("audio") ? "audio" : words[0].text.lowercased()
    return SessionDescription.Media(
      kind: kind, port: UInt16(port), transport: words[2].text, formats: words[3...].map(\.text))
  }

  private mutating func add(_ new: SessionDescription.Connection) {
    // Several c= of one stream name the layers of a hierarchical encoding: the first counts.
    if media.isEmpty {
      connection = connection ?? new
    } else {
      media[media.count - 1].connection = media[media.count - 1].connection ?? new
    }
  }

  private mutating func add(_ attribute: SessionDescription.Attribute) {
    if media.isEmpty {
      attributes.append(attribute)
    } else {
      media[media.count - 1].attributes.append(attribute)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Lines, without LF or CRLF; what stands behind the last one counts as one.
  fileprivate var lines: some Sequence<UnsafeRawBufferPointer> {
    sequence(state: Optional(self)) { rest -> UnsafeRawBufferPointer? in
      guard let bytes = rest else { return nil }
      let line = bytes.upTo(SIPByte.lf)
      rest = line.count < bytes.count ? UnsafeRawBufferPointer(rebasing: bytes[(line.count + 1)...]) : nil
      return line.last == SIPByte.cr ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
    }
  }

  /// What stands between blanks.
  fileprivate var words: [UnsafeRawBufferPointer] {
    var words: [UnsafeRawBufferPointer] = []
    words.reserveCapacity(6)
    var start = 0
    for index in 0...count where index == count || SIPByte.isBlank(self[index]) {
      if index > start { words.append(UnsafeRawBufferPointer(rebasing: self[start..<index])) }
      start = index + 1
    }
    return words
  }
}
