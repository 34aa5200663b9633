internal import CLibre
internal import CLibreShim
internal import Glibc

/// A peer to send to, as the resolver found it.
struct SIPDestination: Hashable, Sendable {
  var address: SocketAddress
  var transport: SIPTransport
  /// What the peer's certificate must be for (RFC 5922 section 4): the domain that was asked for.
  var name: String
}

extension SIPTransports {
  /// A way to a destination: a connection that is open already, a new one, or a UDP socket of the right family.
  func flow(to destination: SIPDestination) throws(SIPFailure) -> SIPFlow {
    guard let remote = sa(destination.address) else {
      throw SIPFailure("\(destination.address) is not a numeric address")
    }
    if destination.transport == .udp { return try datagramFlow(to: remote) }
    if let stream = stream(to: remote, destination) { return flow(of: stream) }
    guard streams.count < settings.limits.connections else { throw SIPFailure("too many connections") }
    var tls: OpaquePointer?
    if destination.transport == .tls { tls = try clientContext(destination.name) }
    // The connection keeps the context as long as it needs it.
    defer { mem_deref(UnsafeMutableRawPointer(tls)) }
    let listener = listeners.first {
      $0.settings.transport == destination.transport && $0.bound.family == remote.family
    }
    guard
      let stream = SIPStream.connect(
        to: remote, tls: tls, peerName: destination.name, number: nextStream,
        listener: listener?.number ?? -1,
        limits: settings.limits)
    else { throw SIPFailure("cannot connect to \(destination.address)") }
    adopt(stream)
    return flow(of: stream)
  }

  private func datagramFlow(to remote: sa) throws(SIPFailure) -> SIPFlow {
    let sockets = listeners.filter { $0.settings.transport == .udp && $0.bound.family == remote.family }
    // A socket on the loopback address reaches nobody else, and the other way round.
    let source = source(for: remote, bound: sa.any(like: remote))
    guard let listener = sockets.first(where: { $0.bound.isAny || $0.bound.ip == source.ip }) ?? sockets.first
    else { throw SIPFailure("no UDP listener for \(remote.ip)") }
    return SIPFlow(
      path: .datagram(listener.number), transport: .udp, listener: listener.number, remote: remote,
      local: self.source(for: remote, bound: listener.bound))
  }

  /// An open connection to that very peer. One that we opened was checked for a name, which must be the same; one that
  /// the peer opened proves nothing to us, so it is not reused where certificates count.
  private func stream(to remote: sa, _ destination: SIPDestination) -> SIPStream? {
    streams.values.first { stream in
      guard stream.transport == destination.transport, stream.remote.isSame(remote) else { return false }
      if destination.transport == .tcp { return true }
      return stream.isOutgoing ? stream.peerName == destination.name : !settings.verifiesServers
    }
  }

  private func clientContext(_ name: String) throws(SIPFailure) -> OpaquePointer {
    if settings.verifiesServers, authorities == nil,
      shim_tls_authorities(&authorities, settings.authorityFile) != 0
    {
      throw SIPFailure("cannot read the certificate authorities in \(settings.authorityFile)")
    }
    var tls: OpaquePointer?
    guard shim_tls_client(&tls, settings.verifiesServers ? authorities : nil, name) == 0, let tls else {
      throw SIPFailure("no TLS for \(name)")
    }
    return tls
  }

  /// Host and port that we name to a peer, for Contact and Via: what the listener advertises, else the address that the
  /// flow leaves from. IPv6 in brackets.
  func advertised(_ flow: SIPFlow) -> (host: String, port: UInt16) {
    guard listeners.indices.contains(flow.listener) else { return (flow.local.ip, flow.local.port) }
    let listener = listeners[flow.listener]
    if let advertise = listener.settings.advertise, let (host, port) = Self.hostPort(advertise) {
      return (host, port ?? listener.bound.port)
    }
    return (flow.local.ip, listener.bound.port)
  }

  static func hostPort(_ text: String) -> (host: String, port: UInt16?)? {
    if text.utf8.count(where: { $0 == SIPByte.colon }) > 1, !text.hasPrefix("[") { return (text, nil) }
    return text.withRawUTF8 { SIPURI.hostPort($0) }
  }
}

extension sa {
  /// `0.0.0.0` or `::`, of the family of another address.
  static func any(like other: sa) -> sa {
    sa(ip: other.family == AF_INET6 ? "::" : "0.0.0.0", port: 0) ?? sa()
  }
}
