internal import CLibre
internal import CLibreShim
internal import Glibc

/// A TLS context of a server: a certificate and its key, read once.
final class TLSServerContext {
  fileprivate let pointer: OpaquePointer

  /// Throws when the files cannot be used.
  init(_ files: CertificateFiles) throws(HTTPError) {
    var context: OpaquePointer?
    guard shim_tls_server(&context, nil, files.certificate, files.key) == 0, let context else {
      let key = files.key.map { " with the key \($0)" } ?? ""
      throw HTTPError(.untrusted, "cannot use the certificate \(files.certificate)\(key)")
    }
    pointer = context
  }

  deinit { mem_deref(UnsafeMutableRawPointer(pointer)) }
}

/// The server's side of a TLS connection. It owns the socket, which must not block, and lives on one loop at a time.
final class TLSStream {
  let fd: Int32
  private let stream: OpaquePointer
  /// The handshake or a read waits for room to write.
  private(set) var wantsWrite = false

  /// `nil` without memory; the socket is closed then.
  init?(_ context: TLSServerContext, _ fd: Int32) {
    guard let stream = shim_tls_stream_accept(context.pointer, fd) else {
      _ = Glibc.close(fd)
      return nil
    }
    self.fd = fd
    self.stream = stream
  }

  deinit {
    shim_tls_stream_free(stream)
    _ = Glibc.close(fd)
  }

  /// Goes on with the handshake; `.bytes` when it is done.
  func handshake() -> StreamProgress { progress(shim_tls_stream_handshake(stream)) }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamProgress {
    progress(shim_tls_stream_read(stream, buffer.baseAddress, Int32(clamping: buffer.count)))
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> StreamProgress {
    if bytes.isEmpty { return .bytes(0) }
    return progress(shim_tls_stream_write(stream, bytes.baseAddress, Int32(clamping: bytes.count)))
  }

  private func progress(_ result: Int32) -> StreamProgress {
    wantsWrite = Int(result) == SHIM_TLS_WANTS_WRITE
    switch Int(result) {
    case 1...: return .bytes(Int(result))
    case 0: return .closed("the other side closed the connection")
    case SHIM_TLS_WANTS_READ, SHIM_TLS_WANTS_WRITE: return .wouldBlock
    default: return .closed("the TLS connection broke")
    }
  }
}

/// A WebSocket's connection over TLS, taken over from the relay in front of the HTTP server.
final class TLSConnection: StreamConnection, @unchecked Sendable {
  let isPlain = false
  private var stream: TLSStream?
  /// What the HTTP server had said and the relay had not sent yet: it goes first.
  private var pending: [UInt8]
  private let released: () -> Void
  private var ready: (() -> Void)?

  init(_ stream: TLSStream, pending: [UInt8], released: @escaping () -> Void) {
    self.stream = stream
    self.pending = pending
    self.released = released
  }

  func listen(writing: Bool, _ ready: @escaping () -> Void) -> Bool {
    guard let stream else { return false }
    self.ready = ready
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, me in
      guard let me else { return }
      Unmanaged<TLSConnection>.fromOpaque(me).takeUnretainedValue().isReady()
    }
    let flags = Int32(FD_READ) | (writing || !pending.isEmpty ? Int32(FD_WRITE) : 0)
    return fd_listen(stream.fd, flags, handler, Unmanaged.passUnretained(self).toOpaque()) == 0
  }

  private func isReady() {
    if !pending.isEmpty, sendPending(), let ready { _ = listen(writing: false, ready) }
    ready?()
  }

  /// Whether nothing is left.
  private func sendPending() -> Bool {
    while let stream, !pending.isEmpty {
      guard case .bytes(let count) = pending.withUnsafeBytes({ stream.write($0) }) else { return false }
      pending.removeFirst(count)
    }
    return true
  }

  /// Who listens.
  var owner: (() -> Void)? { ready }

  func pause() {
    ready = nil
    if let stream { fd_close(stream.fd) }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamProgress {
    stream?.read(into: buffer) ?? .closed("closed")
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> StreamProgress {
    guard let stream else { return .closed("closed") }
    return sendPending() ? stream.write(bytes) : .wouldBlock
  }

  func close() {
    guard let stream else { return }
    self.stream = nil
    ready = nil
    fd_close(stream.fd)
    released()
  }
}
