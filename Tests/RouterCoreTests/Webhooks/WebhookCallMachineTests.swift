import Testing

@testable import RouterCore

/// Webhooks, sockets and wishes in every order.
@Suite struct WebhookCallMachineTests {
  typealias Event = WebhookCallMachine.Event
  typealias Action = WebhookCallMachine.Action

  private static let gone = CallEnd(.callerHungUp, text: "over")
  private static let us = CallEnd(.agentHungUp)
  private static let busy = CallEnd(.limitReached)

  /// Short words for what was done, so that a table can be read.
  private func play(_ events: [Event]) -> String {
    var machine = WebhookCallMachine()
    return events.map { event in
      machine.handle(event).map(word).joined(separator: " ")
    }.joined(separator: " | ")
  }

  private func word(_ action: Action) -> String {
    switch action {
    case .askAnswer: "ASK-ANSWER"
    case .askReject: "ASK-REJECT"
    case .askHangUp: "ASK-HANGUP"
    case .waitForSocket: "wait"
    case .stopWaiting: "stop"
    case .answered: "answered"
    case .notAnswered(let end): "failed:\(end.reason)"
    case .tell(.cancelled): "cancelled"
    case .tell(.hungUp(let end)): "hungUp:\(end.reason)"
    case .tell(let event): "\(event)"
    case .closeSocket: "close"
    case .tellTransfer(let outcome): "transfer:\(outcome)"
    case .finish: "finish"
    }
  }

  private static let end = "stop close finish"

  @Test(
    arguments: [
      // The usual call, ended by each side.
      (
        [.answer, .socketStarted, .socketEnded(.inOrder)],
        "wait ASK-ANSWER | stop answered | hungUp:callerHungUp \(end)"
      ),
      (
        [.answer, .socketStarted, .ended(gone), .socketEnded(.inOrder)],
        "wait ASK-ANSWER | stop answered | hungUp:callerHungUp \(end) | "
      ),
      (
        [.answer, .socketStarted, .hangUp(us), .hangUp(us), .socketEnded(.inOrder), .ended(gone)],
        "wait ASK-ANSWER | stop answered | ASK-HANGUP \(end) |  |  | "
      ),
      // A socket that breaks does not end the provider's call: we do.
      (
        [.answer, .socketStarted, .socketEnded(.broken("reset"))],
        "wait ASK-ANSWER | stop answered | hungUp:callerHungUp ASK-HANGUP \(end)"
      ),
      // One that we give up is lost: the caller did not hang up.
      (
        [.answer, .socketStarted, .socketEnded(.givenUp("deaf"))],
        "wait ASK-ANSWER | stop answered | hungUp:mediaLost ASK-HANGUP \(end)"
      ),
      // Refused, given up, too late.
      (
        [.reject(busy), .reject(busy), .answer, .ended(gone)],
        "ASK-REJECT \(end) |  | failed:limitReached | "
      ),
      ([.ended(gone), .reject(busy), .answer], "cancelled \(end) |  | failed:callerHungUp"),
      (
        [.answer, .ended(gone), .socketStarted],
        "wait ASK-ANSWER | failed:cancelled cancelled \(end) | close"
      ),
      (
        [.answer, .refused(busy), .socketStarted],
        "wait ASK-ANSWER | failed:limitReached \(end) | close"
      ),
      // The socket never comes, or goes at once, or comes before anybody asked.
      (
        [.answer, .deadline, .deadline, .socketStarted],
        "wait ASK-ANSWER | failed:notAcknowledged ASK-HANGUP \(end) |  | close"
      ),
      (
        [.answer, .socketEnded(.broken("reset"))],
        "wait ASK-ANSWER | failed:notAcknowledged ASK-HANGUP \(end)"
      ),
      ([.socketStarted, .answer], "close | wait ASK-ANSWER"),
      ([.answer, .answer], "wait ASK-ANSWER | failed:failed"),
      ([.hangUp(us), .hangUp(us)], "ASK-REJECT \(end) | "),
      ([.answer, .hangUp(us)], "wait ASK-ANSWER | ASK-HANGUP failed:agentHungUp \(end)"),
      // Transfers: answered, busy with the sound taken away and brought back, or never back.
      (
        [
          .answer, .socketStarted, .transfer, .socketEnded(.inOrder), .transferEnded(.completed),
          .ended(gone),
        ],
        "wait ASK-ANSWER | stop answered |  |  | transfer:completed \(end) | "
      ),
      (
        [
          .answer, .socketStarted, .transfer, .socketEnded(.inOrder), .transferEnded(.timedOut),
          .socketStarted,
          .socketEnded(.inOrder),
        ],
        "wait ASK-ANSWER | stop answered |  |  | wait transfer:timedOut | stop | hungUp:callerHungUp \(end)"
      ),
      (
        [
          .answer, .socketStarted, .transfer, .socketEnded(.inOrder), .socketStarted,
          .transferEnded(.timedOut),
        ],
        "wait ASK-ANSWER | stop answered |  |  | stop | transfer:timedOut"
      ),
      (
        [
          .answer, .socketStarted, .transfer, .socketEnded(.inOrder), .transferEnded(.timedOut),
          .deadline,
        ],
        "wait ASK-ANSWER | stop answered |  |  | wait transfer:timedOut | hungUp:notAcknowledged ASK-HANGUP \(end)"
      ),
      (
        [.answer, .socketStarted, .transfer, .ended(gone), .transferEnded(.completed)],
        "wait ASK-ANSWER | stop answered |  | hungUp:callerHungUp transfer:callerHungUp \(end) | "
      ),
      (
        [.answer, .socketStarted, .transfer, .hangUp(us)],
        "wait ASK-ANSWER | stop answered |  | ASK-HANGUP transfer:callerHungUp \(end)"
      ),
      (
        [.answer, .socketStarted, .transfer, .transfer],
        "wait ASK-ANSWER | stop answered |  | transfer:refused(status: 491, reason: \"a transfer is under way\")"
      ),
    ] as [([Event], String)])
  func everyOrder(events: [Event], expected: String) { #expect(play(events) == expected) }

  /// Whatever comes: one finish, and nothing but refusals after it.
  @Test func afterTheEndNothingHappens() {
    let all: [Event] = [
      .answer, .reject(Self.busy), .hangUp(Self.us), .transfer, .refused(Self.busy), .ended(Self.gone),
      .transferEnded(.completed), .transferEnded(.timedOut), .socketStarted, .socketEnded(.inOrder),
      .socketEnded(.broken("reset")), .deadline,
    ]
    for _ in 0..<5000 {
      var machine = WebhookCallMachine()
      var finished = false
      var answers = 0
      var wishes = 0
      for _ in 0..<20 {
        guard let event = all.randomElement() else { return }
        if event == .answer { wishes += 1 }
        for action in machine.handle(event) {
          switch action {
          case .finish:
            #expect(!finished)
            finished = true
          case .answered, .notAnswered: answers += 1
          case .closeSocket, .tellTransfer, .stopWaiting: break
          default: #expect(!finished, "\(action) after the end")
          }
        }
      }
      #expect(answers <= wishes)
    }
  }
}
