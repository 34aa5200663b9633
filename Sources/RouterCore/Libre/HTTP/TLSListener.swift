internal import CLibre
internal import CLibreShim
internal import Glibc

/// The listening socket of an ``HTTPServer`` with TLS: accepts, shakes hands, and passes plain connections on.
///
/// Lives on the server's loop.
final class TLSListener {
  /// Connections that are accepted before others get their turn.
  private static let atOnce = 64

  private let settings: HTTPServerSettings
  /// For new connections; replaced when the certificate is.
  var context: TLSServerContext
  private var fd: Int32 = -1
  private var relays: [ObjectIdentifier: TLSRelay] = [:]
  /// Relays by libmicrohttpd's end of their pair.
  private var byOtherEnd: [Int32: TLSRelay] = [:]
  private var byAddress: [String: Int] = [:]
  /// Takes the plain end of a connection; false when it does not.
  private let adopt: (Int32, sa) -> Bool

  init(_ settings: HTTPServerSettings, _ context: TLSServerContext, adopt: @escaping (Int32, sa) -> Bool) {
    self.settings = settings
    self.context = context
    self.adopt = adopt
  }

  /// Listens.
  /// - Returns: The port that was really taken.
  func open(_ address: sa) throws(HTTPError) -> UInt16 {
    var name = address
    let error = shim_tcp_listen(&fd, &name)
    guard error == 0 else {
      throw HTTPError(.refused, "cannot listen on \(settings.address): \(String(cString: strerror(error)))")
    }
    let ready: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, me in
      guard let me else { return }
      Unmanaged<TLSListener>.fromOpaque(me).takeUnretainedValue().acceptAll()
    }
    guard fd_listen(fd, Int32(FD_READ), ready, Unmanaged.passUnretained(self).toOpaque()) == 0 else {
      throw HTTPError(.busy, "the event loop has no room for the HTTPS server")
    }
    return name.port
  }

  func close() {
    if fd >= 0 {
      fd_close(fd)
      _ = Glibc.close(fd)
      fd = -1
    }
    for relay in relays.values { relay.close() }
    relays = [:]
    byOtherEnd = [:]
    byAddress = [:]
  }

  deinit { close() }

  /// The relay in front of a connection that libmicrohttpd knows by this socket; it is no longer the listener's.
  func release(_ other: Int32) -> TLSRelay? {
    guard let relay = byOtherEnd[other] else { return nil }
    forget(relay, keepsCount: true)
    return relay
  }

  /// A connection that was taken over is closed.
  func leave(_ peer: String) { byAddress[peer] = byAddress[peer].flatMap { $0 > 1 ? $0 - 1 : nil } }

  private func acceptAll() {
    for _ in 0..<TLSListener.atOnce {
      var peer = sa()
      let accepted = shim_accept(fd, &peer)
      guard accepted >= 0 else { return }  // no more; or no descriptors, and the next event tries again
      take(accepted, peer)
    }
  }

  private func take(_ accepted: Int32, _ peer: sa) {
    let address = peer.ip
    guard relays.count < settings.maximumConnections,
      byAddress[address, default: 0] < settings.maximumConnectionsPerAddress
    else {
      _ = Glibc.close(accepted)
      return
    }
    var on: Int32 = 1  // small frames must not wait for acknowledgements
    setsockopt(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    guard let stream = TLSStream(context, accepted) else { return }
    let relay = TLSRelay(stream, peer: peer)
    relays[ObjectIdentifier(relay)] = relay
    byAddress[address, default: 0] += 1
    relay.established = { [unowned self] relay, other in
      byOtherEnd[other] = relay
      return adopt(other, relay.peer)
    }
    relay.ended = { [unowned self] relay in forget(relay) }
    relay.start(settings.handshakeSeconds)
  }

  private func forget(_ relay: TLSRelay, keepsCount: Bool = false) {
    guard relays.removeValue(forKey: ObjectIdentifier(relay)) != nil else { return }
    // The number may have been given to another pair meanwhile.
    if byOtherEnd[relay.outerEnd] === relay { byOtherEnd[relay.outerEnd] = nil }
    if !keepsCount { leave(relay.peer.ip) }
  }
}
