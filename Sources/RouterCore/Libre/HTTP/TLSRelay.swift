internal import CLibre
internal import CLibreShim
internal import Glibc

/// One TLS connection in front of libmicrohttpd, which gets the plain bytes through a pair of sockets.
///
/// Both directions have a small buffer, and nobody is read whose bytes would not fit. A WebSocket takes the TLS
/// connection over (``takeOver(_:rest:)``), so its frames make no detour.
final class TLSRelay {
  /// How much may wait in each direction.
  private static let room = 64 << 10

  let peer: sa
  private var stream: TLSStream?
  /// Our end of the pair; libmicrohttpd has the other.
  private var inner: Int32 = -1
  /// The other end's number, while this relay lives.
  private(set) var outerEnd: Int32 = -1
  private var inward: [UInt8] = []
  private var outward: [UInt8] = []
  private var hasPeerEnded = false
  private var hasInnerEnded = false
  private var isUp = false
  private let deadline = LoopTimer()
  private var watched: (stream: Int, inner: Int) = (0, 0)
  private var buffer: [UInt8]

  /// Gives the other end to libmicrohttpd when the handshake is done; false when it does not want it.
  var established: ((TLSRelay, Int32) -> Bool)?
  /// It is at its end, and must be forgotten. Called once, never inside ``takeOver(_:rest:)``.
  var ended: ((TLSRelay) -> Void)?

  init(_ stream: TLSStream, peer: sa) {
    self.stream = stream
    self.peer = peer
    buffer = [UInt8](repeating: 0, count: 16 << 10)
  }

  /// Begins the handshake, which may take so long.
  func start(_ handshakeSeconds: Int) {
    deadline.start(handshakeSeconds * 1000) { [unowned self] in end() }
    advance()
  }

  deinit { close() }

  /// Closes both sides without telling.
  func close() {
    deadline.cancel()
    ended = nil
    unwatch()
    stream = nil
    if inner >= 0 { _ = Glibc.close(inner) }
    inner = -1
  }

  private func end() {
    let ended = ended
    close()
    ended?(self)
  }

  // MARK: The handshake

  private func shakeHands() -> Bool {
    guard let stream else { return false }
    switch stream.handshake() {
    case .wouldBlock: return false
    case .closed:
      end()
      return false
    case .bytes:
      deadline.cancel()
      isUp = true
      var pair: [Int32] = [-1, -1]
      guard shim_socket_pair(&pair) == 0 else {
        end()
        return false
      }
      inner = pair[0]
      outerEnd = pair[1]
      if established?(self, pair[1]) != true {
        end()
        return false
      }
      return self.stream != nil  // serving may have ended it
    }
  }

  // MARK: Relaying

  private func advance() {
    if !isUp, !shakeHands() { return watch() }
    var isMoving = true
    while isMoving, stream != nil {
      isMoving = readPeer()
      isMoving = writeInner() || isMoving
      isMoving = readInner() || isMoving
      isMoving = writePeer() || isMoving
    }
    guard stream != nil else { return }
    if hasPeerEnded, inward.isEmpty { shutdown(inner, Int32(SHUT_WR)) }
    if hasInnerEnded, outward.isEmpty { return end() }
    watch()
  }

  /// Each of the four returns whether bytes moved.
  private func readPeer() -> Bool {
    guard let stream, !hasPeerEnded, inward.count < TLSRelay.room else { return false }
    switch buffer.withUnsafeMutableBytes({ stream.read(into: $0) }) {
    case .bytes(let count):
      inward += buffer[..<count]
      return true
    case .wouldBlock: return false
    case .closed:
      hasPeerEnded = true
      return false
    }
  }

  private func writeInner() -> Bool {
    guard stream != nil, !inward.isEmpty else { return false }
    let count = inward.withUnsafeBytes { send(inner, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    guard count > 0 else {
      if errno != EAGAIN { end() }
      return false
    }
    inward.removeFirst(count)
    return true
  }

  private func readInner() -> Bool {
    guard stream != nil, !hasInnerEnded, outward.count < TLSRelay.room else { return false }
    let count = buffer.withUnsafeMutableBytes { recv(inner, $0.baseAddress, $0.count, 0) }
    if count > 0 {
      outward += buffer[..<count]
      return true
    }
    if count == 0 || errno != EAGAIN { hasInnerEnded = true }
    return false
  }

  private func writePeer() -> Bool {
    guard let stream, !outward.isEmpty else { return false }
    switch outward.withUnsafeBytes({ stream.write($0) }) {
    case .bytes(let count):
      outward.removeFirst(count)
      return true
    case .wouldBlock: return false
    case .closed:
      end()
      return false
    }
  }

  // MARK: Watching

  private func watch() {
    guard let stream else { return }
    var flags = (stream: 0, inner: 0)
    if !isUp {
      flags.stream = Int(stream.wantsWrite ? FD_WRITE : FD_READ)
    } else {
      if inward.count < TLSRelay.room, !hasPeerEnded { flags.stream |= Int(FD_READ) }
      if !outward.isEmpty { flags.stream |= Int(FD_WRITE) }
      if outward.count < TLSRelay.room, !hasInnerEnded { flags.inner |= Int(FD_READ) }
      if !inward.isEmpty { flags.inner |= Int(FD_WRITE) }
    }
    listen(stream.fd, flags.stream, &watched.stream)
    if inner >= 0 { listen(inner, flags.inner, &watched.inner) }
  }

  private func listen(_ fd: Int32, _ flags: Int, _ before: inout Int) {
    guard flags != before else { return }
    before = flags
    if flags == 0 { return fd_close(fd) }
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, me in
      guard let me else { return }
      Unmanaged<TLSRelay>.fromOpaque(me).takeUnretainedValue().advanceSafely()
    }
    // Without room in the loop nothing moves, and libmicrohttpd's time limit ends the connection.
    _ = fd_listen(fd, Int32(flags), handler, Unmanaged.passUnretained(self).toOpaque())
  }

  /// The owner may let go of the relay while it is called.
  private func advanceSafely() {
    withExtendedLifetime(self) { advance() }
  }

  private func unwatch() {
    if watched.stream != 0, let stream { fd_close(stream.fd) }
    if watched.inner != 0 { fd_close(inner) }
    watched = (0, 0)
  }

  // MARK: A WebSocket takes over

  /// Gives the TLS connection away, with what is still on its way in both directions. The relay is of no use then.
  ///
  /// - Parameters:
  ///   - other: libmicrohttpd's end of the pair.
  ///   - rest: What libmicrohttpd had read beyond the request; bytes that it had not read are added.
  func takeOver(_ other: Int32, rest: inout [UInt8], released: @escaping (String) -> Void)
    -> TLSConnection?
  {
    guard let stream else { return nil }
    let address = peer.ip
    TLSRelay.drain(inner, into: &outward)
    TLSRelay.drain(other, into: &rest)
    rest += inward
    let connection = TLSConnection(stream, pending: outward) { released(address) }
    close()
    return connection
  }

  private static func drain(_ fd: Int32, into bytes: inout [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while case let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
      bytes += buffer[..<count]
    }
  }
}
