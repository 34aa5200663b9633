import Testing

@testable import RouterCore

@Suite struct SIPOverloadTests {
  /// What is read at which millisecond after how long a wait, and whether a call is refused right after.
  static let stories: [(String, [(at: Int, waited: Int, refuses: Bool)])] = [
    ("in time", [(0, 0, false), (1000, 200, false)]),
    ("late for a while", [(0, 201, false), (199, 300, false), (200, 300, true), (500, 900, true)]),
    ("in time again", [(0, 300, false), (250, 300, true), (251, 1, false), (252, 300, false)]),
    ("a pause of the machine", [(0, 3000, false), (1, 2900, false), (9, 201, false), (10, 0, false)]),
    ("now and then", [(0, 300, false), (3000, 300, false), (6000, 300, false)]),
  ]

  @Test(arguments: stories) func newCallsAreRefusedWhileDatagramsWait(
    _ name: String, _ steps: [(at: Int, waited: Int, refuses: Bool)]
  ) {
    let start = ContinuousClock.now
    var overload = SIPOverload(limit: .milliseconds(200))
    for step in steps {
      let now = start + .milliseconds(step.at)
      overload.read(after: .milliseconds(step.waited), now: now)
      #expect(overload.refuses(now: now) == step.refuses, "\(step)")
    }
  }

  @Test func whatIsNotHeardOfIsForgotten() {
    let start = ContinuousClock.now
    var overload = SIPOverload(limit: .milliseconds(200))
    for time in [0, 500] { overload.read(after: .seconds(3), now: start + .milliseconds(time)) }
    #expect(overload.refuses(now: start + .milliseconds(3499)))
    #expect(!overload.refuses(now: start + .milliseconds(3500)))
  }

  /// What is sent meanwhile waits for 100 ms.
  private func holdUp(_ loop: EventLoop, _ send: () -> Void) async throws {
    let reached = OneShot<Void>()
    let free = Gate()
    loop.execute {
      reached.resolve(())
      free.wait()
    }
    await reached.value(cancelled: ())
    send()
    try await Task.sleep(for: .milliseconds(100))  // what is tested is that time passes
    free.open()
  }

  /// The loop is held up again and again, and a new call and the end of another one come: the new one is refused, the
  /// other served.
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

    let stranger = try SIPTestCaller(address)
    try await holdUp(side.loop) { caller.send("OPTIONS", branch: "o", cseq: 2) }
    _ = try await caller.socket.response(200)
    try await holdUp(side.loop) {
      stranger.send("INVITE", branch: "n1", body: "v=0 offer")
      caller.send("BYE", branch: "b", cseq: 3)
    }

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
