extension SessionDescription {
  /// Reads a body. Lenient about line ends, unknown lines and missing `s=` and `t=`; strict about sizes (``SDPLimit``).
  public init(parsing bytes: some Collection<UInt8>) throws(SDPError) {
    guard bytes.count <= SDPLimit.bytes else { throw .tooLarge("bytes") }
    var reader = SessionDescriptionReader()
    for line in Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      try reader.take(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
    self = try reader.finished()
  }

  /// Reads a body.
  public init(parsing text: String) throws(SDPError) { try self.init(parsing: text.utf8) }

  /// As it goes on the wire, with CRLF.
  public var text: String {
    var lines = [
      "v=0",
      "o=\(origin.username) \(origin.sessionID) \(origin.version) IN \(origin.addressType) \(origin.address)",
      "s=\(name)",
    ]
    if let connection { lines.append(connection.line) }
    lines.append("t=0 0")
    lines += attributes.map(\.line)
    for media in media {
      lines.append(
        "m=\(media.kind) \(media.port) \(media.transport) \(media.formats.joined(separator: " "))")
      if let connection = media.connection { lines.append(connection.line) }
      lines += media.attributes.map(\.line)
    }
    return lines.joined(separator: "\r\n") + "\r\n"
  }
}

extension SessionDescription.Connection {
  fileprivate var line: String { "c=IN \(addressType) \(address)" }
}

extension SessionDescription.Attribute {
  fileprivate var line: String { value.map { "a=\(name):\($0)" } ?? "a=\(name)" }
}

/// Builds a session description line by line.
private struct SessionDescriptionReader {
  private var number = 0
  private var origin: SessionDescription.Origin?
  private var name = "-"
  private var connection: SessionDescription.Connection?
  private var attributes: [SessionDescription.Attribute] = []
  private var media: [SessionDescription.Media] = []

  mutating func take(_ line: ArraySlice<UInt8>) throws(SDPError) {
    number += 1
    guard number <= SDPLimit.lines else { throw .tooLarge("lines") }
    guard line.count <= SDPLimit.lineBytes else { throw .tooLarge("characters in a line") }
    if line.isEmpty { return }
    // What we read may be echoed in an answer: no control character may hide in it.
    guard !line.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
      throw malformed("control character")
    }
    guard line.dropFirst().first == UInt8(ascii: "="), let type = line.first else {
      throw malformed("not of the form x=…")
    }
    let value = String(decoding: line.dropFirst(2), as: UTF8.self)
    if number == 1 {
      guard type == UInt8(ascii: "v"), value.allSatisfy({ $0 == "0" || $0 == " " }) else {
        throw malformed("not v=0")
      }
      return
    }
    switch type {
    case UInt8(ascii: "o"): origin = try readOrigin(value)
    case UInt8(ascii: "s"): name = value
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

  private func words(_ value: String) -> [Substring] {
    value.utf8.split { $0 == 0x20 || $0 == 0x09 }.map { Substring($0) }
  }

  private func readOrigin(_ value: String) throws(SDPError) -> SessionDescription.Origin {
    let words = words(value)
    guard words.count >= 6 else { throw malformed("o= with fewer than six words") }
    return SessionDescription.Origin(
      username: String(words[0]), sessionID: String(words[1]), version: UInt64(words[2]) ?? 0,
      addressType: String(words[4]), address: String(words[5]))
  }

  private func readConnection(_ value: String) throws(SDPError) -> SessionDescription.Connection {
    let words = words(value)
    guard words.count >= 3 else { throw malformed("c= with fewer than three words") }
    guard words[0].uppercased() == "IN" else { throw malformed("c= of an unknown network") }
    let address = words[2].prefix { $0 != "/" }  // a TTL or a count of multicast addresses may follow
    return SessionDescription.Connection(addressType: words[1].uppercased(), address: String(address))
  }

  private func readAttribute(_ value: String) -> SessionDescription.Attribute {
    let bytes = value.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
      return SessionDescription.Attribute(bytes[...].trimmed)
    }
    return SessionDescription.Attribute(bytes[..<colon].trimmed, bytes[bytes.index(after: colon)...].trimmed)
  }

  private func readMedia(_ value: String) throws(SDPError) -> SessionDescription.Media {
    guard media.count < SDPLimit.media else { throw .tooLarge("media") }
    let words = words(value)
    guard words.count >= 4 else { throw malformed("m= with fewer than four words") }
    guard words.count - 3 <= SDPLimit.formats else { throw .tooLarge("formats") }
    guard let port = UInt16(words[1].prefix { $0 != "/" }) else { throw malformed("m= with a bad port") }
    return SessionDescription.Media(
      kind: words[0].lowercased(), port: port, transport: String(words[2]),
      formats: words[3...].map(String.init))
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

extension Substring.UTF8View {
  fileprivate var trimmed: String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(Substring(self[first...last]))
  }
}
