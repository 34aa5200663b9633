/// A byte stream on a loop that a WebSocket runs over: opened by libcurl, or taken over from the HTTP server.
///
/// Lives on one loop: actors of that loop may hand it to each other, which the compiler cannot know.
protocol StreamConnection: AnyObject, Sendable {
  /// Calls `ready` whenever bytes can be read, and with `writing` also when some can be written. False when the loop
  /// has no room for another socket.
  func listen(writing: Bool, _ ready: @escaping () -> Void) -> Bool
  /// Stops calling; what arrives waits in the socket for the next ``listen(writing:_:)``.
  func pause()
  /// Reads what is there; TLS may hold more than the socket says, so read until `wouldBlock`.
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
