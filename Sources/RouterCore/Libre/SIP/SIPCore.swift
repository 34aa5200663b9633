internal import CLibre

/// The state of an endpoint. It lives on the endpoint's loop and is touched there only; the actor around it keeps
/// everybody else out.
final class SIPCore {
  /// What we understand, for `Allow`.
  static let allowed = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY"
  /// Extensions that we have, for `Supported`.
  static let supported = ["timer", "100rel"]

  let settings: SIPSettings
  let log: Log
  let transports: SIPTransports
  let transactions: SIPTransactions
  let resolver: SIPResolver
  var handlers: SIPHandlers?
  private(set) unowned var endpoint: SIPEndpoint
  var calls: [UInt64: SIPCallCore] = [:]
  /// Calls that we placed and that are over: an answer to their INVITE may still come, from a branch that rang too or
  /// because CANCEL was too late.
  private(set) var endedCalls: [UInt64: SIPCallCore] = [:]
  private lazy var forgetCalls = SIPExpiryQueue<UInt64>(after: settings.timers.timeout) {
    [unowned self] number in endedCalls[number] = nil
  }
  /// Peers that did not answer, or said 503, and until when others are asked first.
  private var silentPeers: [SocketAddress: ContinuousClock.Instant] = [:]
  /// Calls that wait for an answer of ours.
  var pendingCalls = 0
  var limiter: SIPRateLimiter?
  var overload: SIPOverload
  private var requests: [ObjectIdentifier: SIPClientRequest] = [:]
  private var delayed: [ObjectIdentifier: LoopTimer] = [:]
  private lazy var undecided = SIPExpiryQueue<SIPTransactionNumber>(after: settings.timers.decision) {
    [unowned self] number in respond(number, SIPReply(500))
  }
  private var answers: [SIPTransactionNumber: (SIPReply) -> Void] = [:]

  init(endpoint: SIPEndpoint, settings: SIPSettings, log: Log) {
    self.endpoint = endpoint
    self.settings = settings
    self.log = log
    transports = SIPTransports(settings: settings)
    transactions = SIPTransactions(settings: settings, transports: transports)
    resolver = SIPResolver(nameServers: settings.nameServers) { [weak endpoint] number, addresses in
      endpoint?.onLoop { $0.resolved(number, addresses) }
    }
    overload = SIPOverload(limit: settings.limits.delay)
    limiter = settings.limits.invitesPerSecond.map {
      SIPRateLimiter(rate: $0, addresses: settings.limits.addresses)
    }
  }

  func open(_ handlers: SIPHandlers) throws(SIPFailure) {
    self.handlers = handlers
    transports.received = { [unowned self] bytes, flow, waited in received(bytes, flow, waited) }
    transports.lost = { [unowned self] path in transactions.lost(path) }
    transports.admits = { [unowned self] source, transport in
      self.handlers?.admits(source, transport) ?? false
    }
    try transports.open()
  }

  func close() {
    handlers = nil
    for call in Array(calls.values) { call.shutDown() }
    calls = [:]
    endedCalls = [:]
    forgetCalls.removeAll()
    for request in Array(requests.values) { request.abandon(503) }
    requests = [:]
    answers = [:]
    delayed = [:]
    undecided.removeAll()
    resolver.close()
    transactions.close()
    transports.close()
  }

  // MARK: Odds and ends for those inside

  /// Runs something in the loop's next turn.
  func later(_ body: @escaping () -> Void) {
    let timer = LoopTimer()
    let name = ObjectIdentifier(timer)
    delayed[name] = timer
    timer.start(after: .zero) { [unowned self] in
      delayed[name] = nil
      body()
    }
  }

  func keep(_ request: SIPClientRequest) { requests[ObjectIdentifier(request)] = request }
  func forget(_ request: SIPClientRequest) { requests[ObjectIdentifier(request)] = nil }

  /// Keeps a request for an answer that may come later; 500 when none comes in time.
  func wait(_ transaction: SIPServerTransaction, answer: @escaping (SIPReply) -> Void) -> SIPPendingRequest? {
    guard let envelope = transaction.envelope else { return nil }
    answers[transaction.number] = answer
    undecided.add(transaction.number)
    return SIPPendingRequest(
      request: SIPCore.request(envelope, transaction.arrival), endpoint: endpoint,
      transaction: transaction.number)
  }

  /// The answer to a kept request; the first one counts.
  func respond(_ number: SIPTransactionNumber, _ reply: SIPReply) {
    answers.removeValue(forKey: number)?(reply)
  }

  /// Transports that requests of ours can use.
  var availableTransports: [SIPTransport] {
    let listening = Set(settings.listeners.map(\.transport))
    // Connections can be opened without a listener; UDP needs a socket.
    return [.udp, .tcp, .tls].filter { $0 != .udp || listening.contains(.udp) }
  }

  /// Where a request goes, best first: by TCP before UDP when it is large and the peer left the choice (section 18.1.1),
  /// and to peers that answered before those that did not of late (RFC 3263 section 4.3).
  func order(_ destinations: [SIPDestination], for plan: SIPRequestPlan, isFree: Bool) -> [SIPDestination] {
    var ordered = destinations
    if isFree, destinations.first?.transport == .udp, isLarge(plan) {
      ordered = destinations.map { SIPDestination(address: $0.address, transport: .tcp, name: $0.name) }
      ordered += destinations
    }
    guard !silentPeers.isEmpty, ordered.count > 1 else { return ordered }
    let now = ContinuousClock.now
    silentPeers = silentPeers.filter { $0.value > now }
    return ordered.filter { silentPeers[$0.address] == nil }
      + ordered.filter { silentPeers[$0.address] != nil }
  }

  /// Others of the same name are asked before this peer for a while: as long as its 503 says, at most five minutes.
  func avoid(_ peer: SocketAddress, _ seconds: Int = 30) {
    guard seconds > 0 else { return }
    // Who fails is remembered, not how many have failed: a full table is begun anew.
    if silentPeers.count >= 1024 { silentPeers = [:] }
    silentPeers[peer] = .now + .seconds(min(seconds, 300))
  }

  /// More than 1300 bytes might not pass as a datagram (section 18.1.1).
  func isLarge(_ plan: SIPRequestPlan) -> Bool {
    var known = plan.body.count + plan.uri.utf8.count + plan.from.utf8.count + plan.to.utf8.count
    for route in plan.routes { known += route.utf8.count }
    for header in plan.headers { known += header.name.utf8.count + header.value.utf8.count }
    guard known > 600 else { return false }
    let probe = plan.write(
      via: String(repeating: " ", count: 80), contact: String(repeating: " ", count: 60),
      product: settings.product)
    return probe.count > 1300
  }

  /// Keeps a call of ours for answers that come late.
  func keepEnded(_ call: SIPCallCore) {
    guard endedCalls.count < settings.limits.calls, endedCalls[call.number] == nil else { return }
    endedCalls[call.number] = call
    forgetCalls.add(call.number)
  }

  func via(_ flow: SIPFlow, _ branch: UInt64) -> String {
    let (host, port) = transports.advertised(flow)
    return "SIP/2.0/\(flow.transport.token) \(SIPCore.bracketed(host)):\(port);branch="
      + SIPTransactions.branch(branch) + ";rport"
  }

  /// Our Contact towards a peer.
  func contact(_ flow: SIPFlow, user: String?) -> String {
    let (host, port) = transports.advertised(flow)
    let user = user.map { $0 + "@" } ?? ""
    let transport = flow.transport == .udp ? "" : ";transport=\(flow.transport.rawValue)"
    return "<sip:\(user)\(SIPCore.bracketed(host)):\(port)\(transport)>"
  }

  static func bracketed(_ host: String) -> String { host.utf8.contains(SIPByte.colon) ? "[\(host)]" : host }

  func arrival(_ flow: SIPFlow) -> SIPArrival {
    SIPArrival(
      transport: flow.transport, source: flow.remote.socketAddress, local: flow.local.socketAddress,
      advertisedHost: transports.advertised(flow).host, listener: flow.listener)
  }

  static func request(_ envelope: SIPEnvelope, _ arrival: SIPArrival) -> SIPRequest {
    guard case .request(let method, let uri) = envelope.message.start else {
      preconditionFailure("a server transaction holds a request")
    }
    return SIPRequest(
      method: method, headers: envelope.headers, arrival: arrival, uriRange: uri,
      bodyRange: envelope.message.body, parties: envelope.parties)
  }

  func response(_ answer: SIPClientRequest.Answer) -> SIPResponse {
    guard let envelope = answer.envelope, case .response(let status, let reason) = envelope.message.start
    else {
      return SIPResponse(status: answer.status, problem: answer.problem)
    }
    let body = envelope.message.body
    return SIPResponse(
      status: status, reason: envelope.headers.text(reason), headers: envelope.headers,
      body: Array(envelope.headers.storage[Int(body.lowerBound)..<Int(body.upperBound)]),
      arrival: answer.flow.map(arrival))
  }
}
