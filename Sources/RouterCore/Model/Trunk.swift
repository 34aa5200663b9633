/// A SIP peer that sends calls without a registration, as the route files describe it.
public struct Trunk: Hashable, Sendable {
  /// Where the called number is taken from, in order of preference.
  public enum CalledNumberSource: Hashable, Sendable {
    case requestURI, to, calledPartyID, diversion
    case header(String)
  }

  /// Digest credentials that the peer must present (RFC 3261 section 22).
  public struct Credentials: Hashable, Sendable {
    public var username: String
    public var password: String
    public init(username: String, password: String) {
      self.username = username
      self.password = password
    }
  }

  public var name: String
  /// Addresses and prefixes that the peer sends from, e.g. `203.0.113.0/28`, `2001:db8::/32`.
  public var addresses: [String]
  public var credentials: Credentials?
  /// Default region of its numbers, ISO 3166, e.g. `GB`.
  public var region: String?
  public var calledNumberFrom: [CalledNumberSource]
  /// How many calls it may have at once; `nil` is no limit of its own.
  public var maximumCalls: Int?

  public init(
    name: String, addresses: [String] = [], credentials: Credentials? = nil, region: String? = nil,
    calledNumberFrom: [CalledNumberSource] = [.requestURI], maximumCalls: Int? = nil
  ) {
    self.name = name
    self.addresses = addresses
    self.credentials = credentials
    self.region = region
    self.calledNumberFrom = calledNumberFrom
    self.maximumCalls = maximumCalls
  }
}
