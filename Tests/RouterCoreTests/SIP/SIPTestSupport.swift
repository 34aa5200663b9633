import Testing

@testable import RouterCore

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
    turnedAway: @escaping @Sendable (SIPTurnedAway) -> Void = { _ in },
    decide: @escaping @Sendable (SIPInvitation) -> SIPInvitationDecision? = { _ in nil }
  ) async throws -> [SocketAddress] {
    let handlers = SIPHandlers(
      invitation: { [self] invitation in
        if let decision = decide(invitation) { return decision }
        // Nobody hears of a call that the endpoint refuses.
        if invitation.refusal != nil { return .take { _ in } }
        let log = log(of: invitation.call.id)
        invited.yield(invitation)
        return .take { log.add($0) }
      }, request: request, admits: admits, turnedAway: turnedAway)
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
    let event = await iterator.next()
    try Task.checkCancellation()  // whoever does not wait any more misses nothing
    return try #require(event)
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

/// Two sides, the first of which is called; both are closed at the end.
func withSIPSides(
  _ settings: SIPSettings = .loopback(), _ other: SIPSettings = .loopback(),
  _ body: (_ server: SIPTestSide, _ client: SIPTestSide, _ target: String) async throws -> Void
) async throws {
  let server = SIPTestSide(settings)
  let client = SIPTestSide(other)
  let bound = try await server.listen()
  _ = try await client.listen()
  let transport = settings.listeners[0].transport
  try await body(
    server, client, "sip:bob@\(bound[0])" + (transport == .udp ? "" : ";transport=\(transport)"))
  await client.close()
  await server.close()
}

/// A call that is up.
func withSIPSidesInCall(
  _ settings: SIPSettings = .loopback(), _ other: SIPSettings = .loopback(),
  _ body: (_ server: SIPServerCall, SIPEventLog, _ client: SIPClientCall, SIPEventLog) async throws -> Void
) async throws {
  try await withSIPSides(settings, other) { server, client, target in
    let (call, log) = try await client.call(target)
    let invitation = try await server.nextInvitation()
    _ = try await invitation.call.accept(sdp: Array("v=0 answer".utf8))
    _ = try await log.next { if case .answered(let response) = $0 { response.status } else { nil } }
    try await body(invitation.call, server.log(of: invitation.call.id), call, log)
  }
}
