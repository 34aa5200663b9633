import Glibc
import RouterCore
import Testing

/// An endpoint on the loopback address, on a loop of its own, with all that happened to it.
final class SIPTestSide: Sendable {
  let loop: EventLoop
  let endpoint: SIPEndpoint
  let invitations: AsyncStream<SIPInvitation>
  private let invited: AsyncStream<SIPInvitation>.Continuation
  private let logs = Lock<[SIPCallNumber: SIPEventLog]>([:])

  init(_ settings: SIPSettings = .loopback()) {
    loop = EventLoop(name: "test-sip", descriptors: 4096)
    endpoint = SIPEndpoint(loop: loop, settings: settings, log: .silent)
    (invitations, invited) = AsyncStream.makeStream()
  }

  /// Takes every call.
  func listen(
    request: @escaping @Sendable (SIPRequest) -> SIPRequestDecision = { _ in .standard },
    admits: @escaping @Sendable (SocketAddress, SIPTransport) -> Bool = { _, _ in true },
    decide: @escaping @Sendable (SIPInvitation) -> SIPInvitationDecision? = { _ in nil }
  ) async throws -> [SocketAddress] {
    let handlers = SIPHandlers(
      invitation: { [self] invitation in
        if let decision = decide(invitation) { return decision }
        let log = log(of: invitation.call.id)
        invited.yield(invitation)
        return .take { log.add($0) }
      }, request: request, admits: admits)
    return try await endpoint.listen(handlers)
  }

  func log(of call: SIPCallNumber) -> SIPEventLog {
    logs.withLock { logs in
      if let log = logs[call] { return log }
      let log = SIPEventLog()
      logs[call] = log
      return log
    }
  }

  func nextInvitation() async throws -> SIPInvitation {
    var iterator = invitations.makeAsyncIterator()
    return try #require(await iterator.next())
  }

  /// Places a call and keeps what happens.
  func call(
    _ target: String, sdp: String? = "v=0 offer", _ change: (inout SIPOutgoingCall) -> Void = { _ in }
  )
    async throws -> (call: SIPClientCall, log: SIPEventLog)
  {
    var outgoing = SIPOutgoingCall(
      target: try #require(SIPURI(target)), from: SIPAddress(uri: SIPURI(user: "alice", host: "127.0.0.1")),
      sdp: sdp.map { Array($0.utf8) })
    change(&outgoing)
    let log = SIPEventLog()
    let call = await endpoint.call(outgoing) { log.add($0) }
    return (call, log)
  }

  func close() async {
    await endpoint.close()
    loop.stop()
  }
}

/// The events of one call, to be awaited one by one.
final class SIPEventLog: Sendable {
  private let stream: AsyncStream<SIPCallEvent>
  private let continuation: AsyncStream<SIPCallEvent>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func add(_ event: SIPCallEvent) { continuation.yield(event) }

  func next() async throws -> SIPCallEvent {
    var iterator = stream.makeAsyncIterator()
    return try #require(await iterator.next())
  }

  /// The next event that `find` makes something of; others are passed over.
  func next<Value>(_ find: (SIPCallEvent) -> Value?) async throws -> Value {
    while true {
      if let value = find(try await next()) { return value }
    }
  }

  func ending() async throws -> SIPCallEnding {
    try await next { event in
      if case .ended(let ending) = event { return ending }
      return nil
    }
  }
}

extension SIPSettings {
  /// One listener on the loopback address, and timers ten times as fast as usual.
  static func loopback(
    _ transport: SIPTransport = .udp, address: String = "127.0.0.1", t1: Duration = .milliseconds(50),
    _ change: (inout SIPSettings) -> Void = { _ in }
  ) -> SIPSettings {
    var settings = SIPSettings(listeners: [Listener(transport, address: address, port: 0)])
    settings.timers.t1 = t1
    settings.timers.t2 = t1 * 8
    settings.timers.t4 = t1 * 10
    settings.timers.trying = .milliseconds(10)
    change(&settings)
    return settings
  }
}

/// A UDP socket that says and hears exactly what a test wants.
final class SIPTestSocket: Sendable {
  private let descriptor: Int32
  let port: UInt16

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = self.descriptor
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(bound)
    port = UInt16(bigEndian: address.sin_port)
    var timeout = timeval(tv_sec: 0, tv_usec: 20_000)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { Glibc.close(descriptor) }

  func send(_ bytes: [UInt8], to address: SocketAddress) {
    var peer = sockaddr_in()
    peer.sin_family = sa_family_t(AF_INET)
    peer.sin_addr.s_addr = inet_addr(address.ip)
    peer.sin_port = address.port.bigEndian
    _ = withUnsafePointer(to: &peer) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  func send(_ text: String, to address: SocketAddress) { send(Array(text.utf8), to: address) }

  /// What comes next, or `nil` when nothing comes in that time.
  func receive(within limit: Duration = .seconds(10)) -> String? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let deadline = ContinuousClock.now + limit
    repeat {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count >= 0 { return String(decoding: buffer.prefix(count), as: UTF8.self) }
    } while ContinuousClock.now < deadline
    return nil
  }

  /// The status of the next response.
  func status(within limit: Duration = .seconds(10)) -> Int? {
    receive(within: limit).flatMap { $0.hasPrefix("SIP/2.0 ") ? Int($0.dropFirst(8).prefix(3)) : nil }
  }

  /// Passes over what comes until `status` comes.
  func response(_ status: Int, within limit: Duration = .seconds(10)) throws -> String {
    while let text = receive(within: limit) {
      if text.hasPrefix("SIP/2.0 \(status) ") { return text }
    }
    return try #require(nil as String?, "no \(status)")
  }

  /// Passes over what comes until a request of that method comes.
  func request(_ method: String, within limit: Duration = .seconds(10)) throws -> String {
    while let text = receive(within: limit) {
      if text.hasPrefix(method + " ") { return text }
    }
    return try #require(nil as String?, "no \(method)")
  }
}

extension String {
  /// The value of the first field of that name in a message.
  func field(_ name: String) -> String? {
    for line in split(separator: "\r\n", omittingEmptySubsequences: false) {
      if line.isEmpty { return nil }
      if line.lowercased().hasPrefix(name.lowercased() + ":") {
        return String(line.dropFirst(name.utf8.count + 1).drop { $0 == " " })
      }
    }
    return nil
  }
}
