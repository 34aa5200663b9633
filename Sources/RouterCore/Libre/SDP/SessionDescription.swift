/// A session description (RFC 8866) as plain values: what it says, in order, without judgement.
public struct SessionDescription: Sendable, Hashable {
  /// `o=`: who made it, and its version.
  public struct Origin: Sendable, Hashable {
    public var username: String
    /// Decimal digits; kept as text, since some peers write more than 64 bits.
    public var sessionID: String
    public var version: UInt64
    /// `IP4` or `IP6`, as written.
    public var addressType: String
    public var address: String
    public init(
      username: String = "-", sessionID: String, version: UInt64, addressType: String = "IP4", address: String
    ) {
      self.username = username
      self.sessionID = sessionID
      self.version = version
      self.addressType = addressType
      self.address = address
    }
  }

  /// `c=`: where media goes.
  public struct Connection: Sendable, Hashable {
    /// `IP4` or `IP6`.
    public var addressType: String
    /// A numeric address or a host name, without a multicast suffix.
    public var address: String
    public init(_ address: String) {
      addressType = address.utf8.contains(SIPByte.colon) ? "IP6" : "IP4"
      self.address = address
    }
    public init(addressType: String, address: String) {
      self.addressType = addressType
      self.address = address
    }
  }

  /// `a=name` or `a=name:value`.
  public struct Attribute: Sendable, Hashable {
    public var name: String
    public var value: String?
    public init(_ name: String, _ value: String? = nil) {
      self.name = name
      self.value = value
    }
  }

  /// `m=` and what belongs to it.
  public struct Media: Sendable, Hashable {
    /// `audio`, `video`, `image`, `text`, `application`, ….
    public var kind: String
    /// 0 when the stream is refused or gone.
    public var port: UInt16
    /// `RTP/AVP`, `RTP/SAVP`, `udptl`, ….
    public var transport: String
    /// Payload types, for RTP as decimal digits.
    public var formats: [String]
    public var connection: Connection?
    public var attributes: [Attribute]
    public init(
      kind: String, port: UInt16, transport: String, formats: [String], connection: Connection? = nil,
      attributes: [Attribute] = []
    ) {
      self.kind = kind
      self.port = port
      self.transport = transport
      self.formats = formats
      self.connection = connection
      self.attributes = attributes
    }

    /// The values of an attribute, in order.
    public func values(_ name: String) -> [String] {
      attributes.filter { $0.name == name }.map { $0.value ?? "" }
    }
  }

  public var origin: Origin
  /// `s=`.
  public var name: String
  public var connection: Connection?
  /// Attributes of the whole session.
  public var attributes: [Attribute]
  public var media: [Media]

  public init(
    origin: Origin, name: String = "-", connection: Connection? = nil, attributes: [Attribute] = [],
    media: [Media] = []
  ) {
    self.origin = origin
    self.name = name
    self.connection = connection
    self.attributes = attributes
    self.media = media
  }
}
