import RouterCore
import Testing

/// What an endpoint does on the wire, against a peer that says exactly what the test wants.
@Suite(.timeLimit(.minutes(2))) struct SIPWireTests {
  @Test func theAnswerHasWhatBelongsIntoIt() async throws {
    try await withSIPServer { side, caller in
      let proxy = "<sip:127.0.0.1:\(caller.socket.port);lr>"
      caller.send(
        "INVITE", branch: "i", ["Record-Route: \(proxy), <sip:p2;lr>", "Record-Route: <sip:p3;lr>"],
        body: "v=0 offer")
      let invitation = try await side.nextInvitation()
      let trying = try await caller.socket.response(100)
      #expect(trying.field("To")?.contains("tag=") == false)
      await invitation.call.ring(SIPReply(180, headers: [Header("X-A", "b")]))
      let ringing = try await caller.socket.response(180)
      invitation.call.accept(now: Array("v=0".utf8), headers: [Header("X-Route", "r")])
      let answer = try await caller.socket.response(200)
      #expect(ringing.field("To") == answer.field("To"))
      #expect(ringing.field("X-A") == "b")
      #expect(answer.contains("Record-Route: \(proxy), <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"))
      #expect(answer.field("Contact") == "<sip:bob@\(caller.address)>")
      #expect(answer.field("X-Route") == "r")
      #expect(answer.field("Content-Length") == "3")
      #expect(answer.hasSuffix("\r\n\r\nv=0"))
      caller.learnTag(answer)
      caller.send("ACK", branch: "a")
      _ = try await side.log(of: invitation.call.id).next { if case .acknowledged = $0 { true } else { nil } }
      await invitation.call.hangUp([.q850(16)])
      let bye = try await caller.socket.request("BYE")
      #expect(bye.hasPrefix("BYE sip:alice@127.0.0.1:\(caller.socket.port) SIP/2.0\r\n"))
      #expect(bye.contains("Route: \(proxy)\r\nRoute: <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n"))
      #expect(bye.field("Reason") == "Q.850;cause=16")
      #expect(bye.field("To") == "<sip:alice@127.0.0.1>;tag=ft")
    }
  }

  @Test func copiesOfARequestGetTheSameAnswer() async throws {
    try await withSIPServer { side, caller in
      caller.send("INVITE", branch: "i")
      let invitation = try await side.nextInvitation()
      await invitation.call.ring()
      let first = try await caller.socket.response(180)
      caller.send("INVITE", branch: "i")
      #expect(try await caller.socket.response(180) == first)
      await invitation.call.reject(SIPReply(486))
      let busy = try await caller.socket.response(486)
      // Without ACK it comes again by itself (timer G), and for each copy of the INVITE.
      #expect(try await caller.socket.response(486) == busy)
      caller.send("INVITE", branch: "i")
      #expect(try await caller.socket.response(486) == busy)
      caller.learnTag(busy)
      caller.send("ACK", branch: "i")
      while await caller.socket.receive(within: .milliseconds(100)) != nil {}
      #expect(await side.endpoint.callCount == 0)
      // The same request by another way (section 8.2.2.2).
      caller.toTag = nil
      caller.send("INVITE", branch: "other")
      _ = try await caller.socket.response(482)
    }
  }

  @Test func cancelBeforeAndAfterTheAnswer() async throws {
    try await withSIPServer { side, caller in
      caller.send("INVITE", branch: "i")
      let invitation = try await side.nextInvitation()
      caller.send("CANCEL", branch: "i", ["Reason: SIP;cause=200;text=\"elsewhere\""])
      let cancelled = try await caller.socket.response(200)
      #expect(cancelled.field("CSeq") == "1 CANCEL")
      let terminated = try await caller.socket.response(487)
      #expect(terminated.field("To") == cancelled.field("To"))
      caller.send("ACK", branch: "i")
      let ending = try await side.log(of: invitation.call.id).ending()
      #expect(ending.cause == .cancelled)
      #expect(ending.reasons == [.sip(200, "elsewhere")])

      caller.number = 2
      caller.send("INVITE", branch: "j", body: "v=0 offer")
      let second = try await side.nextInvitation()
      second.call.accept(now: [1])
      caller.learnTag(try await caller.socket.response(200))
      let tag = caller.toTag
      caller.toTag = nil
      caller.send("CANCEL", branch: "j")
      var response = try await caller.socket.response(200)
      while response.field("CSeq") != "2 CANCEL" { response = try await caller.socket.response(200) }
      caller.toTag = tag
      caller.send("ACK", branch: "k")
      _ = try await side.log(of: second.call.id).next { if case .acknowledged = $0 { true } else { nil } }
      #expect(await side.endpoint.callCount == 1)
    }
  }

  @Test func withoutACKTheCallEnds() async throws {
    try await withSIPServer(.loopback(t1: .milliseconds(5))) { side, caller in
      caller.send("INVITE", branch: "i")
      let invitation = try await side.nextInvitation()
      await #expect(throws: SIPCallOver.self) { try await invitation.call.accept(sdp: [1]) }
      let first = try await caller.socket.response(200)
      #expect(try await caller.socket.response(200) == first)
      let bye = try await caller.socket.request("BYE")
      caller.answer(bye, 200)
      #expect(try await side.log(of: invitation.call.id).ending().cause == .notAcknowledged)
    }
  }

  /// Hanging up before ACK waits for it (section 15).
  @Test func byeWaitsForACK() async throws {
    try await withSIPServer { side, caller in
      caller.send("INVITE", branch: "i")
      let invitation = try await side.nextInvitation()
      invitation.call.accept(now: [1])
      let answer = try await caller.socket.response(200)
      await invitation.call.hangUp()
      #expect(try await caller.socket.response(200) == answer)
      caller.learnTag(answer)
      caller.send("ACK", branch: "a")
      _ = try await caller.socket.request("BYE")
      #expect(try await side.log(of: invitation.call.id).ending().cause == .localBye)
    }
  }

  @Test func requestsInTheCallAreChecked() async throws {
    try await withSIPCall { call, log, caller in
      caller.send("OPTIONS", branch: "o", cseq: 7)
      _ = try await caller.socket.response(200)
      caller.send("INFO", branch: "old", cseq: 6)
      _ = try await caller.socket.response(500)
      caller.send("OPTIONS", branch: "alien", cseq: 8, fromTag: "other")
      _ = try await caller.socket.response(481)
      caller.send("INVITE", branch: "r1", cseq: 9, body: "v=0 one")
      let offer = try await log.next { if case .offer(let offer) = $0 { offer } else { nil } }
      _ = try await caller.socket.response(100)
      caller.send("INVITE", branch: "r2", cseq: 10, body: "v=0 two")
      let busy = try await caller.socket.response(500)
      #expect(busy.field("Retry-After").flatMap { Int($0) } != nil)
      caller.send("ACK", branch: "r2", cseq: 10)
      offer.accept(sdp: Array("v=0".utf8))
      _ = try await caller.socket.response(200)
      caller.send("INVITE", branch: "r3", cseq: 11, body: "v=0 three")
      _ = try await caller.socket.response(491)
      caller.send("ACK", branch: "r3", cseq: 11)
      caller.send("ACK", branch: "a1", cseq: 9)
      caller.send("BYE", branch: "b", cseq: 12)
      _ = try await caller.socket.response(200)
      #expect(try await log.ending().cause == .remoteBye)
      caller.send("BYE", branch: "c", cseq: 13)
      _ = try await caller.socket.response(481)
      _ = call
    }
  }

  /// Two INVITEs in the same dialog, and the first has no answer yet (section 14.2).
  @Test func aSecondInviteBeforeTheAnswerWaits() async throws {
    try await withSIPServer { side, caller in
      let invitation = try await caller.ring(side)
      caller.send("INVITE", branch: "j", cseq: 2, body: "v=0 other")
      let refused = try await caller.socket.answer("2 INVITE")
      #expect(refused.hasPrefix("SIP/2.0 500 "))
      #expect(refused.field("Retry-After").flatMap { Int($0) }.map { (0...10).contains($0) } == true)
      caller.send("ACK", branch: "j", cseq: 2)
      invitation.call.accept(now: Array("v=0 answer".utf8))
      #expect(try await caller.socket.answer("1 INVITE").hasPrefix("SIP/2.0 200 "))
      caller.send("ACK", branch: "a")
      _ = try await side.log(of: invitation.call.id).next { if case .acknowledged = $0 { true } else { nil } }
    }
  }

  @Test func aNewContactIsUsed() async throws {
    try await withSIPCall { call, _, caller in
      let other = try SIPTestSocket()
      let text = caller.text("UPDATE", branch: "u", cseq: 2).replacing(
        "Contact: <sip:alice@127.0.0.1:\(caller.socket.port)>",
        with: "Contact: <sip:new@127.0.0.1:\(other.port)>")
      caller.socket.send(text, to: caller.address)
      _ = try await caller.socket.response(200)
      await call.hangUp()
      #expect(try await other.request("BYE").hasPrefix("BYE sip:new@127.0.0.1:\(other.port) SIP/2.0"))
    }
  }

  /// Contact and Via name an address that only the caller's own network knows; its packets come from elsewhere.
  @Test func aCallerBehindNATIsReached() async throws {
    try await withSIPServer { side, caller in
      func spoiled(_ text: String) -> String {
        text.replacing("UDP 127.0.0.1:\(caller.socket.port)", with: "UDP 10.99.0.7:5060")
          .replacing("alice@127.0.0.1:\(caller.socket.port)", with: "alice@10.99.0.7:5060")
      }
      caller.socket.send(spoiled(caller.text("INVITE", branch: "i", body: "v=0 offer")), to: caller.address)
      let invitation = try await side.nextInvitation()
      invitation.call.accept(now: Array("v=0 answer".utf8))
      caller.learnTag(try await caller.socket.response(200))
      caller.socket.send(spoiled(caller.text("ACK", branch: "a")), to: caller.address)
      _ = try await side.log(of: invitation.call.id).next { if case .acknowledged = $0 { true } else { nil } }
      await invitation.call.hangUp()
      #expect(try await caller.socket.request("BYE").hasPrefix("BYE sip:alice@10.99.0.7:5060 "))
    }
  }
}
