internal import RouterCore

/// One call at Twilio: before the answer, the reply to its webhook says what to do; after it, REST does.
final class TwilioCallControl: CallControl {
  /// The reply to the webhook, for whoever holds it open.
  let reply = Promise<TwiML>()

  private struct Transfer {
    var socket: MediaSocketInvitation
    var outcome: OneShot<TransferOutcome>
    var isOver = false
  }

  private let account: TwilioAccount
  private let callSid: String
  /// Where Twilio reaches us, with the path that its callbacks begin with.
  private let base: String
  private let rest: TwilioREST
  private let transfer = Lock<Transfer?>(nil)

  init(_ account: TwilioAccount, callSid: String, origin: String, _ rest: TwilioREST) {
    self.account = account
    self.callSid = callSid
    base = origin + "/voip/" + TwilioChannel.name
    self.rest = rest
  }

  func answer(_ socket: MediaSocketInvitation) async throws { reply.resolve(connect(socket)) }

  private func connect(_ socket: MediaSocketInvitation) -> TwiML {
    .connect(socket.url, statusCallback: base + "/stream")
  }

  func reject(_ end: CallEnd) async { reply.resolve(.reject(isBusy: [486, 600].contains(end.sipStatus))) }

  func hangUp(_ end: CallEnd) async {
    reply.resolve(.hangUp)  // when it was not given yet
    await rest.hangUp(callSid, account)
  }

  func transfer(_ request: TransferRequest, _ socket: MediaSocketInvitation) async -> TransferOutcome {
    guard let target = TransferDestination(request.target, domain: account.transferDomain) else {
      return .refused(status: 484, reason: "no number or SIP address, and the account has no transferDomain")
    }
    let outcome = OneShot<TransferOutcome>()
    transfer.withLock { $0 = Transfer(socket: socket, outcome: outcome) }
    let dial = TwiML.dial(
      target, timeout: min(max(request.timeout, 5), 600), action: "\(base)/dial/\(callSid)",
      progress: "\(base)/target/\(callSid)", callerId: account.callerId)
    if let refusal = await rest.update(callSid, account, twiml: dial) {
      transfer.withLock { $0 = nil }
      return refusal
    }
    return await outcome.value(cancelled: .callerHungUp)
  }

  /// Who was called for our caller has answered, or has not.
  func targetReported(_ status: String?) {
    if status == "in-progress" { resolve(.completed) }
  }

  /// The call to the target is over: what shall happen with the caller?
  func dialEnded(_ status: String?) -> TwiML {
    let outcome = TwilioCallControl.outcome(ofDial: status)
    guard let socket = transfer.withLock({ $0?.socket }) else { return .hangUp }
    let wasAnswered = transfer.withLock { $0?.isOver ?? true }
    resolve(outcome)
    if wasAnswered || outcome == .completed { return .hangUp }
    return connect(socket)  // nobody was reached: back to the agent
  }

  private func resolve(_ outcome: TransferOutcome) {
    let waiter = transfer.withLock { transfer -> OneShot<TransferOutcome>? in
      if outcome == .completed { transfer?.isOver = true }
      return transfer?.outcome
    }
    waiter?.resolve(outcome)
  }

  /// `DialCallStatus` (https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values).
  static func outcome(ofDial status: String?) -> TransferOutcome {
    switch status {
    case "completed", "answered": .completed
    case "busy": .failed(status: 486, reason: "busy")
    case "no-answer": .failed(status: 480, reason: "no answer")
    case "canceled": .callerHungUp
    default: .failed(status: 503, reason: status ?? "failed")
    }
  }
}
