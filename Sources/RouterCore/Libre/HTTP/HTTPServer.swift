internal import CLibre
internal import CMicroHTTPD
internal import Glibc

/// An HTTP and WebSocket server on an event loop: libmicrohttpd, whose epoll descriptor sits in libre's loop.
///
/// Requests are handed over whole; each handler runs as a task of its own. docs/decisions/0003-http.md says why
/// libmicrohttpd.
public actor HTTPServer {
  /// Answers one request.
  public typealias Handler = @Sendable (HTTPServerRequest) async -> HTTPServerReply

  nonisolated let loop: EventLoop
  nonisolated let settings: HTTPServerSettings
  private let handler: Handler
  private var daemon: OpaquePointer?
  private var epoll: Int32 = -1
  private let timer = LoopTimer()
  private var exchanges: [ObjectIdentifier: HTTPServerExchange] = [:]
  private var upgraded: [ObjectIdentifier: UpgradedConnection] = [:]
  private var isServing = false

  /// The loop that the server's sockets live on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// A server that does not listen yet.
  public init(on loop: EventLoop, settings: HTTPServerSettings = .init(), handler: @escaping Handler) {
    self.loop = loop
    self.settings = settings
    self.handler = handler
  }

  /// Listens. Throws when the address is taken.
  /// - Returns: The address, with the port that was really taken.
  @discardableResult
  public func start() throws(HTTPError) -> SocketAddress {
    precondition(daemon == nil, "an HTTP server is started once")
    let address = settings.address
    var storage = sa()
    guard sa_set_str(&storage, address.ip, address.port) == 0 else {
      throw HTTPError(.invalidURL, "\(address): not a numeric address to listen on")
    }
    daemon = withUnsafePointer(to: &storage.u.sa) { socketAddress in
      var native = cmhd_settings(
        address: socketAddress, connections: UInt32(settings.maximumConnections),
        connections_per_ip: UInt32(settings.maximumConnectionsPerAddress),
        idle_seconds: UInt32(settings.idleSeconds), head_bytes: settings.maximumHeadBytes)
      return cmhd_start(
        &native, HTTPServerExchange.begin, HTTPServerExchange.access, HTTPServerExchange.completed,
        Unmanaged.passUnretained(self).toOpaque())
    }
    guard let daemon else {
      throw HTTPError(.refused, "cannot listen on \(address): \(String(cString: strerror(errno)))")
    }
    epoll = cmhd_epoll(daemon)
    let ready: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, me in
      guard let me else { return }
      Unmanaged<HTTPServer>.fromOpaque(me).takeUnretainedValue().assumeIsolated { $0.serve() }
    }
    guard fd_listen(epoll, Int32(FD_READ), ready, Unmanaged.passUnretained(self).toOpaque()) == 0 else {
      throw HTTPError(.busy, "the event loop has no room for the HTTP server")
    }
    return SocketAddress(ip: address.ip, port: cmhd_port(daemon))
  }

  /// Stops listening and ends every connection.
  public func close() {
    guard let daemon else { return }
    fd_close(epoll)
    timer.cancel()
    for connection in upgraded.values { connection.cut() }
    for exchange in exchanges.values { exchange.abandon() }
    MHD_run(daemon)
    self.daemon = nil
    MHD_stop_daemon(daemon)
  }

  isolated deinit { close() }

  /// Lets libmicrohttpd do what there is to do, and asks when it wants to be asked next.
  func serve() {
    guard let daemon, !isServing else { return }
    isServing = true
    MHD_run(daemon)
    isServing = false
    var milliseconds: UInt64 = 0
    guard MHD_get_timeout(daemon, &milliseconds) == .YES else { return timer.cancel() }
    timer.start(Int(clamping: milliseconds)) { [weak self] in self?.assumeIsolated { $0.serve() } }
  }

  // MARK: Exchanges

  func add(_ exchange: HTTPServerExchange) { exchanges[ObjectIdentifier(exchange)] = exchange }
  func remove(_ exchange: HTTPServerExchange) { exchanges[ObjectIdentifier(exchange)] = nil }
  func add(_ connection: UpgradedConnection) { upgraded[ObjectIdentifier(connection)] = connection }

  func remove(_ connection: UpgradedConnection) {
    upgraded[ObjectIdentifier(connection)] = nil
    // libmicrohttpd frees the connection at its next round, which must not be inside of this one.
    timer.start(0) { [weak self] in self?.assumeIsolated { $0.serve() } }
  }

  /// Runs the handler of a complete request; its answer wakes the suspended connection.
  func handle(_ exchange: HTTPServerExchange, _ request: HTTPServerRequest) {
    let limit = Duration.seconds(settings.handlerSeconds)
    exchange.task = Task { [handler] in
      let answer = OneShot<HTTPServerReply>()
      let work = Task { answer.resolve(await handler(request)) }
      let alarm = Task {
        try? await Task.sleep(for: limit)  // cancelled when the answer is there
        if !Task.isCancelled { answer.resolve(.text(503, "the handler took too long\n")) }
      }
      let reply = await answer.value(cancelled: .text(503, "cancelled\n"))
      work.cancel()
      alarm.cancel()
      exchange.resume(reply)
      serve()
    }
  }
}
