internal import CLibre
internal import CMicroHTTPD
internal import Glibc

/// A socket that libmicrohttpd handed over after a 101. Lives on the server's loop.
final class UpgradedConnection: StreamConnection, @unchecked Sendable {
  private let server: HTTPServer
  private let fd: Int32
  private let handle: OpaquePointer
  private var ready: (() -> Void)?
  private var isClosed = false

  private init(_ server: HTTPServer, _ fd: Int32, _ handle: OpaquePointer) {
    self.server = server
    self.fd = fd
    self.handle = handle
  }

  /// What travels through libmicrohttpd to the moment of the upgrade.
  private final class Order {
    let server: HTTPServer
    let settings: WebSocketSettings
    let start: @Sendable (WebSocket) async -> Void
    init(
      _ server: HTTPServer, _ settings: WebSocketSettings,
      _ start: @escaping @Sendable (WebSocket) async -> Void
    ) {
      self.server = server
      self.settings = settings
      self.start = start
    }
  }

  /// A 101 that turns the connection into a WebSocket and gives it to `start`.
  static func response(
    on server: HTTPServer, _ settings: WebSocketSettings,
    _ start: @escaping @Sendable (WebSocket) async -> Void
  ) -> OpaquePointer? {
    let order = Unmanaged.passRetained(Order(server, settings, start)).toOpaque()
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
    let connection = UpgradedConnection(order.server, fd, handle)
    _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
    var on: Int32 = 1  // small frames must not wait for acknowledgements
    setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    order.server.assumeIsolated { $0.add(connection) }
    let socket = WebSocket(.server, connection, rest: rest, on: order.server.loop, order.settings)
    let start = order.start
    Task { await start(socket) }
  }

  func listen(writing: Bool, _ ready: @escaping () -> Void) -> Bool {
    guard !isClosed else { return false }
    self.ready = ready
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, me in
      guard let me else { return }
      Unmanaged<UpgradedConnection>.fromOpaque(me).takeUnretainedValue().ready?()
    }
    let flags = Int32(FD_READ) | (writing ? Int32(FD_WRITE) : 0)
    return fd_listen(fd, flags, handler, Unmanaged.passUnretained(self).toOpaque()) == 0
  }

  func pause() {
    ready = nil
    if !isClosed { fd_close(fd) }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamProgress {
    guard !isClosed else { return .closed("closed") }
    let count = recv(fd, buffer.baseAddress, buffer.count, 0)
    if count > 0 { return .bytes(count) }
    if count == 0 { return .closed("the other side closed the connection") }
    return UpgradedConnection.failure()
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> StreamProgress {
    guard !isClosed else { return .closed("closed") }
    let count = Glibc.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    return count >= 0 ? .bytes(count) : UpgradedConnection.failure()
  }

  private static func failure() -> StreamProgress {
    let code = errno
    if code == EAGAIN || code == EINTR { return .wouldBlock }
    return .closed(String(cString: strerror(code)))
  }

  /// Closes from the server's side and lets the owner notice.
  func cut() {
    let owner = ready
    close()
    owner?()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    ready = nil
    fd_close(fd)
    cmhd_close_upgraded(handle)
    server.assumeIsolated { $0.remove(self) }
  }
}
