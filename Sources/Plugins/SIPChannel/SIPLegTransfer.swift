internal import RouterCore

/// Handing the caller over by REFER. ``TransferMachine`` says what it all means; here it is fed and obeyed.
extension SIPLeg {
  func transfer(_ request: TransferRequest) async -> TransferOutcome {
    switch state {
    case .ended: return .callerHungUp
    case .ringing, .answering: return .refused(status: 491, reason: "the call is not answered yet")
    case .up: break
    }
    guard transfer == nil else { return .refused(status: 491, reason: "a transfer is under way") }
    guard let target = referTarget(request.target, domain: domain) else {
      return .refused(status: 400, reason: "no extension, number or SIP address: \(request.target)")
    }
    let outcome = OneShot<TransferOutcome>()
    transfer = (TransferMachine(), outcome)
    log.info("transfer", ("to", "\(target)"))
    // The answer may come after the outcome (news travel faster at times), so nobody waits for it here.
    let asking = Task { [call] in
      let response = await call.refer(SIPTransferRequest(target: target))
      advanceTransfer(.answered(status: response.status, reason: response.reason))
    }
    let deadline = Task {
      // Cancelled when the outcome is known: then there is no deadline.
      guard (try? await Task.sleep(for: .seconds(request.timeout))) != nil else { return }
      advanceTransfer(.deadline)
    }
    let result = await outcome.value(cancelled: .callerHungUp)
    deadline.cancel()
    asking.cancel()
    transfer = nil
    log.info("transfer over", ("outcome", "\(result)"))
    // At once: the network keeps both parties in silence until then.
    if result == .completed { await hangUp(CallEnd(.transferred)) }
    return result
  }

  func advanceTransfer(_ event: TransferMachine.Event) {
    guard var transfer else { return }
    let action = transfer.machine.handle(event)
    self.transfer = transfer
    if case .finish(let outcome) = action { transfer.outcome.resolve(outcome) }
  }
}
