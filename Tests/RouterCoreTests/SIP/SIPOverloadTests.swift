import Testing

@testable import RouterCore

@Suite struct SIPOverloadTests {
  @Test func newCallsAreRefusedWhileDatagramsWait() {
    let start = ContinuousClock.now
    var overload = SIPOverload(limit: .milliseconds(200))
    #expect(!overload.refuses(now: start))
    overload.read(after: .milliseconds(200), now: start)
    #expect(!overload.refuses(now: start))
    overload.read(after: .milliseconds(201), now: start)
    #expect(overload.refuses(now: start))
    overload.read(after: .milliseconds(1), now: start)
    #expect(!overload.refuses(now: start))
  }

  @Test func whatIsNotHeardOfIsForgotten() {
    let start = ContinuousClock.now
    var overload = SIPOverload(limit: .milliseconds(200))
    overload.read(after: .seconds(3), now: start)
    #expect(overload.refuses(now: start + .milliseconds(999)))
    #expect(!overload.refuses(now: start + SIPOverload.memory))
  }

  /// The loop is held up while a new call and the end of another one come: the new one is refused, the other served.
  @Test func callsThatAreUpGoOn() async throws {
    let side = SIPTestSide(.loopback { $0.limits.delay = .milliseconds(50) })
    let turnedAway = Lock<[SIPTurnedAway]>([])
    let address = try await side.listen(turnedAway: { why in turnedAway.withLock { $0.append(why) } })[0]

    var caller = try SIPTestCaller(address)
    caller.send("INVITE", branch: "i", body: "v=0 offer")
    let call = try await side.nextInvitation().call
    call.accept(now: Array("v=0 answer".utf8))
    caller.learnTag(try await caller.socket.response(200))
    caller.send("ACK", branch: "a")
    let log = side.log(of: call.id)
    _ = try await log.next { if case .acknowledged = $0 { true } else { nil } }

    let reached = OneShot<Void>()
    let free = Gate()
    side.loop.execute {
      reached.resolve(())
      free.wait()
    }
    await reached.value(cancelled: ())
    let stranger = try SIPTestCaller(address)
    stranger.send("INVITE", branch: "n1", body: "v=0 offer")
    caller.send("BYE", branch: "b", cseq: 2)
    try await Task.sleep(for: .milliseconds(100))  // what is tested is that time passes
    free.open()

    let seconds = try await stranger.socket.response(503).field("Retry-After").flatMap { Int($0) }
    #expect((3...9).contains(seconds ?? 0))
    #expect(try await log.ending().cause == .remoteBye)
    #expect(turnedAway.withLock { $0 } == [.overload])

    // Nothing waits any more.
    stranger.send("INVITE", branch: "n2", cseq: 2, body: "v=0 offer")
    try await side.nextInvitation().call.reject(now: SIPReply(486))
    _ = try await stranger.socket.response(486)
    await side.close()
  }
}
