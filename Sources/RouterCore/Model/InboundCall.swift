public import FoundationEssentials

/// How a call reaches us, as route files name it.
public struct ChannelKind: RawRepresentable, Hashable, Sendable, Codable, ExpressibleByStringLiteral {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public init(stringLiteral value: String) { rawValue = value }

  /// A call over SIP, from a trunk or a registered connection.
  public static let sip: ChannelKind = "sip"
  /// A call that a VoIP provider announces by webhook.
  public static let voip: ChannelKind = "voip"
  /// A session of an application over a WebSocket.
  public static let websocket: ChannelKind = "websocket"
  /// A session of a browser over WebRTC.
  public static let webrtc: ChannelKind = "webrtc"
}

/// One header or parameter that came with a call; names compare without case.
public struct Header: Hashable, Sendable, Codable {
  public var name: String
  public var value: String
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// How far the caller's number is vouched for (STIR/SHAKEN, RFC 8588 section 4).
public enum Attestation: String, Sendable, Codable {
  case full = "A"
  case partial = "B"
  case gateway = "C"
}

/// An address and port of a peer.
public struct SocketAddress: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Numeric, IPv4 or IPv6 without brackets.
  public var ip: String
  public var port: UInt16
  public init(ip: String, port: UInt16) {
    self.ip = ip
    self.port = port
  }

  public var description: String { ip.utf8.contains(UInt8(ascii: ":")) ? "[\(ip)]:\(port)" : "\(ip):\(port)" }
}

/// A call that asks for an answer: all that a route may look at. Everything is as the network said it; the router
/// normalises numbers when it resolves.
public struct InboundCall: Sendable, Codable {
  public var id: CallID
  public var channel: ChannelKind
  /// The VoIP provider's type for calls by webhook.
  public var provider: String?
  /// The trunk of the route file that the source address or the credentials belong to.
  public var trunk: String?
  /// The registered SIP connection that the call came to.
  public var connection: String?
  public var from: Party
  public var to: Party
  /// Who was called before it was diverted to us, most recent first (RFC 5806); at most ``maximumDiversions``.
  public var diversion: [Party]
  /// Diversions that are kept; the oldest are not.
  public static let maximumDiversions = 16
  public var headers: [Header]
  public var sourceAddress: SocketAddress?
  public var attestation: Attestation?
  /// A language tag, if the network or the application gave one.
  public var language: String?
  public var receivedAt: Date
  /// What the other side calls this call: the SIP Call-ID, or the provider's identifier.
  public var foreignID: String?
  /// What the calling application calls the person (`externalClientId`): 1 to 32 letters, digits, `_` and `-`. Over SIP
  /// the header `X-External-Client-Id` says it.
  public var externalClientID: String? {
    guard let id = clientID ?? values(ofHeader: "X-External-Client-Id").first,
      (1...32).contains(id.utf8.count)
    else { return nil }
    let isLegal = id.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    return isLegal ? id : nil
  }
  private var clientID: String?
  /// The agent that answers when no route matches (a connection's or a webhook's own).
  public var defaultAgent: String?

  public init(
    id: CallID = .make(), channel: ChannelKind, from: Party, to: Party, provider: String? = nil,
    trunk: String? = nil, connection: String? = nil, diversion: [Party] = [], headers: [Header] = [],
    sourceAddress: SocketAddress? = nil, attestation: Attestation? = nil, language: String? = nil,
    receivedAt: Date = Date(), foreignID: String? = nil, defaultAgent: String? = nil,
    externalClientID: String? = nil
  ) {
    self.id = id
    self.channel = channel
    self.from = from
    self.to = to
    self.provider = provider
    self.trunk = trunk
    self.connection = connection
    self.diversion = Array(diversion.prefix(InboundCall.maximumDiversions))
    self.headers = headers
    self.sourceAddress = sourceAddress
    self.attestation = attestation
    self.language = language?.cut(to: Party.maximumBytes)
    self.receivedAt = receivedAt
    self.foreignID = foreignID?.cut(to: Party.maximumBytes)
    self.defaultAgent = defaultAgent
    clientID = externalClientID
  }

  /// The values of a header, in order; the name is compared without case.
  public func values(ofHeader name: String) -> [String] {
    let name = name.lowercased()
    return headers.filter { $0.name.lowercased() == name }.map(\.value)
  }
}
