/// A hand-over that a provider reports on by webhook: who waits for its outcome, and where the caller's sound comes back to. For
/// the ``CallControl``s of channels; one at a time.
public final class HandOver: Sendable {
  private struct Pending {
    var socket: MediaSocketInvitation
    var outcome: OneShot<TransferOutcome>
  }

  private struct State {
    var attempts = 0
    var pending: Pending?
  }

  private let state = Lock(State())

  /// None under way.
  public init() {}

  /// Has somebody called for the caller; returns when the outcome is known.
  /// - Parameters:
  ///   - domain: Where extensions live (``TransferDestination/init(_:domain:)``).
  ///   - ask: Asks the provider; gets the number of the attempt, since news of an earlier one may come late. Returns why
  ///     it would not.
  public func run(
    _ request: TransferRequest, _ socket: MediaSocketInvitation, domain: String?,
    _ ask: (_ target: TransferDestination, _ attempt: Int) async -> TransferOutcome?
  ) async -> TransferOutcome {
    guard let target = TransferDestination(request.target, domain: domain) else {
      return .refused(status: 484, reason: "no number or SIP address, and the account has no transferDomain")
    }
    let outcome = OneShot<TransferOutcome>()
    let attempt = state.withLock { state in
      state.attempts += 1
      state.pending = Pending(socket: socket, outcome: outcome)
      return state.attempts
    }
    if let refusal = await ask(target, attempt) {
      state.withLock { $0.pending = nil }
      return refusal
    }
    return await outcome.value(cancelled: .callerHungUp)
  }

  /// The caller was connected to the target. Returns whether somebody waited for that.
  @discardableResult public func answered() -> Bool {
    take(nil)?.outcome.resolve(.completed) ?? false
  }

  /// The call to the target is over. Returns where the caller's sound has to come back to; `nil` when the caller is not ours any
  /// more: the target had answered, or this is not the attempt that is under way.
  public func ended(_ outcome: TransferOutcome, attempt: Int? = nil) -> MediaSocketInvitation? {
    guard let pending = take(attempt) else { return nil }
    pending.outcome.resolve(outcome)
    return outcome == .completed ? nil : pending.socket
  }

  private func take(_ attempt: Int?) -> Pending? {
    state.withLock { state in
      guard attempt ?? state.attempts == state.attempts else { return nil }
      defer { state.pending = nil }
      return state.pending
    }
  }
}
