/// Limits and trust of an ``HTTPClient``.
public struct HTTPClientSettings: Sendable, Hashable {
  /// Exchanges under way at once, open WebSockets among them; one more fails with ``HTTPError/Kind/busy``.
  public var maximumExchanges = 4096
  /// Connections open at once, in all and for one host; exchanges beyond wait for one. A call of an agent may hold
  /// several for as long as it lasts.
  public var maximumConnections = 4096
  public var maximumConnectionsPerHost = 4096
  /// Connections that are kept for the next exchange.
  public var maximumIdleConnections = 256
  /// Response headers longer than this fail the exchange.
  public var maximumHeaderBytes = 64 << 10
  /// A PEM file of authorities that are trusted instead of the system's.
  public var authorities: String?
  /// Sent as `User-Agent`.
  public var userAgent = "routerd"

  /// The defaults.
  public init() {}
}
