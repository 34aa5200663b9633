import RouterCore
import Testing

@testable import SIPChannel

@Suite struct InvitationSyntaxTests {
  struct RejectionCase: Sendable, CustomTestStringConvertible {
    var end: CallEnd
    var status: Int
    var phrase: String?
    var headers: [String]
    var testDescription: String { "\(end.reason) \(end.text)" }
  }

  static let rejections: [RejectionCase] = [
    RejectionCase(end: CallEnd(.noRoute), status: 404, headers: ["Reason: Q.850;cause=1"]),
    RejectionCase(
      end: CallEnd(.noRoute, text: "no route for +15550100"), status: 404,
      headers: ["Reason: Q.850;cause=1;text=\"no route for +15550100\""]),
    RejectionCase(
      end: CallEnd(.draining, retryAfter: 30), status: 503,
      headers: ["Reason: Q.850;cause=42", "Retry-After: 30"]),
    RejectionCase(
      end: CallEnd(.rejectedByRoute, text: "Not today", sipStatus: 480), status: 480, phrase: "Not today",
      headers: ["Reason: Q.850;cause=18;text=\"Not today\""]),
    // What could break out of its line, or is longer than anybody wants to read, is left out.
    RejectionCase(
      end: CallEnd(.rejectedByRoute, text: "a\r\nX: y"), status: 603, headers: ["Reason: Q.850;cause=21"]),
    RejectionCase(
      end: CallEnd(.rejectedByRoute, text: String(repeating: "a", count: 101)), status: 603,
      headers: ["Reason: Q.850;cause=21"]),
    // A call that is refused is never answered, whatever the end says.
    RejectionCase(end: CallEnd(.agentHungUp), status: 480, headers: ["Reason: Q.850;cause=16"]),
    RejectionCase(end: CallEnd(.failed, sipStatus: 700), status: 480, headers: ["Reason: Q.850;cause=41"]),
  ]

  @Test(arguments: rejections) func rejectionSaysWhy(_ each: RejectionCase) {
    let reply = rejection(each.end)
    #expect(reply.status == each.status)
    #expect(reply.reason == each.phrase)
    #expect(reply.headers.map { "\($0.name): \($0.value)" } == each.headers)
  }

  @Test func headersOfTheEngineComeFirst() {
    let reply = rejection(CallEnd(.noRoute), headers: [Header("X-Route-Decision", "d-1")])
    #expect(reply.headers.map(\.name) == ["X-Route-Decision", "Reason"])
  }

  static let endings: [(SIPCallEnding, CallEnd)] = [
    (SIPCallEnding(.remoteBye, status: 200), CallEnd(.callerHungUp)),
    (
      SIPCallEnding(.remoteBye, status: 200, reasons: [.sip(200), .q850(31, "Normal, unspecified")]),
      CallEnd(.callerHungUp, text: "Normal, unspecified", q850: 31)
    ),
    (
      SIPCallEnding(.cancelled, status: 487, reasons: [.sip(200, "Call completed elsewhere")]),
      CallEnd(.cancelled, text: "Call completed elsewhere")
    ),
    (SIPCallEnding(.timedOut, status: 480), CallEnd(.noAnswer)),
    (SIPCallEnding(.refusedByUs, status: 603), CallEnd(.failed, sipStatus: 603)),
  ]

  @Test(arguments: endings) func endingsInOurWords(_ ending: SIPCallEnding, _ end: CallEnd) {
    #expect(callEnd(ending) == end)
  }

  @Test func headersGoAlongWithinLimits() {
    let secrets = [Header("Authorization", "Digest x"), Header("PROXY-Authorization", "Digest y")]
    let few = metadata(SIPHeaders(secrets + [Header("X-A", "1"), Header("x-a", "2")]))
    #expect(few == [Header("X-A", "1"), Header("x-a", "2")])
    let many = metadata(SIPHeaders((0..<1000).map { Header("X-\($0)", "v") }))
    #expect(many.count == MetadataLimit.fields)
    let large = metadata(SIPHeaders((0..<10).map { Header("X-\($0)", String(repeating: "v", count: 4000)) }))
    #expect(large.count == 4)
  }
}
