/// A `name-addr` or `addr-spec`, the form of `From`, `To`, `Contact`, `P-Asserted-Identity`, `Diversion`, … (RFC 3261
/// section 20.10).
public struct SIPAddress: Hashable, Sendable, CustomStringConvertible {
  /// Without quotes and escapes; `nil` when there is none.
  public var displayName: String?
  public var uri: SIPURI
  /// Parameters of the field, behind the closing bracket: `tag`, `reason`, `expires`.
  public var parameters: SIPParameters

  public init(displayName: String? = nil, uri: SIPURI, parameters: SIPParameters = SIPParameters()) {
    self.displayName = displayName
    self.uri = uri
    self.parameters = parameters
  }

  /// Reads one element of a field; `nil` when it breaks the grammar. Without brackets, parameters belong to the
  /// field and not to the URI (RFC 3261 section 20).
  public init?(_ text: some StringProtocol) {
    guard let address = text.withRawUTF8({ SIPAddress(bytes: $0) }) else { return nil }
    self = address
  }

  public var tag: String? { parameters["tag"] }

  public var description: String {
    let name = displayName.map { SIPAddress.quoted($0) + " " } ?? ""
    return "\(name)<\(uri)>\(parameters)"
  }

  /// Reads a list: several elements of one or more fields. Those that break the grammar are left out.
  public static func list(_ values: [String]) -> [SIPAddress] { values.compactMap { SIPAddress($0) } }
}

extension SIPAddress {
  init?(bytes: UnsafeRawBufferPointer) {
    let bytes = bytes.trimmed()
    guard let parts = SIPAddress.parts(bytes), let uri = SIPURI(bytes: parts.uri) else { return nil }
    self.init(uri: uri, parameters: SIPParameters(bytes: parts.parameters))
    let name = parts.name.trimmed()
    if !name.isEmpty { displayName = SIPAddress.unquoted(name) }
  }

  /// Where the display name, the URI and the parameters of an address lie; `nil` when brackets or quotes do not fit.
  static func parts(
    _ bytes: UnsafeRawBufferPointer
  ) -> (name: UnsafeRawBufferPointer, uri: UnsafeRawBufferPointer, parameters: UnsafeRawBufferPointer)? {
    guard !bytes.isEmpty else { return nil }
    var index = 0
    if bytes[0] == SIPByte.quote {
      guard let end = endOfQuote(bytes) else { return nil }
      index = end
    }
    guard
      let open = UnsafeRawBufferPointer(rebasing: bytes[index...]).position(of: SIPByte.less).map({
        $0 + index
      })
    else {
      // An addr-spec: the first semicolon begins the field's parameters.
      guard index == 0 else { return nil }
      let end = bytes.position(of: SIPByte.semicolon) ?? bytes.count
      let uri = UnsafeRawBufferPointer(rebasing: bytes[..<end]).trimmed()
      return (
        UnsafeRawBufferPointer(rebasing: bytes[..<0]), uri, UnsafeRawBufferPointer(rebasing: bytes[end...])
      )
    }
    let inside = UnsafeRawBufferPointer(rebasing: bytes[open...])
    guard let close = inside.position(of: SIPByte.greater).map({ $0 + open }) else { return nil }
    let name = UnsafeRawBufferPointer(rebasing: bytes[..<open])
    // Between a quoted name and the bracket, and between the bracket and the parameters, only blanks may stand.
    let afterQuote = UnsafeRawBufferPointer(rebasing: bytes[index..<open]).trimmed()
    if index > 0, !afterQuote.isEmpty { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[(close + 1)...]).trimmed()
    if let first = rest.first, first != SIPByte.semicolon { return nil }
    return (name, UnsafeRawBufferPointer(rebasing: bytes[(open + 1)..<close]), rest)
  }

  /// The index behind the closing quote of a quoted string that begins at 0.
  static func endOfQuote(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var index = 1
    while index < bytes.count {
      if bytes[index] == SIPByte.backslash {
        index += 2
        continue
      }
      if bytes[index] == SIPByte.quote { return index + 1 }
      index += 1
    }
    return nil
  }

  /// Plain text of a token or of a quoted string.
  static func unquoted(_ bytes: UnsafeRawBufferPointer) -> String {
    guard bytes.count >= 2, bytes[0] == SIPByte.quote, bytes[bytes.count - 1] == SIPByte.quote else {
      return bytes.text
    }
    let inner = UnsafeRawBufferPointer(rebasing: bytes[1..<(bytes.count - 1)])
    guard inner.contains(SIPByte.backslash) else { return inner.text }
    var out: [UInt8] = []
    var isEscaped = false
    for byte in inner {
      if byte == SIPByte.backslash, !isEscaped {
        isEscaped = true
      } else {
        out.append(byte)
        isEscaped = false
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// A quoted string with what must be escaped escaped; line ends become blanks.
  static func quoted(_ text: String) -> String {
    var out: [UInt8] = [SIPByte.quote]
    for byte in text.utf8 {
      if byte == SIPByte.quote || byte == SIPByte.backslash { out.append(SIPByte.backslash) }
      out.append(byte == SIPByte.cr || byte == SIPByte.lf ? SIPByte.space : byte)
    }
    out.append(SIPByte.quote)
    return String(decoding: out, as: UTF8.self)
  }
}
