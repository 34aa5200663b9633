public import RouterCore

extension SIPChannel {
  /// The `sip:` section of `routerd.yaml`. Every key has a default, so it may be missing altogether.
  public struct Configuration: Decodable, Sendable {
    /// Where calls come in.
    public var listen: [ListenAddress] = [
      ListenAddress(.udp, host: "0.0.0.0", port: 5060), ListenAddress(.tcp, host: "0.0.0.0", port: 5060),
    ]
    /// The address by which peers reach us, when it is not the listener's: behind NAT or in a container. Numeric or a
    /// name, with a port or without. Goes into Contact and, where it is numeric, into SDP.
    public var advertise: String?
    /// PEM files for `tls:` listeners.
    public var certificate: String?
    public var privateKey: String?
    /// What somebody gets whose address belongs to no trunk.
    public var unknownSources = UnknownSources.reject
    public var media = Media()
    public var limits = Limits()
    public var sessionTimers = SessionTimers()
    /// The `Server` and `User-Agent` header; empty sends none.
    public var userAgent = "routerd"

    /// The defaults.
    public init() {}

    private enum CodingKeys: String, CodingKey {
      case listen, advertise, certificate, privateKey, unknownSources, media, limits, sessionTimers, userAgent
    }

    /// Reads the section. Throws `DecodingError` that names the key and what it may hold.
    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      listen = try values.decodeIfPresent([ListenAddress].self, forKey: .listen) ?? listen
      advertise = try values.decodeIfPresent(String.self, forKey: .advertise)
      certificate = try values.decodeIfPresent(String.self, forKey: .certificate)
      privateKey = try values.decodeIfPresent(String.self, forKey: .privateKey)
      unknownSources =
        try values.decodeIfPresent(UnknownSources.self, forKey: .unknownSources) ?? unknownSources
      media = try values.decodeIfPresent(Media.self, forKey: .media) ?? media
      limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? limits
      sessionTimers =
        try values.decodeIfPresent(SessionTimers.self, forKey: .sessionTimers) ?? sessionTimers
      userAgent = try values.decodeIfPresent(String.self, forKey: .userAgent) ?? userAgent
      if listen.isEmpty {
        throw values.wrong(.listen, "needs at least one address, e.g. udp:0.0.0.0:5060")
      }
      if listen.contains(where: { $0.transport == .tls }) {
        if certificate == nil {
          throw values.wrong(.listen, "a tls: listener needs certificate:, a PEM file")
        }
        if privateKey == nil { throw values.wrong(.listen, "a tls: listener needs privateKey:, a PEM file") }
      }
      if userAgent.utf8.contains(where: { $0 < 0x20 || $0 > 0x7e }) || userAgent.utf8.count > 128 {
        throw values.wrong(.userAgent, "must be at most 128 printable ASCII characters")
      }
    }
  }

  /// What a caller from no trunk gets.
  public enum UnknownSources: String, Sendable, Decodable, CaseIterable {
    /// 403.
    case reject
    /// Silence: whoever scans the internet learns nothing.
    case ignore
    /// The call goes to the routes, without a trunk.
    case accept
  }

  /// One listener, written `udp:0.0.0.0:5060`, `tcp:[::]:5060`, `tls:192.0.2.1` (port 5061).
  public struct ListenAddress: Hashable, Sendable, Decodable, CustomStringConvertible {
    public var transport: SIPTransport
    /// Numeric, IPv6 without brackets.
    public var host: String
    /// 0 lets the operating system choose.
    public var port: UInt16

    public init(_ transport: SIPTransport, host: String, port: UInt16) {
      self.transport = transport
      self.host = host
      self.port = port
    }

    /// Reads the written form; `nil` when it is none.
    public init?(_ text: String) {
      guard let colon = text.firstIndex(of: ":"),
        let transport = SIPTransport(rawValue: text[..<colon].lowercased()),
        // Host and port are written as in a URI, an IPv6 address in brackets.
        let place = SIPURI("sip:" + text[text.index(after: colon)...]), place.rawUser == nil,
        place.parameters.isEmpty, place.rawHeaders == nil, AddressPrefix.bits(of: place.host) != nil
      else { return nil }
      self.init(transport, host: place.host, port: place.port ?? transport.defaultPort)
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let text = try container.decode(String.self)
      guard let address = ListenAddress(text) else {
        throw DecodingError.dataCorruptedError(
          in: container,
          debugDescription:
            "\"\(text)\" is no listener: write udp, tcp or tls, a numeric address and a port, "
            + "e.g. udp:0.0.0.0:5060 or tcp:[::]:5060")
      }
      self = address
    }

    public var description: String {
      "\(transport.rawValue):\(SocketAddress(ip: host, port: port))"
    }
  }
}
