internal import CCurl
internal import CLibre

/// A connection that libcurl opened, with or without TLS. Lives on the client's loop.
final class HTTPConnection: StreamConnection, @unchecked Sendable {
  let exchange: HTTPExchange
  private let release: (HTTPConnection) -> Void
  private let fd: Int32
  private var ready: (() -> Void)?
  private var isClosed = false
  let isPlain: Bool

  init(_ exchange: HTTPExchange, release: @escaping (HTTPConnection) -> Void) throws(HTTPError) {
    self.exchange = exchange
    self.release = release
    isPlain = exchange.isPlain
    fd = ccurl_get_socket(exchange.easy)
    guard fd >= 0 else { throw HTTPError(.refused, "the connection was lost at once") }
  }

  deinit {
    precondition(isClosed, "a connection is closed before it is forgotten")
  }

  func listen(writing: Bool, _ ready: @escaping () -> Void) -> Bool {
    guard !isClosed else { return false }
    self.ready = ready
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, me in
      guard let me else { return }
      Unmanaged<HTTPConnection>.fromOpaque(me).takeUnretainedValue().ready?()
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
    // libcurl would look through all its connections for this one, and then do the same.
    if isPlain { return PlainSocket.read(fd, into: buffer) }
    var count = 0
    switch curl_easy_recv(exchange.easy, buffer.baseAddress, buffer.count, &count) {
    case CURLE_OK: return count == 0 ? .closed("the other side closed the connection") : .bytes(count)
    case CURLE_AGAIN: return .wouldBlock
    case let code: return .closed(String(cString: curl_easy_strerror(code)))
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> StreamProgress {
    guard !isClosed else { return .closed("closed") }
    if isPlain { return PlainSocket.write(fd, bytes) }
    var count = 0
    switch curl_easy_send(exchange.easy, bytes.baseAddress, bytes.count, &count) {
    case CURLE_OK: return .bytes(count)
    case CURLE_AGAIN: return .wouldBlock
    case let code: return .closed(String(cString: curl_easy_strerror(code)))
    }
  }

  /// Closes from the client's side and lets the owner notice.
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
    release(self)
  }
}
