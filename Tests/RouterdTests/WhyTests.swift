import Foundation
import RouterCore
import Testing

@testable import routerd

/// What `why` and `calls ID` tell of a record.
@Suite struct WhyTests {
  private func record(_ end: CallEnd, _ decision: WrittenJSON?) -> CallRecord {
    var record = CallRecord(
      call: InboundCall(channel: .sip, from: Party(user: "1"), to: Party(user: "2")),
      endedAt: Date(timeIntervalSince1970: 1_790_000_000), end: end)
    record.decision = decision
    return record
  }

  @Test(arguments: [
    (CallEnd(.callerHungUp), nil, "  ended with 200, callerHungUp"),
    (CallEnd(.agentHungUp, text: "said goodbye"), nil, "  ended with 200, agentHungUp: said goodbye"),
    (
      CallEnd(.rejectedByRoute, text: "All busy", sipStatus: 480), "all 3 calls of route desk are taken",
      "  ended with 480, rejectedByRoute: All busy"
    ),
  ])
  func theEndAndTheLimit(end: CallEnd, limit: String?, line: String) throws {
    var decision: [String: JSONValue] = ["summary": "route desk → agent a"]
    decision["limitReached"] = limit.map(JSONValue.string)
    let record = record(end, WrittenJSON(.object(decision)))
    let lines = try WhyCommand.lines(WhyCommand.answer(record))
    #expect(lines.first == "route desk → agent a")
    #expect(lines.last == line)
    #expect(lines.contains("  limit reached: all 3 calls of route desk are taken") == (limit != nil))
    let shown = try CallText.call(["record": JSON.value(record)])
    #expect(shown.contains("all 3 calls of route desk are taken") == (limit != nil))
  }

  @Test func aCallThatWasNeverRouted() throws {
    let end = CallEnd(.limitReached, text: "all 5 calls of trunk carrier are taken", sipStatus: 503)
    #expect(
      try WhyCommand.lines(WhyCommand.answer(record(end, nil))) == [
        "this call was refused before it was routed",
        "  ended with 503, limitReached: all 5 calls of trunk carrier are taken",
      ])
  }
}
