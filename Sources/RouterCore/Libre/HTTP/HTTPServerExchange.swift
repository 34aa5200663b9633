internal import CLibre
internal import CMicroHTTPD

/// One request inside libmicrohttpd, from its first line to the end of its answer. Lives on the server's loop.
final class HTTPServerExchange: @unchecked Sendable {
  unowned let server: HTTPServer
  private let target: String
  private var connection: OpaquePointer?
  private var request: HTTPServerRequest?
  private var body: [UInt8] = []
  private var isTooLarge = false
  private var isSuspended = false
  private var isQueued = false
  private var reply: HTTPServerReply?
  private var stream: HTTPServerStream?
  var task: Task<Void, Never>?

  init(_ server: HTTPServer, _ target: String) {
    self.server = server
    self.target = target
  }

  // MARK: libmicrohttpd's callbacks

  /// The request line was read: the exchange is made and travels as the request's context.
  static let begin:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
      UnsafeMutableRawPointer? = { me, target, _ in
        guard let me, let target else { return nil }
        let server = Unmanaged<HTTPServer>.fromOpaque(me).takeUnretainedValue()
        let exchange = HTTPServerExchange(server, String(cString: target))
        server.assumeIsolated { $0.add(exchange) }
        return Unmanaged.passRetained(exchange).toOpaque()
      }

  static let access: MHD_AccessHandlerCallback = { _, connection, _, method, _, data, count, context in
    guard let connection, let method, let count, let me = context?.pointee else { return .NO }
    let exchange = Unmanaged<HTTPServerExchange>.fromOpaque(me).takeUnretainedValue()
    return exchange.advance(connection, method, data, count)
  }

  static let completed: MHD_RequestCompletedCallback = { _, _, context, _ in
    guard let me = context?.pointee else { return }
    context?.pointee = nil
    let exchange = Unmanaged<HTTPServerExchange>.fromOpaque(me).takeRetainedValue()
    exchange.finish()
  }

  // MARK: Reading

  private func advance(
    _ connection: OpaquePointer, _ method: UnsafePointer<CChar>, _ data: UnsafePointer<CChar>?,
    _ count: UnsafeMutablePointer<Int>
  ) -> MHD_Result {
    guard request != nil else {
      self.connection = connection
      readHead(connection, String(cString: method))
      if let refusal = request?.ambiguity { return queue(refusal) }
      let length = request?.header("Content-Length").flatMap { Int($0) } ?? 0
      if length > server.settings.maximumBodyBytes {
        return queue(.text(413, "the body is longer than \(server.settings.maximumBodyBytes) bytes\n"))
      }
      return .YES
    }
    if count.pointee > 0 {
      take(UnsafeRawBufferPointer(start: data, count: count.pointee))
      count.pointee = 0
      return .YES
    }
    if isQueued { return .YES }
    if let reply { return queue(reply) }
    if isTooLarge {
      return queue(.text(413, "the body is longer than \(server.settings.maximumBodyBytes) bytes\n"))
    }
    guard var request else { return .NO }
    if server.assumeIsolated({ $0.isClosing }) { return queue(.text(503, "closing\n")) }
    request.body = body
    body = []
    isSuspended = true
    MHD_suspend_connection(connection)
    let whole = request
    server.assumeIsolated { $0.handle(self, whole) }
    return .YES
  }

  private func readHead(_ connection: OpaquePointer, _ method: String) {
    var headers: [Header] = []
    withUnsafeMutablePointer(to: &headers) { headers in
      _ = MHD_get_connection_values_n(
        connection, .HEADER_KIND,
        { headers, _, name, nameCount, value, valueCount in
          func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
            String(
              decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self)
          }
          headers?.assumingMemoryBound(to: [Header].self).pointee.append(
            Header(text(name, nameCount), text(value, valueCount)))
          return .YES
        }, headers)
    }
    request = HTTPServerRequest(
      method: method, target: target, headers: headers, remote: HTTPServerExchange.peer(connection),
      isSecure: server.settings.certificate != nil)
  }

  private static func peer(_ connection: OpaquePointer) -> SocketAddress {
    var address = sa()
    var text = [CChar](repeating: 0, count: 64)
    guard let peer = cmhd_peer(connection), sa_set_sa(&address, peer) == 0,
      sa_ntop(&address, &text, Int32(text.count)) == 0
    else { return SocketAddress(ip: "", port: 0) }
    let ip = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return SocketAddress(ip: ip, port: sa_port(&address))
  }

  private func take(_ bytes: UnsafeRawBufferPointer) {
    guard !isTooLarge, body.count + bytes.count <= server.settings.maximumBodyBytes else {
      isTooLarge = true
      body = []
      return
    }
    body.append(contentsOf: bytes)
  }

  // MARK: Answering

  /// The handler's answer is there: the connection goes on at the server's next round.
  func resume(_ reply: HTTPServerReply) {
    self.reply = reply
    wake()
  }

  /// Lets a suspended connection go on.
  func wake() {
    guard isSuspended, let connection else { return }
    isSuspended = false
    MHD_resume_connection(connection)
  }

  /// Has the connection wait for the next piece of a stream.
  func suspend() {
    guard !isSuspended, let connection, !server.assumeIsolated({ $0.isClosing }) else { return }
    isSuspended = true
    MHD_suspend_connection(connection)
  }

  /// The server is closing.
  func abandon() {
    task?.cancel()
    reply = reply ?? .text(503, "closing\n")
    stream?.end()
    wake()
  }

  private func finish() {
    task?.cancel()
    stream?.end()
    connection = nil
    server.assumeIsolated { $0.remove(self) }
  }

  private func queue(_ reply: HTTPServerReply) -> MHD_Result {
    guard let connection else { return .NO }
    isQueued = true
    let status: Int
    let response: OpaquePointer?
    switch reply {
    case .response(let answer):
      status = answer.status
      response = answer.body.withUnsafeBytes {
        MHD_create_response_from_buffer(
          $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
      }
      HTTPServerExchange.add(answer.headers, to: response)
    case .stream(let code, let headers, let pieces), .broken(let code, let headers, let pieces):
      status = code
      var isBroken = false
      if case .broken = reply { isBroken = true }
      let stream = HTTPServerStream(self, pieces, isBroken: isBroken)
      self.stream = stream
      response = stream.response()
      HTTPServerExchange.add(headers, to: response)
    case .webSocket(let name, let settings, let loop, let start):
      guard let request, let accept = WebSocketHandshake.acceptable(request) else {
        return queue(WebSocketHandshake.refusal)
      }
      status = 101
      response = UpgradedConnection.response(on: server, loop ?? server.loop, settings, start)
      var headers = [Header("Upgrade", "websocket"), Header("Sec-WebSocket-Accept", accept)]
      if let name { headers.append(Header("Sec-WebSocket-Protocol", name)) }
      HTTPServerExchange.add(headers, to: response)
    }
    guard let response else { return .NO }
    defer { MHD_destroy_response(response) }
    return MHD_queue_response(connection, UInt32(status), response)
  }

  private static func add(_ headers: [Header], to response: OpaquePointer?) {
    // libmicrohttpd writes the length itself and refuses a second one.
    for header in headers where header.name.lowercased() != "content-length" {
      MHD_add_response_header(response, header.name, header.value)
    }
  }
}

extension WebSocketHandshake {
  /// The accept value for a request that asks for a WebSocket as RFC 6455 section 4.2.1 wants it, else `nil`.
  static func acceptable(_ request: HTTPServerRequest) -> String? {
    guard request.method == "GET", request.lists("websocket", in: "Upgrade"),
      request.lists("upgrade", in: "Connection"), request.header("Sec-WebSocket-Version") == "13",
      let key = request.header("Sec-WebSocket-Key"), key.utf8.count == 24
    else { return nil }
    return accept(key: key)
  }

  /// What any other request gets where a WebSocket is: it says what would do (section 4.4, RFC 9110 section 15.5.22).
  static let refusal = HTTPServerReply.response(
    HTTPResponse(
      status: 426,
      headers: [
        Header("Upgrade", "websocket"), Header("Connection", "Upgrade"),
        Header("Sec-WebSocket-Version", "13"),
        Header("Content-Type", "text/plain; charset=utf-8"),
      ], body: Array("this address speaks WebSocket only (RFC 6455)\n".utf8)))
}
