internal import RouterCore

/// One call under Call Control: everything is asked by REST, the replies to its webhooks say nothing.
final class TelnyxCallControl: CallControl {
  private struct State {
    var commands = 0
    var isReferring = false
    /// Keys that the media socket told, and that webhooks did.
    var keys = (socket: 0, webhook: 0)
  }

  private let account: TelnyxAccount
  private let call: String
  private let rest: TelnyxREST
  private let handOver = HandOver()
  private let state = Lock(State())

  init(_ account: TelnyxAccount, call: String, _ rest: TelnyxREST) {
    self.account = account
    self.call = call
    self.rest = rest
  }

  /// Each command has its own identifier, which Telnyx uses to know a repetition.
  private func command(_ name: String, _ body: [String: JSONValue] = [:]) async throws(TelnyxREST.Fault) {
    let number = state.withLock { state in
      state.commands += 1
      return state.commands
    }
    // Whoever hears of the call twice may ask for its answer twice: that must not make two.
    let id = name == "answer" ? "routerd-answer" : "routerd-\(name)-\(number)"
    try await rest.command(name, body, id: id, call: call, account)
  }

  /// The usual mode is `mp3`, in which our sound would never be heard; the caller's comes as PCMU where Telnyx can.
  static func stream(to socket: MediaSocketInvitation) -> [String: JSONValue] {
    [
      "stream_url": .string(socket.url), "stream_track": "inbound_track", "stream_codec": "PCMU",
      "stream_bidirectional_mode": "rtp", "stream_bidirectional_codec": "PCMU",
    ]
  }

  /// The reasons that a caller's network can be given.
  static func cause(of end: CallEnd) -> String {
    end.isBusy ? "USER_BUSY" : "CALL_REJECTED"
  }

  func answer(_ socket: MediaSocketInvitation) async throws {
    do throws(TelnyxREST.Fault) {
      try await command("answer", TelnyxCallControl.stream(to: socket))
    } catch {
      if error.isGone { throw LegError(CallEnd(.cancelled, text: error.message)) }
      let end = CallEnd(.failed, text: "Telnyx would not answer: \(error.message)")
      // Nobody should go on ringing for nobody.
      if error.kind == .refused { await reject(end) }
      throw LegError(end)
    }
  }

  func reject(_ end: CallEnd) async {
    await attempt("reject", ["cause": .string(TelnyxCallControl.cause(of: end))])
  }

  /// The call does not end with its media socket.
  func hangUp(_ end: CallEnd) async { await attempt("hangup") }

  /// For what has no answer that would change anything; why it failed was logged.
  @discardableResult
  private func attempt(_ name: String, _ body: [String: JSONValue] = [:]) async -> Bool {
    do throws(TelnyxREST.Fault) {
      try await command(name, body)
      return true
    } catch { return false }
  }

  // MARK: Hand-over

  func transfer(_ request: TransferRequest, _ socket: MediaSocketInvitation) async -> TransferOutcome {
    defer { state.withLock { $0.isReferring = false } }
    return await handOver.run(request, socket, domain: account.transferDomain) { target, attempt in
      do throws(TelnyxREST.Fault) {
        if case .sip(let address) = target, account.refersToSIP {
          state.withLock { $0.isReferring = true }
          try await command("refer", ["sip_address": .string(address)])
        } else {
          try await command("transfer", transferBody(target, timeout: request.timeout, attempt: attempt))
        }
        return nil
      } catch { return error.outcome }
    }
  }

  func transferBody(_ target: TransferDestination, timeout: Int, attempt: Int) -> [String: JSONValue] {
    let to =
      switch target {
      case .number(let number): number
      case .sip(let uri): uri
      }
    var body: [String: JSONValue] = [
      "to": .string(to), "timeout_secs": .integer(min(max(timeout, 5), 600)),
      "target_leg_client_state": .string(TelnyxEvent.state(caller: call, attempt: attempt)),
    ]
    if let callerId = account.callerId { body["from"] = .string(callerId) }
    return body
  }

  /// News of the leg that was called for the caller.
  /// - Parameters:
  ///   - attempt: Which one; `nil` for a REFER, which says nothing of it.
  ///   - isHeard: Whether the caller's sound still comes. Telnyx keeps the caller when nobody was reached; where it took the
  ///     sound away, it is asked to bring it back.
  func targetReported(_ outcome: TransferOutcome, attempt: Int?, isHeard: Bool) async {
    guard let socket = handOver.ended(outcome, attempt: attempt), !isHeard else { return }
    await self.attempt("streaming_start", TelnyxCallControl.stream(to: socket))
  }

  /// Whether the caller's own network is asked to hand the caller over: the call's end may be told before the news of that.
  var isReferring: Bool { state.withLock { $0.isReferring } }

  /// The caller was connected to somebody. Returns whether that was asked for and is told.
  func bridged() -> Bool { handOver.answered() }

  // MARK: Keys

  func sendDigits(_ digits: String) async -> Bool {
    let keys = String(digits.uppercased().map { $0 == "," ? "w" : $0 })  // half a second of pause
    guard !keys.isEmpty, keys.allSatisfy({ "0123456789ABCD*#w".contains($0) }) else { return false }
    // What REST refuses is played as tones.
    return await attempt("send_dtmf", ["digits": .string(keys)])
  }

  /// Every key comes twice, by the media socket and by a webhook that may be seconds late: the way that is ahead tells it.
  func takesKey(ofSocket isSocket: Bool) -> Bool {
    state.withLock { state in
      if isSocket { state.keys.socket += 1 } else { state.keys.webhook += 1 }
      return isSocket ? state.keys.socket > state.keys.webhook : state.keys.webhook > state.keys.socket
    }
  }
}
