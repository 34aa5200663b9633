/// A request that came to our HTTP server, whole.
public struct HTTPServerRequest: Sendable, Hashable {
  public var method: String
  /// The request target as it was sent: path and query, not decoded (signatures are made over it).
  public var target: String
  public var headers: [Header]
  public var body: [UInt8]
  /// The peer of the connection; behind a proxy, the proxy.
  public var remote: SocketAddress
  /// Whether the connection itself is TLS.
  public var isSecure: Bool

  /// A request.
  public init(
    method: String, target: String, headers: [Header] = [], body: [UInt8] = [],
    remote: SocketAddress = SocketAddress(ip: "127.0.0.1", port: 0), isSecure: Bool = false
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
    self.remote = remote
    self.isSecure = isSecure
  }

  /// The path, not decoded.
  public var path: Substring { target.prefix { $0 != "?" } }
  /// What follows the question mark, not decoded.
  public var query: Substring { target.drop { $0 != "?" }.dropFirst() }

  /// The first header of that name, compared without case.
  public func header(_ name: String) -> String? {
    let name = name.lowercased()
    return headers.first { $0.name.lowercased() == name }?.value
  }
}

/// What our HTTP server answers.
public enum HTTPServerReply: Sendable {
  case response(HTTPResponse)
  /// A body that is sent piece by piece until the stream ends.
  case stream(status: Int, headers: [Header], AsyncStream<[UInt8]>)
  /// The connection becomes a WebSocket, which the closure is given to start. Only for a request that asks for one;
  /// another gets 426.
  case webSocket(protocol: String?, WebSocketSettings, @Sendable (WebSocket) async -> Void)

  /// A short answer in plain text.
  public static func text(_ status: Int, _ text: String) -> HTTPServerReply {
    .response(
      HTTPResponse(
        status: status, headers: [Header("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8)
      ))
  }
}

/// Where an ``HTTPServer`` listens and what it bears.
public struct HTTPServerSettings: Sendable, Hashable {
  /// Numeric address and port; port 0 takes a free one.
  public var address = SocketAddress(ip: "127.0.0.1", port: 0)
  public var maximumConnections = 4000
  public var maximumConnectionsPerAddress = 1000
  /// A connection that is silent for so long is closed.
  public var idleSeconds = 30
  /// Longer heads get 431 or 414.
  public var maximumHeadBytes = 32 << 10
  /// Longer bodies get 413.
  public var maximumBodyBytes = 1 << 20
  /// A handler that takes longer is answered for with 503.
  public var handlerSeconds = 30

  /// The defaults.
  public init() {}
}
