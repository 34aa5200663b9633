internal import CCurl
internal import CLibre

/// Outbound HTTP on an event loop: libcurl's multi interface, whose sockets and timer live in libre's poll loop.
///
/// Connections are kept and reused; TLS verifies chain and host name; `HTTP_PROXY`-style variables are honoured;
/// redirects are not followed (a webhook that moves is a mistake to report). docs/decisions/0003-http.md says why
/// libcurl.
public actor HTTPClient: HTTPSending {
  nonisolated let loop: EventLoop
  private let settings: HTTPClientSettings
  private nonisolated(unsafe) let multi: OpaquePointer
  private nonisolated(unsafe) let timer = UnsafeMutablePointer<tmr>.allocate(capacity: 1)
  private var exchanges: [UnsafeMutableRawPointer: HTTPExchange] = [:]
  private var connections: [ObjectIdentifier: HTTPConnection] = [:]
  private var watches: [Int32: SocketWatch] = [:]
  private var isClosed = false

  /// The loop that the client's sockets live on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private static let initialiseCurl: Void = {
    precondition(curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, "libcurl cannot start")
  }()

  /// A client on `loop`. Call ``close()`` before the loop ends.
  // Stays in this module: the optimiser of Swift 6.3 would put it into the callers' code, ask there for the isolation of
  // the deinit below, and give up on a "circular reference" (release builds only).
  @_semantics("optimize.no.crossmodule")
  public init(on loop: EventLoop, settings: HTTPClientSettings = .init()) {
    _ = HTTPClient.initialiseCurl
    guard let multi = curl_multi_init() else { preconditionFailure("no memory for an HTTP client") }
    self.loop = loop
    self.settings = settings
    self.multi = OpaquePointer(multi)
    tmr_init(timer)
  }

  /// Performs one exchange. Cancelling the task ends it at once.
  public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
    let exchange = try begin(request, .response)
    let result = await exchange.outcome.value(
      cancelled: .failure(HTTPError(.cancelled, "cancelled")))
    remove(exchange)
    return try result.get()
  }

  /// Hands a request to libcurl. ``remove(_:)`` is owed.
  func begin(_ request: HTTPRequest, _ purpose: HTTPExchange.Purpose) throws(HTTPError) -> HTTPExchange {
    guard !isClosed else { throw HTTPError(.closed, "this HTTP client is closed") }
    guard exchanges.count < settings.maximumExchanges else {
      throw HTTPError(.busy, "more than \(settings.maximumExchanges) HTTP exchanges at once")
    }
    listenForCurl()
    let exchange = try HTTPExchange(request, settings, for: purpose)
    exchanges[exchange.easy] = exchange
    curl_multi_add_handle(handle, exchange.easy)
    return exchange
  }

  /// Opens a connection and leaves it to the caller: name look-up, proxies, TLS and its verification are done.
  /// It must be closed on this loop.
  func connect(_ request: HTTPRequest) async throws(HTTPError) -> HTTPConnection {
    let exchange = try begin(request, .connection)
    let result = await exchange.outcome.value(cancelled: .failure(HTTPError(.cancelled, "cancelled")))
    do throws(HTTPError) {
      _ = try result.get()
      let connection = try HTTPConnection(exchange) { [weak self] connection in
        self?.assumeIsolated { $0.forget(connection) }
      }
      connections[ObjectIdentifier(connection)] = connection
      return connection
    } catch {
      remove(exchange)
      throw error
    }
  }

  /// Ends every exchange and closes all connections.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    for connection in connections.values { connection.cut() }
    for exchange in exchanges.values {
      exchange.fail(HTTPError(.closed, "this HTTP client is closed"))
      remove(exchange)
    }
    curl_multi_cleanup(handle)
    tmr_cancel(timer)
    for fd in watches.keys { fd_close(fd) }
    watches = [:]
  }

  isolated deinit {
    close()
    timer.deallocate()
  }

  private var handle: UnsafeMutableRawPointer { UnsafeMutableRawPointer(multi) }

  func remove(_ exchange: HTTPExchange) {
    guard exchanges.removeValue(forKey: exchange.easy) != nil else { return }
    curl_multi_remove_handle(handle, exchange.easy)
  }

  private func forget(_ connection: HTTPConnection) {
    connections[ObjectIdentifier(connection)] = nil
    remove(connection.exchange)
  }

  // MARK: libcurl's sockets and timer in libre's loop

  private var isListening = false

  private func listenForCurl() {
    guard !isListening else { return }
    isListening = true
    ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, settings.maximumIdleConnections)
    ccurl_multi_set_long(handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.maximumConnections)
    ccurl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, settings.maximumConnectionsPerHost)
    ccurl_multi_handlers(
      handle,
      { _, fd, what, me, _ in
        HTTPClient.at(me) { $0.watch(fd, what) }
        return 0
      },
      { _, milliseconds, me in
        HTTPClient.at(me) { $0.schedule(milliseconds) }
        return 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Re-enters the actor from a C callback on its loop.
  private static func at(_ me: UnsafeMutableRawPointer?, _ body: @Sendable (isolated HTTPClient) -> Void) {
    guard let me else { return }
    Unmanaged<HTTPClient>.fromOpaque(me).takeUnretainedValue().assumeIsolated { body($0) }
  }

  private func watch(_ fd: Int32, _ what: Int32) {
    guard what != CURL_POLL_REMOVE else {
      fd_close(fd)
      watches[fd] = nil
      return
    }
    let watch = watches[fd] ?? SocketWatch(self, fd)
    watches[fd] = watch
    var flags = 0
    if what & CURL_POLL_IN != 0 { flags |= Int(FD_READ) }
    if what & CURL_POLL_OUT != 0 { flags |= Int(FD_WRITE) }
    let ready: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { flags, watch in
      guard let watch else { return }
      let socket = Unmanaged<SocketWatch>.fromOpaque(watch).takeUnretainedValue()
      let fd = socket.fd
      socket.client.assumeIsolated { $0.act(fd, Int(flags)) }
    }
    if fd_listen(fd, Int32(flags), ready, Unmanaged.passUnretained(watch).toOpaque()) != 0 {
      act(CURL_SOCKET_TIMEOUT, 0)  // no room in the loop: libcurl's own deadline ends the exchange
    }
  }

  private func schedule(_ milliseconds: Int) {
    guard milliseconds >= 0 else { return tmr_cancel(timer) }
    let expired: @convention(c) (UnsafeMutableRawPointer?) -> Void = { me in
      HTTPClient.at(me) { $0.act(CURL_SOCKET_TIMEOUT, 0) }
    }
    tmr_start(timer, UInt64(milliseconds), expired, Unmanaged.passUnretained(self).toOpaque())
  }

  private func act(_ fd: Int32, _ flags: Int) {
    var events: Int32 = 0
    if flags & Int(FD_READ) != 0 { events |= CURL_CSELECT_IN }
    if flags & Int(FD_WRITE) != 0 { events |= CURL_CSELECT_OUT }
    if flags & Int(FD_EXCEPT) != 0 { events |= CURL_CSELECT_ERR }
    var running: Int32 = 0
    curl_multi_socket_action(handle, fd, events, &running)
    var result = CURLE_OK
    while let easy = ccurl_multi_next_done(handle, &result) {
      exchanges[easy]?.finish(result)
    }
  }
}

/// Names a socket in libre's handler, which is told no descriptor.
private final class SocketWatch {
  unowned let client: HTTPClient
  let fd: Int32
  init(_ client: HTTPClient, _ fd: Int32) {
    self.client = client
    self.fd = fd
  }
}
