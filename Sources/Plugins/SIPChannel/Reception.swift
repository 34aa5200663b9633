internal import RouterCore

/// The door: says for each call and each stray request, at once and on the signalling loop, whether it comes in.
///
/// In this order: who it is (trunk by address, or by digest), how many of his calls there are, whether we could talk
/// to him at all (SDP, codec, encryption). Only then the engine is asked where the call goes.
actor Reception {
  private let configuration: SIPChannel.Configuration
  private let host: PluginHost
  private let calls: CallIntake
  private let authenticator: SIPAuthenticator
  private let media: MediaSettings
  private let log: Log

  /// Made anew when the route snapshot has other trunks.
  private var trunks: (list: [Trunk], index: TrunkIndex)
  private var counters: ReceptionCounters
  /// Calls that are up, by trunk; those from no trunk under "".
  private var callsByTrunk: [String: Int] = [:]

  /// What cancels the calls whose function has not returned, refusals under way included.
  private var unfinished: [Int: @Sendable () -> Void] = [:]
  private var nextNumber = 0
  private var isClosing = false
  private var emptied: CheckedContinuation<Void, Never>?

  nonisolated var unownedExecutor: UnownedSerialExecutor { host.loops.signalling.asUnownedSerialExecutor() }

  init(_ configuration: SIPChannel.Configuration, _ host: PluginHost, _ calls: CallIntake) {
    self.configuration = configuration
    self.host = host
    self.calls = calls
    authenticator = SIPAuthenticator(realm: "routerd")
    media = mediaSettings(configuration)
    log = host.log.labelled(SIPChannel.name)
    let list = host.trunks()
    trunks = (list, TrunkIndex(list))
    counters = ReceptionCounters(host.metrics)
  }

  /// What the SIP endpoint calls, on the signalling loop.
  nonisolated var handlers: SIPHandlers {
    SIPHandlers(
      invitation: { invitation in self.assumeIsolated { $0.receive(invitation) } },
      request: { request in self.assumeIsolated { $0.receive(request) } },
      admits: { source, _ in self.assumeIsolated { $0.admits(source) } },
      turnedAway: { why in self.assumeIsolated { $0.turnedAway(why) } })
  }

  /// The index of the trunks in force. Comparing is quick: the same snapshot gives the same array.
  private var index: TrunkIndex {
    let list = host.trunks()
    if list != trunks.list { trunks = (list, TrunkIndex(list)) }
    return trunks.index
  }

  /// Silence for strangers, if that is wanted; where some trunk is known by its password alone, anybody may knock.
  private func admits(_ source: SocketAddress) -> Bool {
    guard configuration.unknownSources == .ignore else { return true }
    let index = index
    return index.trunk(from: source.ip) != nil || !index.byUsername.isEmpty
  }

  // MARK: Calls

  private func receive(_ invitation: SIPInvitation) -> SIPInvitationDecision {
    let request = invitation.request
    let trunk: Trunk?
    switch identify(request) {
    case .known(let found): trunk = found
    case .refused(let reply):
      count("unauthorized")
      return .refuse(reply)
    case .ignored:
      count("ignored")
      return .ignore
    }
    let call = inboundCall(request, trunk: trunk)
    do throws(Refusal) {
      if let reply = invitation.refusal { throw Refusal(reply) }
      try checkLimit(trunk)
      let session = try self.session(for: invitation)
      return take(invitation, call, session)
    } catch {
      count(error.end.reason.rawValue)
      log.with("call", call.id.text).info(
        "refused", ("status", "\(error.end.sipStatus)"), ("why", error.end.text),
        ("source", "\(request.arrival.source)"))
      note(call, error.end)
      return .refuse(error.reply)
    }
  }

  private func take(
    _ invitation: SIPInvitation, _ call: InboundCall, _ session: SessionPlan
  ) -> SIPInvitationDecision {
    let trunk = call.trunk ?? ""
    let leg = SIPLeg(
      invitation, session, mediaLoop: host.loops.nextMediaLoop(), signalling: host.loops.signalling,
      log: log.with("call", call.id.text),
      released: { [weak self] in self?.assumeIsolated { $0.change(trunk, by: -1) } })
    // We are on our way out, and nobody would serve the call.
    if isClosing { return .refuse(SIPReply(503, headers: [Header("Retry-After", "30")])) }
    count("accepted")
    change(trunk, by: 1)
    return .take { event in
      leg.assumeIsolated { $0.handle(event) }
    } begin: {
      self.assumeIsolated { $0.begin(call, leg) }
    }
  }

  /// The call is the engine's from here on, without a task: it lives on this loop.
  private func begin(_ call: InboundCall, _ leg: SIPLeg) {
    let number = add()
    unfinished[number] = calls.start(call, on: leg) { self.finished(number, leg) }
  }

  /// Leaves a record of a call that we refused.
  private func note(_ call: InboundCall, _ end: CallEnd) {
    let number = add()
    Task {
      await calls.refused(call, end)
      finished(number, nil)
    }
  }

  private func add() -> Int {
    nextNumber += 1
    unfinished[nextNumber] = {}
    return nextNumber
  }

  /// The engine is done with a call.
  private nonisolated func finished(_ number: Int, _ leg: SIPLeg?) {
    host.loops.signalling.execute { self.assumeIsolated { $0.forget(number, leg) } }
  }

  private func forget(_ number: Int, _ leg: SIPLeg?) {
    leg?.assumeIsolated { $0.close() }
    unfinished[number] = nil
    guard unfinished.isEmpty, let emptied else { return }
    self.emptied = nil
    emptied.resume()
  }

  /// Lets nobody in any more, hangs up, and returns when every call is over.
  func close() async {
    isClosing = true
    for cancel in unfinished.values { cancel() }
    if unfinished.isEmpty { return }
    await withCheckedContinuation { emptied = $0 }
  }

  private func change(_ trunk: String, by step: Int) {
    let calls = callsByTrunk[trunk, default: 0] + step
    callsByTrunk[trunk] = calls > 0 ? calls : nil
    counters.calls(of: trunk).set(Double(calls))
  }

  /// Trunks with a `maximumCalls` of their own are counted by the engine, which tries the route's other targets.
  private func checkLimit(_ trunk: Trunk?) throws(Refusal) {
    guard trunk?.maximumCalls == nil else { return }
    let name = trunk?.name ?? ""
    guard callsByTrunk[name, default: 0] < configuration.limits.callsPerTrunk else {
      throw Refusal(
        CallEnd(
          .limitReached, text: "\(configuration.limits.callsPerTrunk) calls of \(trunk?.name ?? "strangers")",
          sipStatus: 503, retryAfter: 5))
    }
  }

  /// Reads the offer and tries an answer, so that a caller with whom we have nothing in common costs no agent.
  private func session(for invitation: SIPInvitation) throws(Refusal) -> SessionPlan {
    let wish = wish(configuration, invitation.request.arrival)
    var plan = SessionPlan(
      media: media, negotiation: SDPNegotiation(wish), offer: nil,
      expectedFormat: (wish.codecs.first ?? .pcmu).wireFormat)
    guard let body = invitation.sdp else { return plan }
    do throws(SDPError) {
      let offer = try SessionDescription(parsing: body)
      _ = try plan.negotiation.answer(to: offer)
      plan.offer = offer
      if let codec = plan.negotiation.parameters?.codec { plan.expectedFormat = codec.wireFormat }
      return plan
    } catch {
      let reason: CallEnd.Reason = error.sipStatus == 400 ? .malformed : .noCommonCodec
      throw Refusal(CallEnd(reason, text: error.description, sipStatus: error.sipStatus))
    }
  }

  // MARK: Who it is

  private enum Identity {
    case known(Trunk?)
    case refused(SIPReply)
    case ignored
  }

  /// By address, then by password. Headers say nothing about who sent them (RFC 3261 section 26.1.1).
  private func identify(_ request: SIPRequest) -> Identity {
    let index = index
    if let trunk = index.trunk(from: request.arrival.source.ip) {
      guard let credentials = trunk.credentials else { return .known(trunk) }
      return authenticate(request) {
        $0 == credentials.username ? credentials.password : nil
      } found: { _ in
        trunk
      }
    }
    if !index.byUsername.isEmpty, configuration.unknownSources != .accept || mayProveItself(request) {
      return authenticate(request) {
        index.byUsername[$0]?.credentials?.password
      } found: {
        index.byUsername[$0]
      }
    }
    switch configuration.unknownSources {
    case .accept: return .known(nil)
    case .ignore: return .ignored
    case .reject: return .refused(SIPReply(403))
    }
  }

  private func mayProveItself(_ request: SIPRequest) -> Bool {
    request.headers.contains("Authorization") || request.headers.contains("Proxy-Authorization")
  }

  private func authenticate(
    _ request: SIPRequest, password: (String) -> String?, found: (String) -> Trunk?
  ) -> Identity {
    switch authenticator.verify(request, password: password) {
    case .accepted(let username): .known(found(username))
    case .challenge(let stale): .refused(authenticator.challenge(stale: stale))
    case .refused: .refused(SIPReply(403))
    }
  }

  // MARK: Everything else

  /// OPTIONS is how trunks see whether we live: any answer will do for most, and 503 takes us out of the rotation.
  private func receive(_ request: SIPRequest) -> SIPRequestDecision {
    if index.trunk(from: request.arrival.source.ip) == nil {
      switch configuration.unknownSources {
      case .accept: break
      case .ignore: return .ignore
      case .reject: return .reply(SIPReply(403))
      }
    }
    guard request.method == .options, host.isDraining() else { return .standard }
    return .reply(SIPReply(503, headers: [Header("Retry-After", "30")]))
  }

  /// Counted, not recorded: their number is the caller's choice (decision 101).
  private func turnedAway(_ why: SIPTurnedAway) {
    count(why.rawValue)
    guard let number = counters.turnAway(why, at: .now) else { return }
    log.warning("new calls are turned away", ("why", why.rawValue), ("calls", "\(number)"))
  }

  private func count(_ result: String) { counters.invitations(result).add() }
}

/// Why a call is not let in, for the caller's network and for the record.
struct Refusal: Error {
  var end: CallEnd
  var reply: SIPReply

  init(_ end: CallEnd) {
    self.end = end
    reply = rejection(end)
  }

  /// What the SIP stack could not accept.
  init(_ reply: SIPReply) {
    let reason: CallEnd.Reason = reply.status == 406 || reply.status == 415 ? .noCommonCodec : .malformed
    let words = reply.headers.map { "; \($0.name): \($0.value)" }.joined()
    end = CallEnd(reason, text: SIPStatus.reason(reply.status) + words, sipStatus: reply.status)
    self.reply = reply
  }
}
