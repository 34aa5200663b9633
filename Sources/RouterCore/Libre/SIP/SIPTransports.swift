internal import CLibre
internal import CLibreShim
internal import Glibc

/// The sockets of an endpoint: UDP sockets, listening sockets and connections, with their limits.
final class SIPTransports {
  /// What a listener of the settings became.
  final class Listener {
    let number: Int
    let settings: SIPSettings.Listener
    /// What was bound, with the port that it got.
    fileprivate(set) var bound: sa
    fileprivate var descriptor: Int32 = -1
    fileprivate var socket: OpaquePointer?
    fileprivate var tls: OpaquePointer?
    fileprivate unowned let owner: SIPTransports

    fileprivate init(_ number: Int, _ settings: SIPSettings.Listener, _ bound: sa, _ owner: SIPTransports) {
      self.number = number
      self.settings = settings
      self.bound = bound
      self.owner = owner
    }

    fileprivate func close() {
      if descriptor >= 0 {
        fd_close(descriptor)
        _ = Glibc.close(descriptor)
        descriptor = -1
      }
      socket = OpaquePointer(mem_deref(UnsafeMutableRawPointer(socket)))
      tls = OpaquePointer(mem_deref(UnsafeMutableRawPointer(tls)))
    }
  }

  let settings: SIPSettings
  private(set) var listeners: [Listener] = []
  var streams: [UInt64: SIPStream] = [:]
  /// Connections that we accepted, by the address of the peer.
  var accepted: [String: Int] = [:]
  var nextStream: UInt64 = 1
  var authorities: OpaquePointer?
  private var inbox: OpaquePointer?
  /// Addresses that packets to a peer leave from, for sockets that are bound to all.
  private var sources: [String: sa] = [:]

  /// A datagram, with how long it waited for us in the system; or a message of a stream, whose sender is slowed down by
  /// the stream itself.
  var received: ((UnsafeRawBufferPointer, SIPFlow, Duration?) -> Void)?
  /// A connection is gone.
  var lost: ((SIPFlow.Path) -> Void)?
  /// Whether a peer may connect.
  var admits: ((SocketAddress, SIPTransport) -> Bool)?

  init(settings: SIPSettings) { self.settings = settings }

  deinit { close() }

  func close() {
    received = nil
    lost = nil
    admits = nil
    for stream in streams.values { stream.close() }
    streams = [:]
    accepted = [:]
    for listener in listeners { listener.close() }
    listeners = []
    inbox = OpaquePointer(mem_deref(UnsafeMutableRawPointer(inbox)))
    authorities = OpaquePointer(mem_deref(UnsafeMutableRawPointer(authorities)))
  }

  // MARK: Listening

  func open() throws(SIPFailure) {
    inbox = shim_inbox_alloc()
    for (number, listener) in settings.listeners.enumerated() {
      let port = listener.port ?? listener.transport.defaultPort
      let name = "\(listener.transport.rawValue) \(SocketAddress(ip: listener.address, port: port))"
      guard let address = sa(ip: listener.address, port: port) else {
        throw SIPFailure("\(name): not a numeric address")
      }
      do throws(SIPFailure) {
        switch listener.transport {
        case .udp: try openDatagrams(number, listener, address)
        case .tcp, .tls: try openStreams(number, listener, address)
        }
      } catch {
        close()
        throw SIPFailure("\(name): \(error.description)")
      }
    }
  }

  private func openDatagrams(_ number: Int, _ settings: SIPSettings.Listener, _ address: sa)
    throws(SIPFailure)
  {
    var bound = address
    var descriptor: Int32 = -1
    // A burst of calls must fit while the loop does something else.
    let error = shim_udp_open(&descriptor, &bound, 4 << 20)
    guard error == 0 else { throw SIPFailure(system: error) }
    let listener = Listener(number, settings, bound, self)
    listener.descriptor = descriptor
    listeners.append(listener)
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, argument in
      guard let argument else { return }
      let listener = Unmanaged<Listener>.fromOpaque(argument).takeUnretainedValue()
      listener.owner.readDatagrams(listener)
    }
    let listening = fd_listen(
      descriptor, Int32(FD_READ), handler, Unmanaged.passUnretained(listener).toOpaque())
    guard listening == 0 else { throw SIPFailure(system: listening) }
  }

  private func openStreams(_ number: Int, _ settings: SIPSettings.Listener, _ address: sa) throws(SIPFailure)
  {
    var tls: OpaquePointer?
    if settings.transport == .tls { tls = try serverContext(settings) }
    var wanted = address
    var socket: OpaquePointer?
    let handler: @convention(c) (UnsafePointer<sa>?, UnsafeMutableRawPointer?) -> Void = { peer, argument in
      guard let peer, let argument else { return }
      let listener = Unmanaged<Listener>.fromOpaque(argument).takeUnretainedValue()
      listener.owner.connectionWaits(listener, peer.pointee)
    }
    var bound = sa()
    // libre binds with SO_REUSEADDR and keeps the handler's argument: the listener must exist first.
    let listener = Listener(number, settings, address, self)
    var error = tcp_sock_alloc(&socket, &wanted, handler, Unmanaged.passUnretained(listener).toOpaque())
    if error == 0 { error = tcp_sock_bind(socket, &wanted) }
    if error == 0 { error = tcp_sock_listen(socket, 511) }
    if error == 0 { error = tcp_sock_local_get(socket, &bound) }
    guard error == 0 else {
      mem_deref(UnsafeMutableRawPointer(socket))
      mem_deref(UnsafeMutableRawPointer(tls))
      throw SIPFailure(system: error)
    }
    listener.bound = bound
    listener.socket = socket
    listener.tls = tls
    listeners.append(listener)
  }

  private func serverContext(_ settings: SIPSettings.Listener) throws(SIPFailure) -> OpaquePointer {
    var tls: OpaquePointer?
    if let file = settings.certificateFile {
      guard shim_tls_server(&tls, nil, file, settings.keyFile) == 0, let tls else {
        throw SIPFailure("cannot use the certificate \(file)\(settings.keyFile.map { " with \($0)" } ?? "")")
      }
      return tls
    }
    let name = settings.advertise ?? settings.address
    guard let pem = TLSCertificate.selfSigned(for: name), shim_tls_server(&tls, pem, nil, nil) == 0, let tls
    else { throw SIPFailure("cannot make a certificate for \(name)") }
    return tls
  }

  // MARK: Receiving

  private func readDatagrams(_ listener: Listener) {
    guard let inbox else { return }
    let count = shim_udp_receive(listener.descriptor, inbox)
    for index in 0..<count {
      // A handler may have closed everything.
      guard let received, listener.descriptor >= 0 else { return }
      var length = 0
      var remote = sa()
      var local = listener.bound
      var waited: Int64 = 0
      let bytes = shim_inbox_get(inbox, index, &length, &remote, &local, &waited)
      let flow = SIPFlow(
        path: .datagram(listener.number), transport: .udp, listener: listener.number, remote: remote,
        local: local)
      received(UnsafeRawBufferPointer(start: bytes, count: length), flow, .microseconds(waited))
    }
  }

  private func connectionWaits(_ listener: Listener, _ remote: sa) {
    guard let socket = listener.socket else { return }
    let peer = remote.socketAddress
    let isWelcome =
      streams.count < settings.limits.connections
      && accepted[peer.ip, default: 0] < settings.limits.connectionsPerAddress
      && admits?(peer, listener.settings.transport) ?? false
    guard isWelcome,
      let stream = SIPStream.accept(
        from: socket, tls: listener.tls, number: nextStream, listener: listener.number, remote: remote,
        limits: settings.limits)
    else { return tcp_reject(socket) }
    accepted[peer.ip, default: 0] += 1
    adopt(stream)
  }

  func adopt(_ stream: SIPStream) {
    streams[stream.number] = stream
    nextStream += 1
    stream.received = { [unowned self, unowned stream] item in self.streamReceived(stream, item) }
    stream.closed = { [unowned self, unowned stream] _ in self.forget(stream) }
  }

  private func streamReceived(_ stream: SIPStream, _ item: SIPStreamFramer.Item) {
    switch item {
    case .ping:
      if stream.send(Array("\r\n".utf8)) != 0 { drop(stream) }
    case .message(let bytes):
      bytes.withUnsafeBytes { received?($0, flow(of: stream), nil) }
    case .broken(let bytes):
      // It is answered if it can be; then nothing on this connection can be understood any more.
      bytes.withUnsafeBytes { received?($0, flow(of: stream), nil) }
      drop(stream)
    }
  }

  /// Closes a connection, and tells.
  func drop(_ stream: SIPStream) {
    guard streams[stream.number] != nil else { return }
    stream.close()
    forget(stream)
  }

  private func forget(_ stream: SIPStream) {
    guard streams.removeValue(forKey: stream.number) != nil else { return }
    if !stream.isOutgoing {
      let ip = stream.remote.ip
      accepted[ip] = accepted[ip].flatMap { $0 > 1 ? $0 - 1 : nil }
    }
    lost?(.stream(stream.number))
  }

  func flow(of stream: SIPStream) -> SIPFlow {
    SIPFlow(
      path: .stream(stream.number), transport: stream.transport, listener: stream.listener,
      remote: stream.remote, local: stream.local)
  }

  // MARK: Sending

  /// Sends a message. Returns an error number.
  func send(_ bytes: [UInt8], on flow: SIPFlow) -> Int32 {
    switch flow.path {
    case .datagram(let number):
      guard number < listeners.count else { return ENOTCONN }
      let listener = listeners[number]
      var remote = flow.remote
      guard listener.bound.isAny, !flow.local.isAny else {
        return shim_udp_send(listener.descriptor, nil, &remote, bytes, bytes.count)
      }
      var local = flow.local
      return shim_udp_send(listener.descriptor, &local, &remote, bytes, bytes.count)
    case .stream(let number):
      guard let stream = streams[number] else { return ENOTCONN }
      let error = stream.send(bytes)
      if error != 0 { drop(stream) }
      return error
    }
  }

  func isOpen(_ flow: SIPFlow) -> Bool {
    switch flow.path {
    case .datagram(let number): number < listeners.count
    case .stream(let number): streams[number] != nil
    }
  }

  /// Our address that packets to `remote` leave from.
  func source(for remote: sa, bound: sa) -> sa {
    guard bound.isAny else { return bound }
    let ip = remote.ip
    if let known = sources[ip] { return known }
    var (from, to) = (sa(), remote)
    guard shim_source_address(&to, &from) == 0 else { return bound }
    from.port = bound.port
    // Routes change seldom; a full table is begun anew.
    if sources.count >= 4096 { sources = [:] }
    sources[ip] = from
    return from
  }
}

extension SIPFailure {
  /// The words of an error number.
  init(system error: Int32) { self.init(String(cString: strerror(error))) }
}
