/// A `sip:`, `sips:` or `tel:` URI (RFC 3261 section 19.1, RFC 3966), or one of another scheme that is kept as it is.
///
/// Parts are kept as they were written, so that a URI can be sent back unchanged; ``user`` is the decoded form.
public struct SIPURI: Hashable, Sendable, CustomStringConvertible {
  /// Lower case: `sip`, `sips`, `tel`, ….
  public var scheme: String
  /// The user part as it was written, with escapes and its own parameters; the number of a `tel:` URI.
  public var rawUser: String?
  public var password: String?
  /// A name or a numeric address, IPv6 without brackets. Empty for `tel:` and for foreign schemes.
  public var host: String
  public var port: UInt16?
  public var parameters: SIPParameters
  /// What stands after `?`, escaped, without the question mark.
  public var rawHeaders: String?
  /// What stands after the colon of a foreign scheme.
  public var opaque: String?

  /// Builds a URI; `user` is plain text and gets escaped.
  public init(
    scheme: String = "sip", user: String? = nil, host: String, port: UInt16? = nil,
    parameters: SIPParameters = SIPParameters()
  ) {
    self.scheme = scheme
    rawUser = user.map { SIPURI.escaped($0, allowing: SIPURI.userMarks) }
    self.host = host
    self.port = port
    self.parameters = parameters
  }

  /// Reads a URI; `nil` when it breaks the grammar. Foreign schemes are read as far as their colon.
  public init?(_ text: some StringProtocol) {
    guard let uri = text.withRawUTF8({ SIPURI(bytes: $0) }) else { return nil }
    self = uri
  }

  /// The user part in plain text: unescaped, without its parameters. Empty when there is none.
  public var user: String {
    guard let rawUser else { return "" }
    guard let semicolon = rawUser.utf8.firstIndex(of: SIPByte.semicolon) else {
      return SIPURI.unescaped(rawUser)
    }
    return SIPURI.unescaped(rawUser[..<semicolon])
  }

  /// Parameters inside the user part (RFC 3261 section 19.1.6): `sip:123;phone-context=+49@host`.
  public var userParameters: SIPParameters {
    guard let rawUser, let semicolon = rawUser.utf8.firstIndex(of: SIPByte.semicolon) else {
      return SIPParameters()
    }
    return SIPParameters(parsing: SIPURI.unescaped(rawUser[rawUser.utf8.index(after: semicolon)...]))
  }

  /// `phone-context` (RFC 3966 section 5.1.5), of a `tel:` URI or of a number in a SIP URI.
  public var phoneContext: String? {
    scheme == "tel" ? parameters["phone-context"] : userParameters["phone-context"]
  }

  /// The transport that the URI asks for: its `transport` parameter, TLS for `sips:`.
  public var transport: SIPTransport? {
    if scheme == "sips" { return .tls }
    return parameters["transport"].flatMap { SIPTransport(rawValue: $0.lowercased()) }
  }

  /// Fields after `?`, unescaped: `Replaces` of a `Refer-To`, `Reason` of a `History-Info`.
  public var headers: [Header] {
    guard let rawHeaders else { return [] }
    return rawHeaders.split(separator: "&").map { element in
      let parts = element.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return Header(SIPURI.unescaped(parts[0]), parts.count > 1 ? SIPURI.unescaped(parts[1]) : "")
    }
  }

  /// Host and port as they are written, IPv6 in brackets.
  public var hostPort: String {
    let host = host.utf8.contains(SIPByte.colon) ? "[\(host)]" : host
    return port.map { "\(host):\($0)" } ?? host
  }

  public var description: String {
    if let opaque { return "\(scheme):\(opaque)" }
    var text = scheme + ":"
    if scheme == "tel" { return text + (rawUser ?? "") + parameters.description }
    if let rawUser {
      text += rawUser
      if let password { text += ":" + password }
      text += "@"
    }
    text += hostPort + parameters.description
    if let rawHeaders { text += "?" + rawHeaders }
    return text
  }
}

extension SIPURI {
  /// Reads a URI from bytes; see ``init(_:)``.
  init?(bytes: UnsafeRawBufferPointer) {
    guard let colon = bytes.position(of: SIPByte.colon), colon > 0,
      let first = bytes.first, SIPByte.lower(first) &- 0x61 < 26,
      bytes[..<colon].allSatisfy({ SIPByte.isToken($0) && $0 != SIPByte.percent }),
      !bytes.contains(where: {
        $0 <= SIPByte.space || $0 == SIPByte.less || $0 == SIPByte.greater || $0 == 0x7f
      })
    else { return nil }
    let scheme = UnsafeRawBufferPointer(rebasing: bytes[..<colon])
    let rest = UnsafeRawBufferPointer(rebasing: bytes[(colon + 1)...])
    if scheme.equalsFolded("sip") || scheme.equalsFolded("sips") {
      self.init(scheme: scheme.count == 3 ? "sip" : "sips", hierarchical: rest)
    } else if scheme.equalsFolded("tel") {
      self.init(telephone: rest)
    } else {
      self.init(scheme: scheme.text.lowercased(), host: "")
      opaque = rest.text
    }
  }

  private init?(telephone rest: UnsafeRawBufferPointer) {
    let end = rest.position(of: SIPByte.semicolon) ?? rest.count
    guard end > 0 else { return nil }
    self.init(scheme: "tel", host: "")
    rawUser = UnsafeRawBufferPointer(rebasing: rest[..<end]).text
    parameters = SIPParameters(bytes: UnsafeRawBufferPointer(rebasing: rest[end...]))
  }

  private init?(scheme: String, hierarchical rest: UnsafeRawBufferPointer) {
    self.init(scheme: scheme, host: "")
    var rest = rest
    // `?` and `;` are legal in a user part, `@` is not: the last one ends it, also for peers that forget to escape.
    if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
      let userInfo = UnsafeRawBufferPointer(rebasing: rest[..<at])
      let colon = userInfo.position(of: SIPByte.colon)
      rawUser = UnsafeRawBufferPointer(rebasing: userInfo[..<(colon ?? userInfo.count)]).text
      password = colon.map { UnsafeRawBufferPointer(rebasing: userInfo[($0 + 1)...]).text }
      rest = UnsafeRawBufferPointer(rebasing: rest[(at + 1)...])
    }
    if let mark = rest.position(of: UInt8(ascii: "?")) {
      rawHeaders = UnsafeRawBufferPointer(rebasing: rest[(mark + 1)...]).text
      rest = UnsafeRawBufferPointer(rebasing: rest[..<mark])
    }
    if let semicolon = rest.position(of: SIPByte.semicolon) {
      parameters = SIPParameters(bytes: UnsafeRawBufferPointer(rebasing: rest[semicolon...]))
      rest = UnsafeRawBufferPointer(rebasing: rest[..<semicolon])
    }
    guard let (host, port) = SIPURI.hostPort(rest) else { return nil }
    self.host = host
    self.port = port
  }

  /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
  static func hostPort(_ bytes: UnsafeRawBufferPointer) -> (host: String, port: UInt16?)? {
    let host: UnsafeRawBufferPointer
    var rest: UnsafeRawBufferPointer
    if bytes.first == UInt8(ascii: "[") {
      guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      host = UnsafeRawBufferPointer(rebasing: bytes[1..<end])
      rest = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
      let isAddress = host.allSatisfy {
        SIPByte.hex($0) != nil || $0 == SIPByte.colon || $0 == UInt8(ascii: ".")
      }
      guard isAddress, host.contains(SIPByte.colon) else { return nil }
    } else {
      let end = bytes.position(of: SIPByte.colon) ?? bytes.count
      host = UnsafeRawBufferPointer(rebasing: bytes[..<end])
      rest = UnsafeRawBufferPointer(rebasing: bytes[end...])
      let isName = host.allSatisfy {
        SIPByte.isDigit($0) || SIPByte.lower($0) &- 0x61 < 26 || $0 == UInt8(ascii: "-")
          || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
      }
      guard isName, !host.isEmpty else { return nil }
    }
    guard !rest.isEmpty else { return (host.text, nil) }
    guard rest[0] == SIPByte.colon else { return nil }
    rest = UnsafeRawBufferPointer(rebasing: rest[1...])
    if rest.isEmpty { return (host.text, nil) }
    guard let port = rest.decimal(limit: 65535) else { return nil }
    return (host.text, UInt16(port))
  }

  // MARK: Escapes

  /// What RFC 3261 section 25.1 lets stand in a user part besides letters and digits.
  static let userMarks = Array("-_.!~*'()&=+$,;?/".utf8)
  /// The same for a header value after `?`.
  static let headerMarks = Array("-_.!~*'()[]/?:+$".utf8)

  /// Replaces `%41` by `A`; an incomplete escape stays as it is.
  static func unescaped(_ text: some StringProtocol) -> String {
    guard text.utf8.contains(SIPByte.percent) else { return String(text) }
    return text.withRawUTF8 { bytes in
      var out: [UInt8] = []
      out.reserveCapacity(bytes.count)
      var index = 0
      while index < bytes.count {
        if bytes[index] == SIPByte.percent, index + 2 < bytes.count,
          let high = SIPByte.hex(bytes[index + 1]), let low = SIPByte.hex(bytes[index + 2])
        {
          out.append(high << 4 | low)
          index += 3
        } else {
          out.append(bytes[index])
          index += 1
        }
      }
      return String(decoding: out, as: UTF8.self)
    }
  }

  /// Escapes everything but letters, digits and `marks`.
  static func escaped(_ text: some StringProtocol, allowing marks: [UInt8]) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      if SIPByte.isDigit(byte) || SIPByte.lower(byte) &- 0x61 < 26 || marks.contains(byte) {
        out.append(byte)
      } else {
        out += [SIPByte.percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// A value for a header part of a URI: `Replaces` of a `Refer-To`.
  public static func escapedHeaderValue(_ value: String) -> String { escaped(value, allowing: headerMarks) }
}
