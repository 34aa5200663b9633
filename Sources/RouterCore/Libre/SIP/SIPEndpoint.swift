/// A SIP user agent on one event loop: listeners, transactions, dialogs.
///
/// All state belongs to the loop. Handles (``SIPServerCall``, ``SIPClientCall``) may be used from any thread; from an
/// actor on the same loop a call costs no hop.
public actor SIPEndpoint {
  public nonisolated let loop: EventLoop
  public nonisolated let settings: SIPSettings
  private nonisolated let log: Log
  private var opened: SIPCore?
  private var isClosed = false

  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Opens nothing yet; see ``listen(_:)``.
  public init(loop: EventLoop, settings: SIPSettings, log: Log) {
    self.loop = loop
    self.settings = settings
    self.log = log
  }

  /// Opens every listener of the settings and serves until ``close()``.
  /// - Returns: the addresses that were bound, one for each listener in order (ephemeral ports filled in).
  /// - Throws: ``SIPFailure`` naming the listener that could not be opened; the others are closed again.
  @discardableResult
  public func listen(_ handlers: SIPHandlers) async throws(SIPFailure) -> [SocketAddress] {
    guard !isClosed else { throw SIPFailure("the endpoint is closed") }
    try core.open(handlers)
    return boundAddresses
  }

  /// The bound addresses, one for each listener.
  public var boundAddresses: [SocketAddress] { core.transports.listeners.map(\.bound.socketAddress) }

  /// How many calls there are, of any state.
  public var callCount: Int { core.calls.count }

  /// How many TCP and TLS connections there are.
  public var connectionCount: Int { core.transports.streams.count }

  /// Ends every call (BYE, CANCEL, 503), closes every socket. Must be called before the loop stops.
  public func close() async {
    guard !isClosed else { return }
    isClosed = true
    core.close()
  }

  /// Places a call. Events go to `events` on the loop, in order, the last being ``SIPCallEvent/ended(_:)`` (also
  /// when nobody can be reached).
  public func call(
    _ outgoing: SIPOutgoingCall, events: @escaping @Sendable (SIPCallEvent) -> Void
  ) -> SIPClientCall {
    let call = SIPCallCore(number: core.transactions.newBranch(), core: core, isServer: false)
    let handle = SIPClientCall(endpoint: self, id: call.handle)
    guard !isClosed else {
      events(.ended(SIPCallEnding(.closed, status: 503)))
      return handle
    }
    core.calls[call.number] = call
    call.place(outgoing, events)
    return handle
  }

  /// Sends a request outside of any call and waits for its final response; challenges are answered once. A response
  /// without `arrival` stands for none: 408, 503.
  public func send(_ request: SIPOutgoingRequest) async -> SIPResponse {
    guard !isClosed else { return SIPResponse(status: 503) }
    let outcome = OneShot<SIPResponse>()
    let core = self.core
    let plan = request.plan(tag: SIPTag.text(core.transactions.newBranch()))
    let sending = SIPClientRequest(
      plan, core: core, credentials: request.credentials, contactUser: request.from.uri.rawUser
    ) { [unowned core] answer in
      if answer.status >= 200 { outcome.resolve(core.response(answer)) }
    }
    sending.start()
    return await outcome.value(cancelled: SIPResponse(status: 408))
  }

  isolated deinit { opened?.close() }

  private var core: SIPCore {
    if let opened { return opened }
    let core = SIPCore(endpoint: self, settings: settings, log: log)
    opened = core
    return core
  }

  // MARK: What handles ask

  /// Runs `body` on the loop: at once when the caller is there, otherwise as soon as the loop gets to it.
  nonisolated func onLoop(_ body: @escaping @Sendable (isolated SIPEndpoint) -> Void) {
    if loop.isCurrent {
      assumeIsolated(body)
    } else {
      loop.execute { self.assumeIsolated(body) }
    }
  }

  private func find(_ id: SIPCallNumber) -> SIPCallCore? { core.calls[id.value] }

  func resolved(_ number: UInt64, _ addresses: [String]) { core.resolver.found(number, addresses) }

  func hangUp(_ id: SIPCallNumber, _ reasons: [SIPReason], _ headers: [Header]) async {
    hangUpNow(id, reasons, headers)
  }

  func hangUpNow(_ id: SIPCallNumber, _ reasons: [SIPReason], _ headers: [Header]) {
    find(id)?.hangUp(reasons, headers)
  }

  func reinvite(_ id: SIPCallNumber, _ sdp: [UInt8], _ headers: [Header]) async -> SIPResponse {
    guard let call = find(id) else { return SIPResponse(status: 481) }
    let outcome = OneShot<SIPResponse>()
    call.reinvite(sdp, headers) { outcome.resolve($0) }
    return await outcome.value(cancelled: SIPResponse(status: 408))
  }

  func requestInCall(
    _ id: SIPCallNumber, _ method: SIPMethod, _ headers: [Header], _ contentType: String?, _ body: [UInt8]
  ) async -> SIPResponse {
    guard let call = find(id), call.state == .up || call.state == .answered, var plan = call.plan(method)
    else {
      return SIPResponse(status: 481)
    }
    plan.headers = headers
    plan.contentType = contentType
    plan.body = body
    let outcome = OneShot<SIPResponse>()
    let core = self.core
    call.send(plan) { [weak call, unowned core] answer in
      guard answer.status >= 200 else { return }
      let response = core.response(answer)
      // The other side no longer knows the call, unless it means the subscription only (RFC 5057 section 5.1).
      if answer.status == 481, method != .notify, method != .subscribe { _ = call?.isGone(481) }
      outcome.resolve(response)
    }
    return await outcome.value(cancelled: SIPResponse(status: 408))
  }

  func refer(_ id: SIPCallNumber, _ request: SIPTransferRequest) async -> SIPResponse {
    guard let call = find(id) else { return SIPResponse(status: 481) }
    let outcome = OneShot<SIPResponse>()
    call.refer(request) { outcome.resolve($0) }
    return await outcome.value(cancelled: SIPResponse(status: 408))
  }

  func ring(_ id: SIPCallNumber, _ reply: SIPReply) async { ringNow(id, reply) }

  func ringNow(_ id: SIPCallNumber, _ reply: SIPReply) { find(id)?.ring(reply) }

  func accept(_ id: SIPCallNumber, _ sdp: [UInt8], _ headers: [Header]) async throws(SIPCallOver) -> [UInt8]?
  {
    let gone = SIPCallOver(ending: SIPCallEnding(.lost, status: 481))
    guard let call = find(id), call.state == .ringing, call.acceptance == nil else { throw gone }
    let outcome = OneShot<Result<[UInt8]?, SIPCallOver>>()
    call.acceptance = outcome
    call.accept(sdp, headers)
    return try await outcome.value(cancelled: .failure(gone)).get()
  }

  func acceptNow(_ id: SIPCallNumber, _ sdp: [UInt8], _ headers: [Header]) { find(id)?.accept(sdp, headers) }

  func reject(_ id: SIPCallNumber, _ reply: SIPReply) async { rejectNow(id, reply) }

  func rejectNow(_ id: SIPCallNumber, _ reply: SIPReply) { find(id)?.refuse(reply) }

  func acknowledge(_ id: SIPCallNumber, _ sdp: [UInt8]) async { find(id)?.acknowledgeOffer(sdp) }

  func respond(_ transaction: SIPTransactionNumber, _ reply: SIPReply) { core.respond(transaction, reply) }

  func acceptReferral(_ referral: SIPReferral) { find(referral.call)?.accept(referral) }

  func reportReferral(_ referral: SIPReferral, _ status: Int, _ reason: String?) async {
    find(referral.call)?.report(referral.subscription, status, reason)
  }
}

extension SIPOutgoingRequest {
  fileprivate func plan(tag: String) -> SIPRequestPlan {
    var from = self.from
    from.parameters["tag"] = tag
    var plan = SIPRequestPlan(
      method: method, uri: target.description, routes: proxy.map { [SIPCore.looseRoute($0)] } ?? [],
      from: from.description, to: (to ?? SIPAddress(uri: target)).description, callID: callID ?? tag,
      sequence: sequence ?? UInt32.random(in: 1...0xffff))
    plan.hop = proxy ?? target
    plan.headers = headers
    plan.contentType = contentType
    plan.body = body
    plan.hasContact = !headers.contains { $0.name.equalsFolded("Contact") }
    return plan
  }
}

/// Something could not be opened or understood.
public struct SIPFailure: Error, Sendable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
