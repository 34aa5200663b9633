/// The part of a streamed body that was received and not read yet. Lives on the client's loop.
final class HTTPBodyBuffer {
  /// Above this libcurl is told to wait; it then stops to read the socket.
  static let enough = 64 << 10

  /// Why a reader goes on.
  enum Wake: Sendable { case ready, late, cancelled }

  private var bytes: [UInt8] = []
  private var waiter: OneShot<Wake>?
  /// How the body ended: whole, or not.
  private(set) var end: Result<Void, HTTPError>?

  var isEmpty: Bool { bytes.isEmpty }
  var isFull: Bool { bytes.count >= HTTPBodyBuffer.enough }

  func add(_ piece: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: piece)
    wake()
  }

  /// Nothing more comes. The first end counts.
  func finish(_ result: Result<Void, HTTPError>) {
    if end == nil { end = result }
    wake()
  }

  /// All that is there; `nil` when that is nothing.
  func take() -> [UInt8]? {
    guard !bytes.isEmpty else { return nil }
    defer { bytes = [] }
    return bytes
  }

  /// Something to wait for. A second reader sends the first one away.
  func wait() -> OneShot<Wake> {
    waiter?.resolve(.cancelled)
    let waiter = OneShot<Wake>()
    self.waiter = waiter
    return waiter
  }

  private func wake() {
    waiter?.resolve(.ready)
    waiter = nil
  }
}
