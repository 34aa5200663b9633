internal import CMicroHTTPD

/// The body of an answer that is made while it is sent. Lives on the server's loop.
final class HTTPServerStream: @unchecked Sendable {
  /// When more than this waits for a slow reader, the maker of the body is held up.
  private static let maximumWaiting = 256 << 10

  private weak var exchange: HTTPServerExchange?
  private let server: HTTPServer
  private var pieces: AsyncStream<[UInt8]>?
  private var waiting: [UInt8] = []
  private var room: OneShot<Void>?
  private var hasEnded = false
  private var reader: Task<Void, Never>?

  /// Whether the connection is cut where the body should end.
  private let isBroken: Bool

  init(_ exchange: HTTPServerExchange, _ pieces: AsyncStream<[UInt8]>, isBroken: Bool = false) {
    self.exchange = exchange
    self.isBroken = isBroken
    self.pieces = pieces
    server = exchange.server
  }

  /// A response of unknown length that reads from here; it keeps the stream alive until it is destroyed.
  func response() -> OpaquePointer? {
    if let pieces { reader = Task { await pump(pieces, on: server) } }
    pieces = nil
    return MHD_create_response_from_callback(
      UInt64.max, 16 << 10,
      { me, _, buffer, capacity in
        guard let me, let buffer else { return -1 }
        return Unmanaged<HTTPServerStream>.fromOpaque(me).takeUnretainedValue().fill(buffer, capacity)
      }, Unmanaged.passRetained(self).toOpaque(),
      { me in
        guard let me else { return }
        Unmanaged<HTTPServerStream>.fromOpaque(me).takeRetainedValue().end()
      })
  }

  private func pump(_ pieces: AsyncStream<[UInt8]>, on server: isolated HTTPServer) async {
    for await piece in pieces {
      if hasEnded { return }
      waiting += piece
      exchange?.wake()
      server.serve()
      if waiting.count > HTTPServerStream.maximumWaiting, !hasEnded {
        let room = OneShot<Void>()
        self.room = room
        await room.value(cancelled: ())
      }
    }
    hasEnded = true
    exchange?.wake()
    server.serve()
  }

  /// -1 is libmicrohttpd's end of the stream, -2 an error in it; 0 with the connection suspended is "later".
  private func fill(_ buffer: UnsafeMutablePointer<CChar>, _ capacity: Int) -> Int {
    guard !waiting.isEmpty else {
      if hasEnded { return isBroken ? -2 : -1 }
      exchange?.suspend()
      return 0
    }
    let count = min(capacity, waiting.count)
    waiting.withUnsafeBytes {
      UnsafeMutableRawPointer(buffer).copyMemory(from: $0.baseAddress!, byteCount: count)
    }
    waiting.removeFirst(count)
    if waiting.count < HTTPServerStream.maximumWaiting / 2 { room?.resolve(()) }
    return count
  }

  /// Nobody reads any more.
  func end() {
    hasEnded = true
    reader?.cancel()
    room?.resolve(())
  }
}
