internal import RouterCore

/// One call at Vonage: before the answer, the reply to its webhook says what to do; after it, REST does.
final class VonageCallControl: ReplyingControl {
  /// The reply to the webhook, for whoever holds it open.
  let reply = Promise<NCCO>()

  private let account: VonageAccount
  private let call: VonageCallID
  /// The number that was called, as Vonage writes it.
  private let called: String
  /// Where Vonage reaches us, with the path that its events begin with.
  private let base: String
  private let rest: VonageREST
  private let handOver = HandOver()

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

  /// The caller waits at Vonage, and REST says later how it goes on. Without a key for REST that is no way.
  func overdue() -> NCCO? {
    rest.hasKey(account) ? .wait(seconds: VonageCallControl.waitSeconds) : nil
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
    await handOver.run(request, socket, domain: account.transferDomain) { target, _ in
      let ncco = NCCO.call(
        target, from: called, timeout: min(max(request.timeout, 5), 120),
        events: "\(base)/transfer/\(FormFields.encode(call.uuid))")
      do throws(VonageREST.Fault) {
        try await rest.transfer(call, account, to: ncco)
        return nil
      } catch {
        // 400 may mean that the call is over, or that Vonage does not like what it was asked; the call's own end is told.
        return error.status == 404 ? .callerHungUp : .refused(status: error.status, reason: error.message)
      }
    }
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
    // Nobody was reached: back to the agent.
    webhook.transferOutcome.flatMap { handOver.ended($0) }.map(connect)
  }
}
