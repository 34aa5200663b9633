/// A request of ours on one way to one peer (RFC 3261 section 17.1).
final class SIPClientTransaction {
  private enum State { case calling, proceeding, completed, ended }

  let number: UInt64
  let method: SIPMethod
  let flow: SIPFlow
  private let bytes: [UInt8]
  private var state = State.calling
  private var acknowledgement: [UInt8] = []
  private let retransmission = LoopTimer()
  private let timeout = LoopTimer()
  private unowned let layer: SIPTransactions

  /// Less time for the first answer than the timers give.
  var patience: Duration?
  /// Writes the ACK for a final answer of 300 and above: only for INVITE.
  var writeACK: ((SIPEnvelope) -> [UInt8])?
  /// Provisional and final answers; a final one is the last thing that is heard.
  var answered: ((SIPEnvelope, SIPFlow) -> Void)?
  /// No answer: 408 after a time-out, 503 when the peer cannot be reached (section 8.1.3.1).
  var failed: ((Int) -> Void)?

  init(number: UInt64, method: SIPMethod, flow: SIPFlow, bytes: [UInt8], layer: SIPTransactions) {
    self.number = number
    self.method = method
    self.flow = flow
    self.bytes = bytes
    self.layer = layer
  }

  /// The final answer came; copies of it are absorbed.
  var isCompleted: Bool { state == .completed }
  private var isInvite: Bool { method == .invite }

  func start() {
    let timers = layer.settings.timers
    let usual = timers.noResponse ?? timers.timeout
    timeout.start(after: min(usual, patience ?? usual)) { [unowned self] in fail(408) }
    if !flow.transport.isReliable { retransmit(after: timers.t1) }
    if layer.transports.send(bytes, on: flow) != 0 {
      // The owner must have its transaction before it hears of the failure.
      timeout.start(after: .zero) { [unowned self] in fail(503) }
    }
  }

  private func retransmit(after delay: Duration) {
    retransmission.start(after: delay) { [unowned self] in
      _ = layer.transports.send(bytes, on: flow)
      // INVITE doubles without bound until its time is over, others up to T2 (sections 17.1.1.2 and 17.1.2.2).
      let next = state == .proceeding ? layer.settings.timers.t2 : delay * 2
      retransmit(after: isInvite ? delay * 2 : min(next, layer.settings.timers.t2))
    }
  }

  func received(_ envelope: SIPEnvelope, _ status: Int, _ flow: SIPFlow) {
    switch state {
    case .ended: return
    case .completed:
      if isInvite, status >= 300 { _ = layer.transports.send(acknowledgement, on: self.flow) }
    case .calling, .proceeding:
      if status < 200 {
        if isInvite {
          retransmission.cancel()
          timeout.cancel()
        }
        state = .proceeding
        answered?(envelope, flow)
      } else {
        retransmission.cancel()
        timeout.cancel()
        let answered = self.answered
        if isInvite, status >= 300, let writeACK {
          acknowledgement = writeACK(envelope)
          _ = layer.transports.send(acknowledgement, on: self.flow)
        }
        let mustAbsorb = isInvite && status >= 300 && !self.flow.transport.isReliable
        state = .completed
        forget()
        if mustAbsorb { layer.absorb(self) } else { layer.remove(self) }
        answered?(envelope, flow)
      }
    }
  }

  /// After CANCEL the final answer must come within 64 × T1 (section 9.1).
  func expectEnd() {
    guard state == .proceeding else { return }
    timeout.start(after: layer.settings.timers.timeout) { [unowned self] in fail(408) }
  }

  /// The connection that it went out on is gone.
  func lostConnection() {
    if state == .calling || state == .proceeding { fail(503) }
  }

  /// Ends without telling anybody.
  func abandon() {
    state = .ended
    retransmission.cancel()
    timeout.cancel()
    forget()
    layer.remove(self)
  }

  private func fail(_ status: Int) {
    let failed = self.failed
    abandon()
    failed?(status)
  }

  private func forget() {
    answered = nil
    failed = nil
    writeACK = nil
  }
}
