/// The way of a message that came in.
extension SIPCore {
  func received(_ bytes: UnsafeRawBufferPointer, _ flow: SIPFlow, _ waited: Duration?) {
    if let waited { overload.read(after: waited, now: .now) }
    switch SIPParser.parse(bytes, isDatagram: flow.transport == .udp, limits: settings.limits) {
    case .keepAlive, .rubbish: return
    case .message(let message):
      switch message.start {
      case .request(let method, _): request(message, method, flow)
      case .response(let status, _): response(message, status, flow)
      }
    }
  }

  // MARK: Responses

  private func response(_ message: SIPMessage, _ status: Int, _ flow: SIPFlow) {
    guard case .success(let envelope)? = SIPEnvelope.open(message) else { return }
    // A transaction that had its refusal waits only for copies of it: a 2xx is of another branch.
    let isSuccess = envelope.cseq.method == .invite && (200..<300).contains(status)
    if let transaction = transactions.client(envelope), !(isSuccess && transaction.isCompleted) {
      transaction.received(envelope, status, flow)
    } else if isSuccess, let tag = envelope.fromTag,
      let number = envelope.headers.withBytes(tag, { SIPTag.number($0) }),
      let call = calls[number] ?? endedCalls[number]
    {
      // A 2xx after the first one ends no transaction: a copy, or another branch that answered (section 13.2.2.4).
      call.answeredAgain(envelope, flow)
    }
  }

  // MARK: Requests

  private func request(_ message: SIPMessage, _ method: SIPMethod, _ flow: SIPFlow) {
    let envelope: SIPEnvelope
    switch SIPEnvelope.open(message) {
    case nil: return
    case .failure(let defect)?: return refuse(message, method, defect, flow)
    case .success(let opened)?: envelope = opened
    }
    let key = SIPTransactionKey(envelope)
    if let transaction = transactions.server(key) {
      switch method {
      case .ack where !(200..<300).contains(transaction.lastStatus): return transaction.acknowledged()
      case .ack: break  // of a peer that uses one branch for all
      case .cancel: return cancel(transaction, envelope, flow)
      default: return transaction.requestCameAgain()
      }
    }
    let call = envelope.toTag.flatMap { tag in
      envelope.headers.withBytes(tag) { SIPTag.number($0) }.flatMap { calls[$0] }
    }
    if let call, call.isDialog(of: envelope) {
      if method == .ack { return call.acknowledged(envelope) }
      return inDialog(call, key, envelope, flow)
    }
    if let call, let branch = call.earlyBranch(of: envelope) {
      if method != .ack { call.inEarlyDialog(branch, key, envelope, flow) }
      return
    }
    switch method {
    case .ack: return
    case .cancel: statelessly(481, envelope, flow)
    default: outOfDialog(key, envelope, flow)
    }
  }

  /// A request that is not what it should be. It opens nothing: a copy of it is refused in the same words.
  private func refuse(_ message: SIPMessage, _ method: SIPMethod, _ defect: SIPDefect, _ flow: SIPFlow) {
    guard method != .ack, let range = message.headers.range(.via), let via = SIPVia(message.headers, range),
      handlers?.admits(flow.remote.socketAddress, flow.transport) == true
    else { return }
    var writer = SIPWriter()
    writer.beginResponse(
      defect.status, defect.status == 400 ? "Bad Request - \(defect.words)" : defect.words, to: message,
      via: via,
      source: flow.remote.socketAddress,
      toTag: message.headers.first(.to).map { $0.contains("tag=") } == true ? nil : statelessTag(message))
    writer.field("Server", settings.product)
    if defect.status == 505 { writer.field("Supported", SIPCore.supported.joined(separator: ", ")) }
    writer.end()
    var back = flow
    if flow.transport == .udp, via.bareRport == nil { back.remote.port = via.port ?? 5060 }
    _ = transports.send(writer.bytes, on: back)
  }

  /// Answers without remembering (section 8.2.7).
  func statelessly(_ status: Int, _ envelope: SIPEnvelope, _ flow: SIPFlow, headers: [Header] = []) {
    var writer = SIPWriter()
    writer.beginResponse(
      status, SIPStatus.reason(status), to: envelope.message, via: envelope.via,
      source: flow.remote.socketAddress,
      toTag: envelope.toTag == nil ? statelessTag(envelope.message) : nil)
    writer.field("Server", settings.product)
    writer.fields(headers)
    writer.end()
    _ = transports.send(writer.bytes, on: transactions.responseFlow(envelope, flow))
  }

  /// The same tag for each copy of a request.
  private func statelessTag(_ message: SIPMessage) -> String {
    var hasher = Hasher()
    hasher.combine(message.headers.first(.callID))
    hasher.combine(message.headers.first(.from))
    hasher.combine(message.headers.first(.via))
    return SIPTag.text(UInt64(bitPattern: Int64(hasher.finalize())))
  }

  private func cancel(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope, _ flow: SIPFlow) {
    // 200 to CANCEL in any case, with the same tag as the answers to INVITE (section 9.2).
    var writer = SIPWriter()
    writer.beginResponse(
      200, "OK", to: envelope.message, via: envelope.via, source: transaction.arrival.source,
      toTag: envelope.toTag == nil ? transaction.toTag : nil)
    writer.field("Server", settings.product)
    writer.end()
    _ = transports.send(writer.bytes, on: transactions.responseFlow(envelope, flow))
    guard !transaction.hasFinalAnswer else { return }
    transaction.cancelled?(SIPReason.all(in: envelope.headers))
  }

  private func outOfDialog(_ key: SIPTransactionKey, _ envelope: SIPEnvelope, _ flow: SIPFlow) {
    let arrival = arrival(flow)
    guard let handlers, handlers.admits(arrival.source, flow.transport) else { return }
    // A tag of ours that we do not know: a call of before, or somebody's guess (section 12.2.2).
    guard envelope.toTag == nil else { return statelessly(481, envelope, flow) }
    let method = envelope.cseq.method
    if method == .invite, overload.refuses(now: .now) { return turnAway(.overload, envelope, flow) }
    var envelope = envelope
    do throws(SIPDefect) {
      try envelope.readParties()
    } catch {
      return refuse(envelope.message, method, error, flow)
    }
    let merge = SIPMergeKey(envelope)
    guard !transactions.isMerged(merge) else { return statelessly(482, envelope, flow) }
    guard transactions.serverCount < settings.limits.transactions else {
      return statelessly(503, envelope, flow, headers: [Header("Retry-After", "5")])
    }
    if method == .invite {
      invite(key, merge, envelope, flow, arrival)
    } else {
      let unknown = unsupported(envelope.headers)
      guard unknown.isEmpty else {
        return statelessly(
          420, envelope, flow, headers: [Header("Unsupported", unknown.joined(separator: ", "))])
      }
      let transaction = transactions.open(
        key, merge: merge, envelope, flow, arrival, toTag: SIPTag.text(transactions.newBranch()))
      other(transaction, envelope, handlers)
    }
  }

  /// What a request requires and we do not have (section 8.2.2.3).
  func unsupported(_ headers: SIPHeaders) -> [String] {
    guard headers.contains(.require) else { return [] }
    return headers.list(.require).filter { tag in !SIPCore.supported.contains { $0.equalsFolded(tag) } }
  }

  /// A request that starts no call.
  private func other(_ transaction: SIPServerTransaction, _ envelope: SIPEnvelope, _ handlers: SIPHandlers) {
    switch handlers.request(SIPCore.request(envelope, transaction.arrival)) {
    case .ignore: transaction.abandon()
    case .reply(let reply): transaction.answer(reply)
    case .standard: transaction.answer(SIPCore.standardReply(envelope.cseq.method))
    }
  }

  static func standardReply(_ method: SIPMethod) -> SIPReply {
    switch method {
    case .options:
      SIPReply(
        200,
        headers: [
          Header("Allow", allowed), Header("Accept", "application/sdp"),
          Header("Accept-Encoding", "identity"),
          Header("Supported", supported.joined(separator: ", ")),
        ])
    case .subscribe, .publish: SIPReply(489, headers: [Header("Allow-Events", "refer")])
    case .notify, .bye, .prack, .update, .info, .refer: SIPReply(481)
    // One that nobody here has ever heard of (section 21.5.2).
    case .other: SIPReply(501, headers: [Header("Allow", allowed)])
    default: SIPReply(405, headers: [Header("Allow", allowed)])
    }
  }
}
