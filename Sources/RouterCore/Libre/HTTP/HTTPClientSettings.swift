/// Limits and trust of an ``HTTPClient``.
public struct HTTPClientSettings: Sendable, Hashable {
  /// Exchanges under way at once; one more fails with ``HTTPError/Kind/busy``.
  public var maximumExchanges = 1000
  /// Connections kept and opened, in all and for one host.
  public var maximumConnections = 256
  public var maximumConnectionsPerHost = 64
  /// Response headers longer than this fail the exchange.
  public var maximumHeaderBytes = 64 << 10
  /// A PEM file of authorities that are trusted instead of the system's.
  public var authorities: String?
  /// Sent as `User-Agent`.
  public var userAgent = "routerd"

  /// The defaults.
  public init() {}
}
