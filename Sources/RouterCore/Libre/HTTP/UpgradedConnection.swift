internal import CLibre
internal import CMicroHTTPD
internal import Glibc

/// A socket that libmicrohttpd handed over after a 101. Lives on the loop of its WebSocket; libmicrohttpd is told of the
/// end on its own.
final class UpgradedConnection: StreamConnection, @unchecked Sendable {
  private let server: HTTPServer
  private let loop: EventLoop
  private let fd: Int32
  private let handle: OpaquePointer
  /// What the bytes really go through, when TLS ends with us.
  private let secure: TLSConnection?
  private var ready: (() -> Void)?
  private var isClosed = false

  private init(
    _ server: HTTPServer, _ loop: EventLoop, _ fd: Int32, _ handle: OpaquePointer, _ secure: TLSConnection?
  ) {
    self.server = server
    self.loop = loop
    self.fd = fd
    self.handle = handle
    self.secure = secure
  }

  /// What travels through libmicrohttpd to the moment of the upgrade.
  private final class Order {
    let server: HTTPServer
    let loop: EventLoop
    let settings: WebSocketSettings
    let start: @Sendable (WebSocket) async -> Void
    init(
      _ server: HTTPServer, _ loop: EventLoop, _ settings: WebSocketSettings,
      _ start: @escaping @Sendable (WebSocket) async -> Void
    ) {
      self.server = server
      self.loop = loop
      self.settings = settings
      self.start = start
    }
  }

  /// A 101 that turns the connection into a WebSocket on `loop` and gives it to `start`.
  static func response(
    on server: HTTPServer, _ loop: EventLoop, _ settings: WebSocketSettings,
    _ start: @escaping @Sendable (WebSocket) async -> Void
  ) -> OpaquePointer? {
    let order = Unmanaged.passRetained(Order(server, loop, settings, start)).toOpaque()
    let response = MHD_create_response_for_upgrade(
      { order, _, _, extra, extraCount, fd, handle in
        guard let order, let handle else { return }
        let taken = Unmanaged<Order>.fromOpaque(order).takeRetainedValue()
        let rest = Array(UnsafeRawBufferPointer(start: extra, count: extra == nil ? 0 : extraCount))
        UpgradedConnection.begin(taken, fd, handle, rest)
      }, order)
    if response == nil { Unmanaged<Order>.fromOpaque(order).release() }
    return response
  }

  private static func begin(_ order: Order, _ fd: Int32, _ handle: OpaquePointer, _ rest: [UInt8]) {
    let server = order.server
    var rest = rest
    let secure = server.assumeIsolated { server in
      server.front.flatMap { front in
        front.release(fd)?.takeOver(fd, rest: &rest) { peer in
          server.loop.execute { server.assumeIsolated { $0.front?.leave(peer) } }
        }
      }
    }
    let connection = UpgradedConnection(server, order.loop, fd, handle, secure)
    server.assumeIsolated { $0.add(connection) }
    if secure == nil {
      _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
      var on: Int32 = 1  // small frames must not wait for acknowledgements
      setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    let (settings, start) = (order.settings, order.start)
    let socket = WebSocket(.server, connection, rest: rest, on: order.loop, settings)
    Task { await start(socket) }
  }

  func listen(writing: Bool, _ ready: @escaping () -> Void) -> Bool {
    guard !isClosed else { return false }
    if let secure { return secure.listen(writing: writing, ready) }
    self.ready = ready
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, me in
      guard let me else { return }
      Unmanaged<UpgradedConnection>.fromOpaque(me).takeUnretainedValue().ready?()
    }
    let flags = Int32(FD_READ) | (writing ? Int32(FD_WRITE) : 0)
    return fd_listen(fd, flags, handler, Unmanaged.passUnretained(self).toOpaque()) == 0
  }

  var isPlain: Bool { secure == nil }

  func pause() {
    if let secure { return secure.pause() }
    ready = nil
    if !isClosed { fd_close(fd) }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamProgress {
    guard !isClosed else { return .closed("closed") }
    if let secure { return secure.read(into: buffer) }
    return PlainSocket.read(fd, into: buffer)
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> StreamProgress {
    guard !isClosed else { return .closed("closed") }
    if let secure { return secure.write(bytes) }
    return PlainSocket.write(fd, bytes)
  }

  /// Closes from the server's side and lets the owner notice. From the server's loop.
  func cut() {
    if loop.isCurrent { cutHere() } else { loop.execute { [self] in cutHere() } }
  }

  private func cutHere() {
    let owner = secure == nil ? ready : secure?.owner
    close()
    owner?()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    ready = nil
    if let secure { secure.close() } else { fd_close(fd) }
    if server.loop.isCurrent { release() } else { server.loop.execute { [self] in release() } }
  }

  private func release() {
    cmhd_close_upgraded(handle)
    server.assumeIsolated { $0.remove(self) }
  }
}
