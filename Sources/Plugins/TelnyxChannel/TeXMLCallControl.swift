internal import RouterCore

/// One call under TeXML: before the answer, the reply to its webhook says what to do; after it, REST does.
final class TeXMLCallControl: CallControl {
  /// The reply to the webhook, for whoever holds it open.
  let reply = Promise<TeXML>()

  private struct Transfer {
    var socket: MediaSocketInvitation
    var outcome: OneShot<TransferOutcome>
    /// The target has answered; what follows is between the two.
    var isAnswered = false
  }

  private let account: TelnyxAccount
  private let webhook: TeXMLWebhook
  /// Where Telnyx reaches us, with the path that its callbacks begin with.
  private let base: String
  private let rest: TelnyxREST
  private let transfer = Lock<Transfer?>(nil)

  init(_ account: TelnyxAccount, _ webhook: TeXMLWebhook, origin: String, _ rest: TelnyxREST) {
    self.account = account
    self.webhook = webhook
    self.rest = rest
    base = "\(origin)/voip/\(TelnyxChannel.name)"
  }

  func answer(_ socket: MediaSocketInvitation) async throws { reply.resolve(.connect(socket)) }

  func reject(_ end: CallEnd) async { reply.resolve(.reject(isBusy: [486, 600].contains(end.sipStatus))) }

  func hangUp(_ end: CallEnd) async {
    if reply.resolve(.hangUp) { return }  // when it was not given yet
    // A call that is over already is no error; anything else was logged.
    do throws(TelnyxREST.Fault) {
      try await rest.update(webhook.callSid, of: webhook.accountSid, ["Status": "completed"], account)
    } catch {}
  }

  func transfer(_ request: TransferRequest, _ socket: MediaSocketInvitation) async -> TransferOutcome {
    guard let target = TransferDestination(request.target, domain: account.transferDomain) else {
      return .refused(status: 484, reason: "no number or SIP address, and the account has no transferDomain")
    }
    let outcome = OneShot<TransferOutcome>()
    transfer.withLock { $0 = Transfer(socket: socket, outcome: outcome) }
    let sid = FormFields.encode(webhook.callSid)
    let dial = TeXML.dial(
      target, timeout: min(max(request.timeout, 5), 600), action: "\(base)/dial/\(sid)",
      progress: "\(base)/target/\(sid)", callerId: account.callerId)
    do throws(TelnyxREST.Fault) {
      try await rest.update(webhook.callSid, of: webhook.accountSid, ["Texml": .string(dial.text)], account)
    } catch {
      transfer.withLock { $0 = nil }
      return error.isGone ? .callerHungUp : .refused(status: error.status, reason: error.message)
    }
    return await outcome.value(cancelled: .callerHungUp)
  }

  /// Who was called for our caller has answered, or has not.
  func targetReported(_ status: String?) {
    guard status == "in-progress" || status == "answered" else { return }
    let outcome = transfer.withLock { transfer -> OneShot<TransferOutcome>? in
      transfer?.isAnswered = true
      return transfer?.outcome
    }
    outcome?.resolve(.completed)
  }

  /// The call to the target is over: what shall happen with the caller?
  func dialEnded(_ outcome: TransferOutcome) -> TeXML {
    let pending = transfer.withLock { transfer -> Transfer? in
      defer { transfer = nil }
      return transfer
    }
    guard let pending, !pending.isAnswered else { return .hangUp }
    pending.outcome.resolve(outcome)
    // Nobody was reached: back to the agent.
    return outcome == .completed ? .hangUp : .connect(pending.socket)
  }
}
