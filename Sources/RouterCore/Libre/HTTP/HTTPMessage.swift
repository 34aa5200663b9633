/// One outbound request.
public struct HTTPRequest: Sendable {
  public var method: String
  /// Absolute, `http:` or `https:`.
  public var url: String
  public var headers: [Header]
  public var body: [UInt8]?
  /// For the whole exchange, name look-up and TLS included.
  public var deadline: Duration
  /// Longer bodies fail with ``HTTPError/Kind/tooLarge``.
  public var maximumBodyBytes: Int

  /// A request; the limits are 10 seconds and 1 MiB unless told otherwise.
  public init(
    _ method: String = "GET", url: String, headers: [Header] = [], body: [UInt8]? = nil,
    deadline: Duration = .seconds(10), maximumBodyBytes: Int = 1 << 20
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.deadline = deadline
    self.maximumBodyBytes = maximumBodyBytes
  }
}

/// What came back; any status is a response, not an error.
public struct HTTPResponse: Sendable, Hashable {
  public var status: Int
  public var headers: [Header]
  public var body: [UInt8]

  /// The first header of that name, compared without case.
  public func header(_ name: String) -> String? {
    let name = name.lowercased()
    return headers.first { $0.name.lowercased() == name }?.value
  }

  /// The body as text; bytes that are not UTF-8 are replaced.
  public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Why there is no response.
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, for programs.
  public enum Kind: String, Sendable {
    case invalidURL, unresolved, refused, untrusted, timedOut, tooLarge, busy, cancelled, closed,
      protocolError
  }

  public var kind: Kind
  /// For a person; names the host, never credentials or a query.
  public var message: String

  public var description: String { message }
}

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
