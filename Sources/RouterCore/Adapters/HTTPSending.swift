/// Sends outbound HTTP requests. `HTTPClient` is the one that ships; a test may bring its own.
public protocol HTTPSending: Sendable {
  /// Performs one exchange within the request's deadline. Cancelling the task ends it at once.
  func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse
}

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
  /// Which addresses it may connect to; anything else fails with ``HTTPError/Kind/forbidden``.
  public var reach = NetworkReach.anywhere

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

  /// A response.
  public init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

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
  public enum Kind: Hashable, Sendable {
    case invalidURL, unresolved, refused, untrusted, timedOut, tooLarge, busy, cancelled, closed,
      protocolError
    /// The host's address is outside of the request's ``HTTPRequest/reach``.
    case forbidden
    /// A WebSocket server answered with this status instead of 101.
    case status(Int)
  }

  public var kind: Kind
  /// For a person; names the host, never credentials or a query.
  public var message: String

  /// An error.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  public var description: String { message }
}
