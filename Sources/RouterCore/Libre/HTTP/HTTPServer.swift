internal import CLibre
internal import CMicroHTTPD
internal import Glibc

/// An HTTP and WebSocket server on an event loop: libmicrohttpd, whose epoll descriptor sits in libre's loop. With a
/// certificate, TLS ends in front of it (``TLSListener``).
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
  /// Nothing may wait any more: libmicrohttpd ends the process when it is stopped with a suspended connection.
  private(set) var isClosing = false
  private(set) var front: TLSListener?
  private var lastIsGone: OneShot<Void>?

  /// The loop that the server's sockets live on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// A server that does not listen yet.
  // Stays in this module, as HTTPClient's does: release builds of others would fail for its isolated deinit.
  @_semantics("optimize.no.crossmodule")
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
    guard let storage = sa(address) else {
      throw HTTPError(.invalidURL, "\(address): not a numeric address to listen on")
    }
    let context: TLSServerContext? =
      if let files = settings.certificate { try TLSServerContext(files) } else { nil }
    daemon = HTTPServer.daemon(settings, storage, hasSocket: context == nil, self)
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
    guard let context else { return SocketAddress(ip: address.ip, port: cmhd_port(daemon)) }
    let listener = TLSListener(settings, context) { [unowned self] fd, peer in
      assumeIsolated { $0.adopt(fd, peer) }
    }
    front = listener
    return SocketAddress(ip: address.ip, port: try listener.open(storage))
  }

  private static func daemon(
    _ settings: HTTPServerSettings, _ storage: sa, hasSocket: Bool, _ server: HTTPServer
  ) -> OpaquePointer? {
    storage.withSocketAddress { socketAddress in
      var native = cmhd_settings(
        address: hasSocket ? socketAddress : nil, connections: UInt32(clamping: settings.maximumConnections),
        connections_per_ip: UInt32(clamping: settings.maximumConnectionsPerAddress),
        idle_seconds: UInt32(clamping: settings.idleSeconds), head_bytes: settings.maximumHeadBytes)
      return cmhd_start(
        &native, HTTPServerExchange.begin, HTTPServerExchange.access, HTTPServerExchange.completed,
        Unmanaged.passUnretained(server).toOpaque())
    }
  }

  /// Takes a plain connection whose TLS ends in front of us.
  private func adopt(_ fd: Int32, _ peer: sa) -> Bool {
    guard let daemon else { return false }
    let isTaken = peer.withSocketAddress { MHD_add_connection(daemon, fd, $0, peer.len) == .YES }
    if isTaken { serve() }
    return isTaken
  }

  /// Reads the certificate's files anew, for the connections to come. Throws, and keeps the old one, when they are no
  /// good.
  public func reloadCertificate() throws(HTTPError) {
    guard let files = settings.certificate, let front else { return }
    front.context = try TLSServerContext(files)
  }

  /// Stops listening and ends every connection; returns when the last is gone.
  public func close() async {
    guard daemon != nil else { return }
    front?.close()
    if !upgraded.isEmpty {
      let gone = OneShot<Void>()
      lastIsGone = gone
      for connection in upgraded.values { connection.cut() }
      await gone.value(cancelled: ())
    }
    stop()
  }

  private func stop() {
    guard let daemon else { return }
    front?.close()
    fd_close(epoll)
    timer.cancel()
    isClosing = true
    for exchange in exchanges.values { exchange.abandon() }
    MHD_run(daemon)
    self.daemon = nil
    MHD_stop_daemon(daemon)
  }

  // Connections that were upgraded keep their server: there are none here.
  isolated deinit { stop() }

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
    if upgraded.isEmpty { lastIsGone?.resolve(()) }
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

extension sa {
  /// The whole address as the system reads it. The union's member `u.sa` would be a copy of its first 16 bytes: too short for IPv6.
  fileprivate func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
    withUnsafeBytes(of: self) { whole in
      // A value has an address.
      body(whole.baseAddress!.assumingMemoryBound(to: sockaddr.self))
    }
  }
}
