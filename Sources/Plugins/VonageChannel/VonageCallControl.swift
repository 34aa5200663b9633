internal import RouterCore

/// One call at Vonage: before the answer, the reply to its webhook says what to do; after it, REST does.
final class VonageCallControl: CallControl {
  /// The reply to the webhook, for whoever holds it open.
  let reply = Promise<NCCO>()

  private struct Transfer {
    var socket: MediaSocketInvitation
    var outcome: OneShot<TransferOutcome>
  }

  private let account: VonageAccount
  private let call: VonageCallID
  /// The number that was called, as Vonage writes it.
  private let called: String
  /// Where Vonage reaches us, with the path that its events begin with.
  private let base: String
  private let rest: VonageREST
  private let transfer = Lock<Transfer?>(nil)

  /// How long a caller is kept waiting when the agent was not ready for the webhook's deadline.
  private static let waitSeconds = 60

  init(_ account: VonageAccount, _ webhook: VonageWebhook, origin: String, _ rest: VonageREST) {
    self.account = account
    call = VonageCallID(uuid: webhook.uuid, region: webhook["region_url"])
    called = webhook["to"] ?? ""
    base = origin + "/voip/" + VonageChannel.name
    self.rest = rest
  }

  private func connect(_ socket: MediaSocketInvitation) -> NCCO {
    .connect(
      socket, from: called, sampleRate: account.sampleRate,
      events: "\(base)/events/\(FormFields.encode(call.uuid))")
  }

  /// The webhook's deadline is near: the caller waits at Vonage, and REST says later how it goes on. Without a key for
  /// REST that is no way. Returns whether it was taken.
  func keepWaiting() -> Bool {
    guard VonageREST.token(account, now: 0) != nil else { return false }
    reply.resolve(.wait(seconds: VonageCallControl.waitSeconds))
    return true
  }

  func answer(_ socket: MediaSocketInvitation) async throws {
    if reply.resolve(connect(socket)) { return }
    do throws(VonageREST.Fault) { try await rest.transfer(call, account, to: connect(socket)) } catch {
      throw LegError(
        error.isGone
          ? CallEnd(.cancelled) : CallEnd(.failed, text: "Vonage would not answer: \(error.message)"))
    }
  }

  /// Vonage has no reasons: a call that gets nothing to do ends.
  func reject(_ end: CallEnd) async {
    if !reply.resolve(.end) { await rest.hangUp(call, account) }
  }

  /// The call ends with its media socket; where there is a key, Vonage is told as well.
  func hangUp(_ end: CallEnd) async {
    if reply.resolve(.end) { return }  // when it was not given yet
    if account.privateKey != nil { await rest.hangUp(call, account) }
  }

  func transfer(_ request: TransferRequest, _ socket: MediaSocketInvitation) async -> TransferOutcome {
    guard let target = TransferDestination(request.target, domain: account.transferDomain) else {
      return .refused(status: 484, reason: "no number or SIP address, and the account has no transferDomain")
    }
    let outcome = OneShot<TransferOutcome>()
    transfer.withLock { $0 = Transfer(socket: socket, outcome: outcome) }
    let ncco = NCCO.call(
      target, from: called, timeout: min(max(request.timeout, 5), 120),
      events: "\(base)/transfer/\(FormFields.encode(call.uuid))")
    do throws(VonageREST.Fault) { try await rest.transfer(call, account, to: ncco) } catch {
      transfer.withLock { $0 = nil }
      return error.isGone ? .callerHungUp : .refused(status: error.status, reason: error.message)
    }
    return await outcome.value(cancelled: .callerHungUp)
  }

  func sendDigits(_ digits: String) async -> Bool {
    let keys = String(digits.map { $0 == "," ? "p" : $0 })  // half a second of pause
    guard account.privateKey != nil, keys.allSatisfy({ "0123456789*#p".contains($0) }) else { return false }
    // What REST refuses is played as tones.
    do throws(VonageREST.Fault) { try await rest.press(keys, call, account) } catch { return false }
    return true
  }

  /// News of the call to whom the caller is handed over to. Returns what the caller is to do now; `nil` leaves it.
  func targetReported(_ webhook: VonageWebhook) -> NCCO? {
    guard let outcome = webhook.transferOutcome else { return nil }
    let pending = transfer.withLock { transfer -> Transfer? in
      defer { transfer = nil }
      return transfer
    }
    guard let pending else { return nil }
    pending.outcome.resolve(outcome)
    return outcome == .completed ? nil : connect(pending.socket)  // nobody was reached: back to the agent
  }
}
