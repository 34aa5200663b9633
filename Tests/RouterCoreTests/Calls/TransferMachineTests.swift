import RouterCore
import Testing

@Suite struct TransferMachineTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var events: [TransferMachine.Event]
    /// What all events together come to; `nil` while it is still open.
    var outcome: TransferOutcome?
    var testDescription: String { name }
  }

  static func report(
    _ status: Int?, _ reason: String = "", last: Bool = false
  ) -> TransferMachine.Event {
    .reported(.init(status: status, reason: reason, isLast: last))
  }

  static let cases = [
    Case(name: "nothing yet", events: []),
    Case(
      name: "202 is not success", events: [.answered(status: 202, reason: "Accepted")]),
    Case(
      name: "the usual way",
      events: [
        .answered(status: 202, reason: "Accepted"), report(100), report(180),
        report(200, "OK", last: true),
      ], outcome: .completed),
    Case(
      name: "reports before the answer",
      events: [
        report(100), report(200, last: true), .answered(status: 202, reason: ""),
      ],
      outcome: .completed),
    Case(
      name: "success in a report that is not the last one",
      events: [.answered(status: 200, reason: "OK"), report(200)], outcome: .completed),
    Case(
      name: "busy",
      events: [.answered(status: 202, reason: ""), report(100), report(486, "Busy Here", last: true)],
      outcome: .failed(status: 486, reason: "Busy Here")),
    Case(
      name: "refused",
      events: [.answered(status: 603, reason: "Decline")],
      outcome: .refused(status: 603, reason: "Decline")),
    Case(
      name: "no answer to the request",
      events: [.answered(status: 408, reason: "Request Timeout")],
      outcome: .refused(status: 408, reason: "Request Timeout")),
    Case(
      name: "redirected target", events: [.answered(status: 202, reason: ""), report(302, "Moved")],
      outcome: .failed(status: 302, reason: "Moved")),
    Case(
      name: "no report at all", events: [.answered(status: 202, reason: ""), .deadline], outcome: .timedOut),
    Case(
      name: "the reports stop half-way",
      events: [.answered(status: 202, reason: ""), report(180), .deadline], outcome: .timedOut),
    Case(
      name: "the last report has no body",
      events: [.answered(status: 202, reason: ""), report(nil, last: true)],
      outcome: .failed(status: 0, reason: "the reports ended without a result")),
    Case(
      name: "the last report is provisional",
      events: [.answered(status: 202, reason: ""), report(180), report(nil, last: true)],
      outcome: .failed(status: 180, reason: "the reports ended without a result")),
    Case(
      name: "the caller hangs up meanwhile",
      events: [.answered(status: 202, reason: ""), report(100), .callerHungUp], outcome: .callerHungUp),
    Case(
      name: "the caller hangs up before the answer", events: [.callerHungUp],
      outcome: .callerHungUp),
  ]

  @Test(arguments: cases) func outcome(_ each: Case) {
    var machine = TransferMachine()
    let finished = each.events.compactMap { event -> TransferOutcome? in
      if case .finish(let outcome) = machine.handle(event) { outcome } else { nil }
    }
    #expect(finished == (each.outcome.map { [$0] } ?? []))
    #expect(machine.isFinished == (each.outcome != nil))
  }

  @Test func nothingHappensAfterTheEnd() {
    var machine = TransferMachine()
    #expect(machine.handle(.deadline) == .finish(.timedOut))
    for event in Self.cases.flatMap(\.events) { #expect(machine.handle(event) == .wait) }
  }
}
