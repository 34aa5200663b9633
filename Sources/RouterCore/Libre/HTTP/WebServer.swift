/// Everything that routerd serves over HTTP: the listeners of `web:`, and the routes that plugins mounted.
///
/// Made before the plugins; it opens nothing until ``start()``. All listeners have the same routes.
public final class WebServer: WebMounts {
  private struct State {
    var router = WebRouter()
    var limiter: SIPRateLimiter
    var servers: [HTTPServer] = []
  }

  private let settings: WebSettings
  private let forwarded: ForwardedRequest
  private let loop: EventLoop
  private let log: Log
  private let metrics: Metrics
  private let isJSON: Bool
  private let state: Lock<State>

  /// - Parameters:
  ///   - label: What its lines in the log are marked with.
  ///   - isJSON: Whether refusals are JSON, `{"error": {"message": "…"}}`, or plain text.
  public init(
    _ settings: WebSettings, on loop: EventLoop, log: Log, metrics: Metrics, label: String = "web",
    isJSON: Bool = false, isDraining: @escaping @Sendable () -> Bool = { false }
  ) {
    self.settings = settings
    self.loop = loop
    self.isJSON = isJSON
    self.log = log.labelled(label)
    self.metrics = metrics
    forwarded = ForwardedRequest(publicURL: settings.publicURL, trustedProxies: settings.trustedProxies)
    state = Lock(
      State(
        limiter: SIPRateLimiter(rate: settings.limits.requestsPerSecondPerAddress, addresses: 10_000)))
    mountOwn(isDraining)
  }

  public var publicURL: String? { settings.publicURL }

  public func mount(_ route: WebRoute) { state.withLock { $0.router.mount(route) } }

  /// Listens. Throws when an address is taken or the certificate cannot be used; nothing is open then.
  /// - Returns: Where, in words: `https:192.0.2.1:443`.
  public func start() async throws(HTTPError) -> [String] {
    var places: [String] = []
    for entry in settings.listen {
      let server = HTTPServer(on: loop, settings: serverSettings(entry)) { [weak self] request in
        await self?.answer(request) ?? .text(503, "closing\n")
      }
      do throws(HTTPError) {
        let address = try await server.start()
        state.withLock { $0.servers.append(server) }
        log.notice("listening", ("on", "\(entry.scheme):\(address)"))
        places.append("\(entry.scheme):\(address)")
      } catch {
        await server.close()
        await close()
        throw error
      }
    }
    return places
  }

  /// Reads certificates anew. Returns what is wrong with them; the old ones stay in force then.
  public func reloadCertificates() async -> [HTTPError] {
    var errors: [HTTPError] = []
    for server in state.withLock({ $0.servers }) {
      do throws(HTTPError) { try await server.reloadCertificate() } catch { errors.append(error) }
    }
    return errors
  }

  /// Ends every connection.
  public func close() async {
    let servers = state.withLock { state in
      defer { state.servers = [] }
      return state.servers
    }
    for server in servers { await server.close() }
  }

  private func serverSettings(_ entry: WebSettings.Listen) -> HTTPServerSettings {
    var server = HTTPServerSettings()
    server.address = entry.address
    server.maximumConnections = settings.limits.connections
    server.maximumConnectionsPerAddress = settings.limits.connectionsPerAddress
    server.idleSeconds = settings.limits.idleSeconds
    server.maximumHeadBytes = settings.limits.headBytes
    server.maximumBodyBytes = settings.limits.bodyBytes
    server.handlerSeconds = settings.limits.handlerSeconds
    if entry.isSecure { server.certificate = settings.certificate }
    return server
  }

  // MARK: One request

  private func answer(_ raw: HTTPServerRequest) async -> HTTPServerReply {
    var request = forwarded.resolve(raw)
    let (verdict, decision) = state.withLock { state in
      (state.limiter.ask(request.remote.ip, now: .now), state.router.decide(request))
    }
    guard verdict == .serve else {
      count(429)
      var refusal = HTTPResponse.text(429, "too many requests\n")
      refusal.headers.append(Header("Retry-After", "1"))
      return .response(worded(refusal))
    }
    switch decision {
    case .refuse(let response):
      count(response.status)
      return .response(worded(response))
    case .serve(let route, let parameters):
      request.parameters = parameters
      let reply = await route.handler(request)
      count(reply.status)
      return limited(reply)
    }
  }

  /// A refusal in the form that clients of this server read.
  private func worded(_ refusal: HTTPResponse) -> HTTPResponse {
    guard isJSON else { return refusal }
    var json = HTTPResponse.failure(
      refusal.status, String(String(decoding: refusal.body, as: UTF8.self).prefix { $0 != "\n" }))
    json.headers += refusal.headers.filter { $0.name != "Content-Type" }
    return json
  }

  private func count(_ status: Int) {
    metrics.add("routerd_web_requests_total", 1, ["status": "\(status)"])
  }

  /// No WebSocket takes longer messages than the settings allow, or is silent for longer.
  private func limited(_ reply: HTTPServerReply) -> HTTPServerReply {
    guard case .webSocket(let name, var socket, let loop, let start) = reply else { return reply }
    socket.maximumMessageBytes = min(socket.maximumMessageBytes, settings.limits.messageBytes)
    socket.pingMilliseconds = settings.limits.pingSeconds * 1000
    return .webSocket(protocol: name, socket, on: loop, start)
  }

  // MARK: What is always there

  private func mountOwn(_ isDraining: @escaping @Sendable () -> Bool) {
    mount(
      WebRoute("/healthz") { _ in
        isDraining() ? .text(503, "draining\n") : .text(200, "ok\n")
      })
    mount(
      WebRoute("/metrics") { [metrics, readers = settings.metricsFrom] request in
        guard readers.contains(where: { $0.contains(request.remote.ip) }) else {
          return .text(404, "nothing here\n")
        }
        return .response(
          HTTPResponse(
            status: 200, headers: [Header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
            body: Array(metrics.exposition.utf8)))
      })
  }
}

extension HTTPResponse {
  /// JSON on a line of its own.
  public static func json(_ status: Int, _ value: JSONValue) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [Header("Content-Type", "application/json")],
      body: Array((value.text + "\n").utf8))
  }

  /// What went wrong: `{"error": {"message": "…"}}`.
  public static func failure(_ status: Int, _ message: String) -> HTTPResponse {
    json(status, ["error": ["message": .string(message)]])
  }
}

extension HTTPServerReply {
  fileprivate var status: Int {
    switch self {
    case .response(let response): response.status
    case .stream(let status, _, _), .broken(let status, _, _): status
    case .webSocket: 101
    }
  }
}

extension Metrics {
  /// All series in Prometheus' text format.
  var exposition: String { all().map { "\($0.0.text) \($0.1)\n" }.joined() }
}
