/// A request that came, and our answer to it (RFC 3261 section 17.2, RFC 6026).
final class SIPServerTransaction {
  enum State {
    /// No final answer yet.
    case proceeding
    /// A final answer was sent and may have to be sent again.
    case completed
    /// The final answer has arrived, or its time is over.
    case finished
  }

  let number: SIPTransactionNumber
  let key: SIPTransactionKey
  let mergeKey: SIPMergeKey?
  let method: SIPMethod
  /// The tag that every answer of ours carries; `nil` when the request has one already.
  let toTag: String?
  /// Where the request came from.
  let flow: SIPFlow
  let arrival: SIPArrival
  /// The request; given up with the final answer.
  private(set) var envelope: SIPEnvelope?
  private(set) var state = State.proceeding
  private(set) var lastStatus = 0
  /// The last answer, while a copy of the request would get it again. That of a 2xx to INVITE is none of these: the call
  /// itself sends it again (RFC 6026 section 7.1).
  private var last: [UInt8] = []
  private var retransmission: LoopTimer?
  private unowned let layer: SIPTransactions

  /// Called when CANCEL comes before the final answer, with what it said.
  var cancelled: (([SIPReason]) -> Void)?

  init(
    number: SIPTransactionNumber, key: SIPTransactionKey, mergeKey: SIPMergeKey?, envelope: SIPEnvelope,
    flow: SIPFlow, arrival: SIPArrival, toTag: String?, layer: SIPTransactions
  ) {
    self.number = number
    self.key = key
    self.mergeKey = mergeKey
    self.envelope = envelope
    self.flow = flow
    self.arrival = arrival
    self.toTag = toTag
    self.layer = layer
    method = envelope.cseq.method
  }

  var isInvite: Bool { method == .invite }
  var hasFinalAnswer: Bool { state != .proceeding }

  /// Begins a response to this request; `nil` once there was a final one.
  func begin(_ status: Int, _ reason: String? = nil, recordsRoute: Bool = false) -> SIPWriter? {
    guard let envelope else { return nil }
    var writer = SIPWriter()
    writer.beginResponse(
      status, reason ?? SIPStatus.reason(status), to: envelope.message, via: envelope.via,
      source: arrival.source, toTag: status == 100 ? nil : toTag, recordsRoute: recordsRoute)
    writer.field("Server", layer.settings.product)
    return writer
  }

  /// Sends a response; the last one is kept for retransmissions of the request.
  func send(_ status: Int, _ bytes: [UInt8]) {
    guard state == .proceeding else { return }
    lastStatus = status
    last = bytes
    transmit()
    guard status >= 200 else { return }
    state = .completed
    envelope = nil
    cancelled = nil
    // Half a minute is long at a thousand calls a second: no more is kept than will be sent.
    last = isInvite && status < 300 ? [] : bytes.withUnsafeBufferPointer { Array($0) }
    if isInvite, status >= 300, !flow.transport.isReliable { retransmit(after: layer.settings.timers.t1) }
    layer.finished(self)
  }

  /// Sends a short answer without body.
  func answer(_ status: Int, _ reason: String? = nil, headers: [Header] = []) {
    answer(SIPReply(status, reason: reason, headers: headers))
  }

  func answer(_ reply: SIPReply) {
    guard var writer = begin(reply.status, reply.reason) else { return }
    writer.fields(reply.headers)
    writer.end(contentType: reply.contentType, body: reply.body)
    send(reply.status, writer.bytes)
  }

  /// The same request again.
  func requestCameAgain() {
    if !last.isEmpty { transmit() }
  }

  /// ACK for a final answer of 300 and above.
  func acknowledged() {
    guard isInvite, state == .completed else { return }
    finish()
  }

  /// The final answer needs not be sent again; only the key is remembered, to absorb late copies of the request.
  func finish() {
    state = .finished
    retransmission = nil
    last = []
  }

  /// Ends without any answer, and is forgotten: a copy of the request is a new one.
  func abandon() {
    finish()
    envelope = nil
    cancelled = nil
    layer.drop(self)
  }

  private func transmit() { layer.sendResponse(last, self) }

  private func retransmit(after delay: Duration) {
    let timer = retransmission ?? LoopTimer()
    retransmission = timer
    timer.start(after: delay) { [unowned self] in
      transmit()
      retransmit(after: min(delay * 2, layer.settings.timers.t2))
    }
  }
}
