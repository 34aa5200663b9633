/// What a request asks for (RFC 3261 section 7.1 and the extensions we serve). Names are case-sensitive.
public enum SIPMethod: Hashable, Sendable, CustomStringConvertible {
  case invite, ack, bye, cancel, options, prack, update, info, refer, notify, message, register, subscribe
  case publish
  /// Any other token.
  case other(String)

  /// The method of a name, e.g. `INVITE`.
  public init(_ name: String) { self = SIPMethod.known[name] ?? .other(name) }

  /// As it is written on the wire.
  public var name: String {
    switch self {
    case .invite: "INVITE"
    case .ack: "ACK"
    case .bye: "BYE"
    case .cancel: "CANCEL"
    case .options: "OPTIONS"
    case .prack: "PRACK"
    case .update: "UPDATE"
    case .info: "INFO"
    case .refer: "REFER"
    case .notify: "NOTIFY"
    case .message: "MESSAGE"
    case .register: "REGISTER"
    case .subscribe: "SUBSCRIBE"
    case .publish: "PUBLISH"
    case .other(let name): name
    }
  }

  public var description: String { name }

  /// The same without making a `String` for the usual ones.
  init(_ bytes: UnsafeRawBufferPointer) {
    for (method, name) in SIPMethod.table where bytes.matches(name) {
      self = method
      return
    }
    self = .other(String(decoding: bytes, as: UTF8.self))
  }

  private static let table: [(SIPMethod, StaticString)] = [
    (.invite, "INVITE"), (.ack, "ACK"), (.bye, "BYE"), (.cancel, "CANCEL"), (.options, "OPTIONS"),
    (.prack, "PRACK"), (.update, "UPDATE"), (.info, "INFO"), (.refer, "REFER"), (.notify, "NOTIFY"),
    (.message, "MESSAGE"), (.register, "REGISTER"), (.subscribe, "SUBSCRIBE"), (.publish, "PUBLISH"),
  ]
  private static let known = Dictionary(
    uniqueKeysWithValues: table.map { method, _ in (method.name, method) })
}

/// How SIP travels.
public enum SIPTransport: String, Hashable, Sendable, Codable, CaseIterable {
  case udp, tcp, tls

  /// As in `Via`: `UDP`.
  public var token: String {
    switch self {
    case .udp: "UDP"
    case .tcp: "TCP"
    case .tls: "TLS"
    }
  }
  /// Whether messages arrive without being sent again (RFC 3261 section 17).
  public var isReliable: Bool { self != .udp }
  /// 5060, or 5061 for TLS.
  public var defaultPort: UInt16 { self == .tls ? 5061 : 5060 }
}
