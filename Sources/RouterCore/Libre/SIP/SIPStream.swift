internal import CLibre
internal import CLibreShim
internal import Glibc

/// One TCP or TLS connection that carries SIP.
final class SIPStream {
  let number: UInt64
  let transport: SIPTransport
  let listener: Int
  let remote: sa
  private(set) var local = sa()
  /// The name that the peer's certificate was checked for, of a connection that we opened.
  let peerName: String?
  let isOutgoing: Bool

  private(set) var isEstablished = false
  private var connection: OpaquePointer?
  private var secured: OpaquePointer?
  private var framer: SIPStreamFramer
  private var queue: [[UInt8]] = []
  private var queuedBytes = 0
  private let limits: SIPLimits
  /// Runs while the first message, or the rest of one, is waited for.
  private let deadline = LoopTimer()
  private let idle = LoopTimer()
  private var lastActivity = ContinuousClock.now
  private var isClosed = false

  /// What came; the owner may close the stream while it is called.
  var received: ((SIPStreamFramer.Item) -> Void)?
  /// The stream is at its end, with an error number. Called once, never by ``close()``.
  var closed: ((Int32) -> Void)?

  private init(
    number: UInt64, transport: SIPTransport, listener: Int, remote: sa, peerName: String?, isOutgoing: Bool,
    limits: SIPLimits
  ) {
    self.number = number
    self.transport = transport
    self.listener = listener
    self.remote = remote
    self.peerName = peerName
    self.isOutgoing = isOutgoing
    self.limits = limits
    framer = SIPStreamFramer(limit: limits.messageBytes)
  }

  deinit { release() }

  /// Takes the connection that waits on a listening socket. `nil` when it is gone already.
  static func accept(
    from socket: OpaquePointer, tls: OpaquePointer?, number: UInt64, listener: Int, remote: sa,
    limits: SIPLimits
  ) -> SIPStream? {
    let stream = SIPStream(
      number: number, transport: tls == nil ? .tcp : .tls, listener: listener, remote: remote, peerName: nil,
      isOutgoing: false, limits: limits)
    let argument = Unmanaged.passUnretained(stream).toOpaque()
    guard tcp_accept(&stream.connection, socket, onEstablished, onReceived, onClosed, argument) == 0 else {
      return nil
    }
    guard stream.prepare(tls: tls) else { return nil }
    stream.deadline.start(after: limits.firstMessage) { [unowned stream] in stream.end(ETIMEDOUT) }
    return stream
  }

  /// Opens a connection. `tls` is the context of this connection alone.
  static func connect(
    to remote: sa, tls: OpaquePointer?, peerName: String?, number: UInt64, listener: Int, limits: SIPLimits
  ) -> SIPStream? {
    let stream = SIPStream(
      number: number, transport: tls == nil ? .tcp : .tls, listener: listener, remote: remote,
      peerName: peerName, isOutgoing: true, limits: limits)
    let argument = Unmanaged.passUnretained(stream).toOpaque()
    var peer = remote
    guard tcp_connect(&stream.connection, &peer, onEstablished, onReceived, onClosed, argument) == 0,
      stream.prepare(tls: tls)
    else { return nil }
    stream.deadline.start(after: limits.firstMessage) { [unowned stream] in stream.end(ETIMEDOUT) }
    return stream
  }

  private func prepare(tls: OpaquePointer?) -> Bool {
    guard tcp_conn_local_get(connection, &local) == 0 else { return false }
    tcp_conn_txqsz_set(connection, limits.sendQueueBytes)
    // SIP messages are small and wait for each other: Nagle's delay would hold each of them back.
    set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    // A peer that vanished without a word is noticed: in silence after two minutes, with a message of ours under way
    // when that is as old as a transaction gets.
    set(SOL_SOCKET, SO_KEEPALIVE, 1)
    set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
    set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
    set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 32_000)
    if let tls {
      guard tls_start_tcp(&secured, tls, connection, 0) == 0 else { return false }
      if let peerName, shim_tls_name(secured, peerName) != 0 { return false }
    }
    return true
  }

  private func set(_ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(tcp_conn_fd(connection), level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Sends now, or as soon as the connection is up. Returns an error number.
  func send(_ bytes: [UInt8]) -> Int32 {
    guard !isClosed else { return ECONNRESET }
    guard isEstablished else {
      guard queuedBytes + bytes.count <= limits.sendQueueBytes else { return ENOSPC }
      queue.append(bytes)
      queuedBytes += bytes.count
      return 0
    }
    lastActivity = .now
    guard let buffer = mbuf_alloc(max(1, bytes.count)) else { return ENOMEM }
    defer { mem_deref(buffer) }
    mbuf_write_mem(buffer, bytes, bytes.count)
    mbuf_set_pos(buffer, 0)
    return tcp_send(connection, buffer)
  }

  /// Ends the connection without telling the owner.
  func close() {
    isClosed = true
    received = nil
    closed = nil
    deadline.cancel()
    idle.cancel()
    release()
  }

  private func release() {
    // The TLS layer refers to the connection: it goes first.
    secured = OpaquePointer(mem_deref(UnsafeMutableRawPointer(secured)))
    connection = OpaquePointer(mem_deref(UnsafeMutableRawPointer(connection)))
  }

  private func end(_ error: Int32) {
    guard !isClosed else { return }
    let closed = self.closed
    close()
    closed?(error)
  }

  // MARK: What libre reports

  private static let onEstablished: @convention(c) (UnsafeMutableRawPointer?) -> Void = { argument in
    guard let argument else { return }
    Unmanaged<SIPStream>.fromOpaque(argument).takeUnretainedValue().established()
  }

  private static let onReceived:
    @convention(c) (UnsafeMutablePointer<mbuf>?, UnsafeMutableRawPointer?) -> Void =
      { buffer, argument in
        guard let buffer, let argument else { return }
        Unmanaged<SIPStream>.fromOpaque(argument).takeUnretainedValue().arrived(buffer)
      }

  private static let onClosed: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { error, argument in
    guard let argument else { return }
    Unmanaged<SIPStream>.fromOpaque(argument).takeUnretainedValue().end(error == 0 ? ECONNRESET : error)
  }

  private func established() {
    isEstablished = true
    if isOutgoing { deadline.cancel() }
    watchIdle()
    let waiting = queue
    queue = []
    queuedBytes = 0
    for bytes in waiting where !isClosed {
      let error = send(bytes)
      if error != 0 { end(error) }
    }
  }

  private func arrived(_ buffer: UnsafeMutablePointer<mbuf>) {
    guard !isClosed, let bytes = mbuf_buf(buffer) else { return }
    lastActivity = .now
    framer.append(UnsafeRawBufferPointer(start: bytes, count: mbuf_get_left(buffer)))
    var hasMessage = false
    while !isClosed, let item = framer.next() {
      if case .message = item { hasMessage = true }
      received?(item)
    }
    guard !isClosed else { return }
    if framer.isInMessage {
      // The clock of a message starts with its first byte; more bytes do not set it back.
      if hasMessage || !deadline.isRunning {
        deadline.start(after: limits.partialMessage) { [unowned self] in end(ETIMEDOUT) }
      }
    } else if hasMessage {
      deadline.cancel()
    }
  }

  private func watchIdle() {
    let rest = limits.idle - (.now - lastActivity)
    guard rest > .zero else { return end(ETIMEDOUT) }
    idle.start(after: rest) { [unowned self] in watchIdle() }
  }
}
