internal import CLibre

/// A request of ours with all it may take: finding the peer, trying the next one, answering a challenge.
final class SIPClientRequest {
  /// What came back; without an envelope it stands for no answer at all.
  struct Answer {
    var status: Int
    var envelope: SIPEnvelope?
    var flow: SIPFlow?
    /// Why there is none, in words.
    var problem: String?
  }

  private(set) var plan: SIPRequestPlan
  let credentials: SIPCredentials?
  /// Where the current try went.
  private(set) var flow: SIPFlow?
  /// The other side has shown a sign of life.
  private(set) var hasProvisional = false
  private let answered: (Answer) -> Void
  private let contactUser: String?
  private unowned let core: SIPCore
  private var destinations: ArraySlice<SIPDestination> = []
  private var transaction: SIPClientTransaction?
  private var branch: UInt64 = 0
  private var nonces: Set<String> = []
  private var authorization: [Header] = []
  private var isCancelled = false
  private var cancelHeaders: [Header] = []
  private var isOver = false
  /// The CSeq of another try after a challenge; the dialog's, where there is one.
  var nextSequence: (() -> UInt32)?

  init(
    _ plan: SIPRequestPlan, core: SIPCore, credentials: SIPCredentials? = nil, contactUser: String? = nil,
    answered: @escaping (Answer) -> Void
  ) {
    self.plan = plan
    self.core = core
    self.credentials = credentials
    self.contactUser = contactUser
    self.answered = answered
  }

  /// Sends it to wherever its first hop is.
  func start() {
    core.keep(self)
    guard let hop = plan.hop, hop.scheme != "tel", !hop.host.isEmpty else {
      return later(Answer(status: 503, problem: "no host stands in \(plan.uri)"))
    }
    core.resolver.resolve(SIPLookup(hop, available: core.availableTransports)) { [weak self] destinations in
      guard let self, !isOver else { return }
      self.destinations = core.order(destinations, for: plan, isFree: hop.transport == nil)[...]
      let unknown =
        "the name \(hop.host) could not be resolved: neither DNS nor /etc/hosts has an address for it"
      tryNext(orElse: Answer(status: 503, problem: unknown))
    }
  }

  /// Sends it on a way that is known.
  func start(on flow: SIPFlow) {
    core.keep(self)
    send(on: flow)
  }

  /// Gives an INVITE up (section 9.1): CANCEL after the first provisional answer, and the 487 to come is the answer.
  func cancel(_ headers: [Header]) {
    guard !isOver, !isCancelled else { return }
    isCancelled = true
    cancelHeaders = headers
    guard transaction != nil else { return later(Answer(status: 487)) }
    if hasProvisional { sendCancel() }
  }

  /// Ends here and now; the answer is that there was none.
  func abandon(_ status: Int) {
    transaction?.abandon()
    finish(Answer(status: status))
  }

  /// Answers from the loop's next turn: whoever started the request is still at it.
  private func later(_ answer: Answer) {
    core.later { [weak self] in self?.finish(answer) }
  }

  private func finish(_ answer: Answer) {
    guard !isOver else { return }
    isOver = true
    transaction = nil
    core.forget(self)
    answered(answer)
  }

  private func tryNext(orElse last: Answer) {
    var answer = last
    while let destination = destinations.popFirst() {
      do throws(SIPFailure) {
        return send(on: try core.transports.flow(to: destination))
      } catch {
        core.avoid(destination.address)
        core.log.debug("cannot send", ("to", destination.address.description), ("error", error.description))
        answer.problem = error.description
      }
    }
    if answer.envelope == nil { later(answer) } else { finish(answer) }
  }

  private func send(on flow: SIPFlow) {
    self.flow = flow
    branch = core.transactions.newBranch()
    let bytes = plan.write(
      via: core.via(flow, branch), contact: plan.hasContact ? core.contact(flow, user: contactUser) : nil,
      product: core.settings.product, authorization: authorization)
    let transaction = core.transactions.open(branch, plan.method, flow, bytes)
    self.transaction = transaction
    if plan.method == .invite {
      transaction.writeACK = { [plan, unowned core, branch] response in
        plan.derived(.ack, to: response.headers.first(.to)).write(
          via: core.via(flow, branch), contact: nil, product: core.settings.product)
      }
    }
    transaction.answered = { [weak self] envelope, flow in self?.received(envelope, flow) }
    transaction.failed = { [weak self] status in
      guard let self else { return }
      self.transaction = nil
      core.avoid(flow.remote.socketAddress)
      let peer = flow.remote.socketAddress
      let silence = Answer(
        status: status,
        problem: status == 408
          ? "nothing was heard from \(peer)" : "\(peer) cannot be reached by \(flow.transport.token)")
      // A peer that said something is not replaced by another.
      if isCancelled || hasProvisional { return finish(silence) }
      tryNext(orElse: silence)
    }
    // With others to ask, a silent one is not waited for as long as if it were the only one.
    if !destinations.isEmpty { transaction.patience = core.settings.timers.failover }
    transaction.start()
  }

  private func received(_ envelope: SIPEnvelope, _ flow: SIPFlow) {
    guard case .response(let status, _) = envelope.message.start else { return }
    if status < 200 {
      if !hasProvisional {
        hasProvisional = true
        if isCancelled { sendCancel() }
      }
      return answered(Answer(status: status, envelope: envelope, flow: flow))
    }
    transaction = nil
    let answer = Answer(status: status, envelope: envelope, flow: flow)
    if status == 401 || status == 407, !isCancelled, authorize(envelope, status) {
      hasProvisional = false
      plan.sequence = nextSequence?() ?? plan.sequence + 1
      // To the one that challenged, not to another of the same name.
      return send(on: self.flow ?? flow)
    }
    if status == 503 {
      let seconds = envelope.headers.first(.retryAfter).flatMap { SIPNumber.leadingSeconds($0) }
      core.avoid((self.flow ?? flow).remote.socketAddress, seconds ?? 30)
      if !isCancelled, !destinations.isEmpty { return tryNext(orElse: answer) }
    }
    finish(answer)
  }

  /// Prepares an answer to a challenge (section 22.2). A nonce that was answered before means a wrong password, unless
  /// it is called stale.
  private func authorize(_ envelope: SIPEnvelope, _ status: Int) -> Bool {
    guard let credentials, nonces.count < 3 else { return false }
    let name: SIPHeaderName = status == 401 ? .wwwAuthenticate : .proxyAuthenticate
    let challenges = envelope.headers.values(name).compactMap { SIPDigest.Challenge($0) }.filter {
      credentials.realm == nil || credentials.realm == $0.realm
    }
    // The server lists what it likes best first (RFC 7616 section 3.7).
    let field = status == 401 ? "Authorization" : "Proxy-Authorization"
    guard let challenge = challenges.first, nonces.insert(challenge.nonce).inserted,
      challenge.isStale || !authorization.contains(where: { $0.name == field })
    else { return false }
    let value = SIPDigest.authorization(
      challenge, credentials, method: plan.method.name, uri: plan.uri, count: 1,
      clientNonce: SIPTag.text(rand_u64()))
    authorization.removeAll { $0.name == field }
    authorization.append(Header(field, value))
    return true
  }

  private func sendCancel() {
    guard let flow, let transaction else { return }
    var cancel = plan.derived(.cancel)
    cancel.headers = cancelHeaders
    let bytes = cancel.write(via: core.via(flow, branch), contact: nil, product: core.settings.product)
    let second = core.transactions.open(branch, .cancel, flow, bytes)
    second.start()
    transaction.expectEnd()
  }
}
