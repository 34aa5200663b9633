/// A request that came to our HTTP server, whole.
public struct HTTPServerRequest: Sendable, Hashable {
  public var method: String
  /// The request target as it was sent: path and query, not decoded (signatures are made over it).
  public var target: String
  public var headers: [Header]
  public var body: [UInt8]
  /// Who sent it: the peer of the connection or, behind a trusted proxy, whom the proxy names.
  public var remote: SocketAddress
  /// Whether it came by TLS, to us or to a trusted proxy.
  public var isSecure: Bool
  /// Where the sender believes to be: scheme, host, and port if there is one, e.g. `https://voice.example.com`. The
  /// configured public URL where there is one, else what the request (or a trusted proxy) says. Empty for a server
  /// that does not care.
  public var origin: String
  /// What the `{…}` parts of a ``WebRoute/pattern`` matched, decoded.
  public var parameters: [String: String]

  /// A request.
  public init(
    method: String, target: String, headers: [Header] = [], body: [UInt8] = [],
    remote: SocketAddress = SocketAddress(ip: "127.0.0.1", port: 0), isSecure: Bool = false,
    origin: String = "", parameters: [String: String] = [:]
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
    self.remote = remote
    self.isSecure = isSecure
    self.origin = origin
    self.parameters = parameters
  }

  /// The whole address as the sender knows it; signatures of webhooks are made over it.
  public var url: String { origin + target }

  /// The path, not decoded.
  public var path: Substring { target.prefix { $0 != "?" } }
  /// What follows the question mark, not decoded.
  public var query: Substring { target.drop { $0 != "?" }.dropFirst() }

  /// The first header of that name, compared without case.
  public func header(_ name: String) -> String? {
    let name = name.lowercased()
    return headers.first { $0.name.lowercased() == name }?.value
  }

  /// Whether a header that is a list, perhaps in several lines, names this; both are compared without case.
  func lists(_ element: String, in name: String) -> Bool {
    let name = name.lowercased()
    return headers.contains { header in
      header.name.lowercased() == name
        && header.value.split(separator: ",").contains { $0.trimmingBlanks().lowercased() == element }
    }
  }
}

/// What our HTTP server answers.
public enum HTTPServerReply: Sendable {
  case response(HTTPResponse)
  /// A body that is sent piece by piece until the stream ends.
  case stream(status: Int, headers: [Header], AsyncStream<[UInt8]>)
  /// The same, but the connection is cut where the body should end: for whoever makes a body and fails half-way, so that
  /// nobody takes the half for the whole.
  case broken(status: Int, headers: [Header], AsyncStream<[UInt8]>)
  /// The connection becomes a WebSocket, which the closure is given to start. Only for a request that asks for one;
  /// another gets 426. It lives on `loop`, without one on the server's.
  case webSocket(
    protocol: String?, WebSocketSettings, on: EventLoop? = nil, @Sendable (WebSocket) async -> Void)

  /// A short answer in plain text.
  public static func text(_ status: Int, _ text: String) -> HTTPServerReply {
    .response(
      HTTPResponse(
        status: status, headers: [Header("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8)
      ))
  }
}

/// A path that a plugin serves.
public struct WebRoute: Sendable {
  /// Segments of a path; `{name}` takes one segment, `{name...}` at the end takes all that follow, e.g.
  /// `/voip/example/media/{token}`.
  public var pattern: String
  /// Others get 405. HEAD comes with GET.
  public var methods: Set<String>
  /// Media types of bodies that are taken, without parameters; others get 415. Empty takes any.
  public var accepts: Set<String>
  /// Longer bodies get 413.
  public var maximumBodyBytes: Int
  /// Answers a request, in a task of its own.
  public var handler: @Sendable (HTTPServerRequest) async -> HTTPServerReply

  public init(
    _ pattern: String, methods: Set<String> = ["GET"], accepts: Set<String> = [],
    maximumBodyBytes: Int = 64 << 10,
    handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerReply
  ) {
    self.pattern = pattern
    self.methods = methods
    self.accepts = accepts
    self.maximumBodyBytes = maximumBodyBytes
    self.handler = handler
  }
}

/// Where plugins mount what they serve over HTTP: one listener for all, with its limits, TLS and proxies.
public protocol WebMounts: Sendable {
  /// How the outside reaches us, e.g. `https://voice.example.com`, without a slash at the end; `nil` when nobody said.
  var publicURL: String? { get }
  /// Serves a route from now on; one of the same pattern is replaced.
  func mount(_ route: WebRoute)
}

/// For a routerd, or a test, that listens to no web.
public struct NoWebMounts: WebMounts {
  public init() {}
  public var publicURL: String? { nil }
  public func mount(_ route: WebRoute) {}
}
