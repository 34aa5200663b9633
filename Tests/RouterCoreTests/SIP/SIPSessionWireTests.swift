import RouterCore
import Testing

/// Reliable provisional answers and session timers on the wire.
@Suite(.timeLimit(.minutes(2))) struct SIPSessionWireTests {
  // MARK: Reliable provisional answers (RFC 3262)

  @Test func provisionalAnswersWaitForPRACK() async throws {
    try await withSIPServer(.loopback(t1: .milliseconds(200))) { side, caller in
      caller.send("INVITE", branch: "i", ["Require: 100rel"], body: "v=0 offer")
      let invitation = try await side.nextInvitation()
      await invitation.call.ring(SIPReply.sdp(183, Array("v=0 early".utf8)))
      let progress = try await caller.socket.response(183)
      #expect(progress.field("Require") == "100rel")
      let rseq = try #require(progress.field("RSeq").flatMap { UInt32($0) })
      #expect(try await caller.socket.response(183) == progress)
      caller.learnTag(progress)
      // With SDP under way, 200 waits.
      invitation.call.accept(now: Array("v=0 early".utf8))
      caller.send("PRACK", branch: "p0", ["RAck: \(rseq + 1) 1 INVITE"], cseq: 2)
      var answer = try #require(await caller.socket.receive())
      while answer.hasPrefix("SIP/2.0 183") { answer = try #require(await caller.socket.receive()) }
      #expect(answer.hasPrefix("SIP/2.0 481 "))
      caller.send("PRACK", branch: "p1", ["RAck: \(rseq) 1 INVITE"], cseq: 3)
      answer = try await caller.socket.response(200)
      #expect(answer.field("CSeq") == "3 PRACK")
      answer = try await caller.socket.response(200)
      #expect(answer.field("CSeq") == "1 INVITE")
    }
  }

  @Test func withoutPRACKTheCallIsRefused() async throws {
    try await withSIPServer(.loopback(t1: .milliseconds(5))) { side, caller in
      caller.send("INVITE", branch: "i", ["Require: 100rel"], body: "v=0 offer")
      let invitation = try await side.nextInvitation()
      await invitation.call.ring()
      _ = try await caller.socket.response(504)
      #expect(try await side.log(of: invitation.call.id).ending().cause == .notAcknowledged)
    }
  }

  /// The offer must stand in the first reliable answer (RFC 3261 section 13.2.1), and ringing has none.
  @Test func whoWantsOurOfferReliablyGetsItWithTheAnswer() async throws {
    try await withSIPServer { side, caller in
      caller.send("INVITE", branch: "i", ["Require: 100rel"])
      let invitation = try await side.nextInvitation()
      await invitation.call.ring()
      invitation.call.accept(now: Array("v=0 offer".utf8))
      var answer = try #require(await caller.socket.receive())
      while answer.hasPrefix("SIP/2.0 100 ") { answer = try #require(await caller.socket.receive()) }
      #expect(answer.hasPrefix("SIP/2.0 200 ") && answer.hasSuffix("v=0 offer"))
    }
  }

  // MARK: Session timers (RFC 4028)

  private var quick: SIPSettings {
    .loopback(t1: .milliseconds(20)) { $0.sessionTimer.minimum = 1 }
  }

  @Test func theServerRefreshesByUpdate() async throws {
    try await withSIPCall(
      quick, ["Supported: timer", "Session-Expires: 1;refresher=uas", "Allow: INVITE, UPDATE, BYE"]
    ) { call, _, caller in
      for _ in 0..<2 {
        let update = try await caller.socket.request("UPDATE")
        #expect(update.field("Session-Expires") == "1;refresher=uac")
        #expect(update.field("Content-Length") == "0")
        caller.answer(update, 200, ["Session-Expires: 1;refresher=uac"])
      }
      _ = call
    }
  }

  @Test func theServerRefreshesByReinvite() async throws {
    try await withSIPCall(
      quick, ["Supported: timer", "Session-Expires: 1;refresher=uas", "Allow: INVITE, BYE"]
    ) {
      call, log, caller in
      let invite = try await caller.socket.request("INVITE")
      #expect(invite.hasSuffix("\r\n\r\nv=0 answer"))
      caller.answer(
        invite, 200,
        ["Session-Expires: 1;refresher=uac", "Contact: <sip:a@127.0.0.1:\(caller.socket.port)>"],
        body: "v=0 changed")
      _ = try await caller.socket.request("ACK")
      let sdp = try await log.next { if case .acknowledged(let sdp) = $0 { sdp } else { nil } }
      #expect(sdp == Array("v=0 changed".utf8))
      _ = call
    }
  }

  @Test func withoutARefreshTheCallEnds() async throws {
    try await withSIPCall(quick, ["Supported: timer", "Session-Expires: 1;refresher=uac"]) { _, log, caller in
      let bye = try await caller.socket.request("BYE")
      #expect(bye.field("Reason")?.contains("Session expired") == true)
      #expect(try await log.ending().cause == .sessionExpired)
    }
  }

  @Test func aRefreshThatIsUnknownEndsTheCall() async throws {
    try await withSIPCall(quick, ["Supported: timer", "Session-Expires: 6;refresher=uas", "Allow: UPDATE"]) {
      _, log, caller in
      caller.answer(try await caller.socket.request("UPDATE"), 481)
      #expect(try await log.ending().cause == .lost)
    }
  }
}
