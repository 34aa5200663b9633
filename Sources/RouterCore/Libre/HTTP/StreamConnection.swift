internal import Glibc

/// A byte stream on a loop that a WebSocket runs over: opened by libcurl, or taken over from the HTTP server.
///
/// Lives on one loop: actors of that loop may hand it to each other, which the compiler cannot know.
protocol StreamConnection: AnyObject, Sendable {
  /// Calls `ready` whenever bytes can be read, and with `writing` also when some can be written. False when the loop
  /// has no room for another socket.
  func listen(writing: Bool, _ ready: @escaping () -> Void) -> Bool
  /// Stops calling; what arrives waits in the socket for the next ``listen(writing:_:)``.
  func pause()
  /// Whether these are the socket's own bytes: then a read that was not filled has emptied it. TLS may hold more than the
  /// socket says.
  var isPlain: Bool { get }
  /// Reads what is there; read until `wouldBlock`, or until ``isPlain`` says that there is no more.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamProgress
  /// Writes as much as goes.
  func write(_ bytes: UnsafeRawBufferPointer) -> StreamProgress
  /// Closes. Nothing is called afterwards.
  func close()
}

/// What one attempt to read or write came to.
enum StreamProgress: Equatable {
  case bytes(Int)
  case wouldBlock
  case closed(String)
}

/// The bytes of a socket without TLS.
enum PlainSocket {
  static func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> StreamProgress {
    let count = recv(fd, buffer.baseAddress, buffer.count, 0)
    if count > 0 { return .bytes(count) }
    return count == 0 ? .closed("the other side closed the connection") : failure()
  }

  static func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> StreamProgress {
    let count = Glibc.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    return count >= 0 ? .bytes(count) : failure()
  }

  private static func failure() -> StreamProgress {
    let code = errno
    if code == EAGAIN || code == EINTR { return .wouldBlock }
    return .closed(String(cString: strerror(code)))
  }
}
