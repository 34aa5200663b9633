import RouterCore
import RouterTesting
import Testing

/// Handing a caller over by REFER, with all that peers make of it.
@Suite(.serialized) struct SIPTransferTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var scenario: String
    var outcome: TransferOutcome
    var timeout = 10
    var testDescription: String { scenario }
  }

  static let cases = [
    Case(scenario: "refer", outcome: .completed),
    Case(scenario: "refer-news-first", outcome: .completed),
    Case(scenario: "refer-busy", outcome: .failed(status: 486, reason: "Busy Here")),
    Case(scenario: "refer-refused", outcome: .refused(status: 603, reason: "Decline")),
    Case(scenario: "refer-no-news", outcome: .timedOut, timeout: 1),
    Case(scenario: "refer-hang-up", outcome: .callerHungUp),
  ]

  @Test(arguments: cases) func outcome(_ each: Case) async throws {
    try await Station.open(script: Station.transfer(to: "0200", timeout: each.timeout)) { station in
      try await Sipp(each.scenario, to: station.udp).run()
      try await station.journal.over()
      let outcomes = station.journal.events.compactMap { event in
        if case .transferred(let outcome) = event { outcome } else { nil }
      }
      #expect(outcomes == [each.outcome])
      // Whatever the outcome, the call had one end: ours after a success, the caller's otherwise.
      #expect(station.journal.ending?.reason == (each.outcome == .completed ? nil : .callerHungUp))
    }
  }
}
