/// The life of a call that a provider announced: what our wishes, its webhooks and its media sockets mean, in whatever
/// order they come. Pure; ``WebhookLeg`` obeys.
struct WebhookCallMachine {
  enum State: Equatable {
    /// Announced; nobody has decided yet.
    case ringing
    /// The provider was asked to connect its media socket.
    case connecting
    /// Sound flows, unless the provider has taken it away for a moment.
    case up
    /// The provider was asked to hand the caller over; the sound may go and come back.
    case transferring
    case over(CallEnd)
  }

  enum Event: Equatable {
    // What we want.
    case answer
    case reject(CallEnd)
    case hangUp(CallEnd)
    case transfer
    // What the provider says.
    case refused(CallEnd)
    case ended(CallEnd)
    case transferEnded(TransferOutcome)
    // What its media socket does.
    case socketStarted
    case socketEnded(MediaSocketEnd)
    /// A media socket was waited for long enough.
    case deadline
  }

  enum Action: Equatable {
    case askAnswer
    case askReject(CallEnd)
    case askHangUp(CallEnd)
    case waitForSocket
    case stopWaiting
    /// Our wish to answer has come true, or has not.
    case answered
    case notAnswered(CallEnd)
    case tell(LegEvent)
    case closeSocket
    case tellTransfer(TransferOutcome)
    /// The last one.
    case finish
  }

  private(set) var state = State.ringing
  private var hasSocket = false

  mutating func handle(_ event: Event) -> [Action] {
    switch event {
    case .socketStarted: return started()
    case .socketEnded(let how): return socketEnded(how)
    case .deadline: return deadline()
    case .ended(let end): return ended(end)
    case .transferEnded(let outcome): return transferEnded(outcome)
    case .answer:
      guard state == .ringing else { return [.notAnswered(endSoFar)] }
      state = .connecting
      return [.waitForSocket, .askAnswer]
    case .refused(let end):
      guard state == .connecting else { return [] }
      return [.notAnswered(end)] + finish(end)
    case .reject(let end):
      guard state == .ringing else { return [] }
      return [.askReject(end)] + finish(end)
    case .hangUp(let end): return hangUp(end)
    case .transfer:
      switch state {
      case .up:
        state = .transferring
        return []
      case .transferring: return [.tellTransfer(.refused(status: 491, reason: "a transfer is under way"))]
      case .over: return [.tellTransfer(.callerHungUp)]
      case .ringing, .connecting:
        return [.tellTransfer(.refused(status: 491, reason: "the call is not answered yet"))]
      }
    }
  }

  private var endSoFar: CallEnd {
    if case .over(let end) = state { end } else { CallEnd(.failed, text: "the call was answered already") }
  }

  private mutating func started() -> [Action] {
    switch state {
    case .connecting:
      hasSocket = true
      state = .up
      return [.stopWaiting, .answered]
    case .up, .transferring:
      hasSocket = true
      return [.stopWaiting]
    // A stranger's, or one that was late: sound that nobody waits for.
    case .ringing, .over: return [.closeSocket]
    }
  }

  private mutating func socketEnded(_ how: MediaSocketEnd) -> [Action] {
    hasSocket = false
    switch state {
    case .connecting:
      let end = CallEnd(.notAcknowledged, text: "the media socket did not last: \(how.why)")
      return [.notAnswered(end), .askHangUp(end)] + finish(end)
    case .up:
      let end =
        switch how {
        case .inOrder: CallEnd(.callerHungUp, text: how.why)
        case .broken: CallEnd(.callerHungUp, text: "the media socket broke: \(how.why)")
        case .givenUp: CallEnd(.mediaLost, text: "the media socket was given up: \(how.why)")
        }
      // A broken socket does not end the caller's call everywhere: nobody should pay for silence.
      return [.tell(.hungUp(end))] + (how == .inOrder ? [] : [.askHangUp(end)]) + finish(end)
    case .ringing, .transferring, .over: return []
    }
  }

  private mutating func deadline() -> [Action] {
    let end = CallEnd(.notAcknowledged, text: "the provider opened no media socket in time")
    switch state {
    case .connecting: return [.notAnswered(end), .askHangUp(end)] + finish(end)
    case .up where !hasSocket: return [.tell(.hungUp(end)), .askHangUp(end)] + finish(end)
    case .ringing, .up, .transferring, .over: return []
    }
  }

  private mutating func ended(_ end: CallEnd) -> [Action] {
    switch state {
    case .ringing: return [.tell(.cancelled)] + finish(end)
    case .connecting:
      // Answered for the provider, perhaps, but nobody was ever heard.
      return [.notAnswered(CallEnd(.cancelled)), .tell(.cancelled)] + finish(end)
    case .up, .transferring: return [.tell(.hungUp(end))] + finish(end)
    case .over: return []
    }
  }

  private mutating func hangUp(_ end: CallEnd) -> [Action] {
    switch state {
    case .ringing: return [.askReject(end)] + finish(end)
    case .connecting: return [.askHangUp(end), .notAnswered(end)] + finish(end)
    case .up, .transferring: return [.askHangUp(end)] + finish(end)
    case .over: return []
    }
  }

  private mutating func transferEnded(_ outcome: TransferOutcome) -> [Action] {
    guard state == .transferring else { return [] }
    if outcome == .completed { return [.tellTransfer(outcome)] + finish(CallEnd(.transferred)) }
    state = .up
    // The caller is ours again; the sound may still be on its way back.
    return (hasSocket ? [] : [.waitForSocket]) + [.tellTransfer(outcome)]
  }

  private mutating func finish(_ end: CallEnd) -> [Action] {
    let wasTransferring = state == .transferring
    state = .over(end)
    return (wasTransferring && end.reason != .transferred ? [.tellTransfer(.callerHungUp)] : [])
      + [.stopWaiting, .closeSocket, .finish]
  }
}
