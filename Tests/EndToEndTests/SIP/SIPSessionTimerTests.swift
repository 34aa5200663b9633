import RouterCore
import RouterTesting
import Testing

/// Session timers (RFC 4028) in both roles, with intervals far below what the standard allows, so that nobody waits.
@Suite(.serialized) struct SIPSessionTimerTests {
  static let short = "sessionTimers: {expires: 4, minimum: 2}"

  @Test(arguments: ["session-timer-refreshed-by-caller", "session-timer-refreshed-by-us"])
  func aCallThatShowsNoLifeEnds(_ scenario: String) async throws {
    try await Station.open(SIPSessionTimerTests.short) { station in
      try await Sipp(scenario, to: station.udp).run()
      try await station.journal.over()
      let reason = try #require(station.journal.ending).reason
      #expect(scenario.hasSuffix("by-caller") ? reason == .sessionExpired : reason == .callerHungUp)
    }
  }

  @Test func weRefreshByInviteWhereUpdateIsUnknown() async throws {
    try await Station.open(SIPSessionTimerTests.short) { station in
      try await Sipp("session-timer-by-invite", to: station.udp).run()
    }
  }

  @Test func tooShortAnInterval() async throws {
    try await Station.open(SIPSessionTimerTests.short) { station in
      try await Sipp("session-interval-too-small", to: station.udp).run()
      #expect(station.journal.calls.isEmpty)
    }
  }
}
