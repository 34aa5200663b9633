import Testing

@testable import RouterCore

/// Calls that we place and that ring, or are answered, in several places; the other side writes its own messages.
@Suite(.timeLimit(.minutes(2))) struct SIPBranchTests {
  /// A callee that answers under tags of its own.
  struct Callee {
    let socket: SIPTestSocket
    let client: SIPTestSide
    let invite: String
    let peer: SocketAddress

    func answer(
      _ request: String, _ status: Int, tag: String, _ more: [String] = [], body: String = ""
    ) {
      let echoed = ["Via", "From", "Call-ID", "CSeq"].compactMap { name in
        request.field(name).map { "\(name): \($0)" }
      }
      let to = (request.field("To") ?? "") + ";tag=\(tag)"
      let content = body.isEmpty ? [] : ["Content-Type: application/sdp"]
      let lines =
        ["SIP/2.0 \(status) Because"] + echoed + [
          "To: \(to)", "Contact: <sip:\(tag)@127.0.0.1:\(socket.port)>",
        ]
        + more + content + ["Content-Length: \(body.utf8.count)", "", body]
      socket.send(lines.joined(separator: "\r\n"), to: peer)
    }

    /// An answer in the dialog.
    func reply(to request: String, _ status: Int, _ more: [String] = []) {
      let echoed = ["Via", "From", "To", "Call-ID", "CSeq"].compactMap { name in
        request.field(name).map { "\(name): \($0)" }
      }
      let lines = ["SIP/2.0 \(status) Because"] + echoed + more + ["Content-Length: 0", "", ""]
      socket.send(lines.joined(separator: "\r\n"), to: peer)
    }

    /// A request of the callee in the dialog of that tag.
    func send(_ method: String, tag: String, cseq: Int = 1, _ more: [String] = [], body: String = "") {
      let content = body.isEmpty ? [] : ["Content-Type: application/sdp"]
      let lines =
        [
          "\(method) sip:alice@\(peer) SIP/2.0",
          "Via: SIP/2.0/UDP 127.0.0.1:\(socket.port);rport;branch=z9hG4bK\(tag)\(cseq)", "Max-Forwards: 70",
          "From: \(invite.field("To") ?? "");tag=\(tag)", "To: \(invite.field("From") ?? "")",
          "Call-ID: \(invite.field("Call-ID") ?? "")", "CSeq: \(cseq) \(method)",
          "Contact: <sip:\(tag)@127.0.0.1:\(socket.port)>",
        ] + more + content + ["Content-Length: \(body.utf8.count)", "", body]
      socket.send(lines.joined(separator: "\r\n"), to: peer)
    }
  }

  private func withCallee(
    _ credentials: SIPCredentials? = nil, _ body: (Callee, SIPClientCall, SIPEventLog) async throws -> Void
  ) async throws {
    let client = SIPTestSide(.loopback(t1: .milliseconds(100)))
    let peer = try await client.listen()[0]
    let socket = try SIPTestSocket()
    let (call, log) = try await client.call("sip:bob@127.0.0.1:\(socket.port)") {
      $0.credentials = credentials
    }
    let invite = try await socket.request("INVITE")
    try await body(Callee(socket: socket, client: client, invite: invite, peer: peer), call, log)
    await client.close()
  }

  @Test func aSecondAnswerIsEnded() async throws {
    try await withCallee { callee, call, log in
      callee.answer(callee.invite, 200, tag: "one", body: "v=0 one")
      #expect(try await callee.socket.request("ACK").hasPrefix("ACK sip:one@"))
      _ = try await log.next { if case .answered = $0 { true } else { nil } }
      for _ in 0..<2 {
        callee.answer(callee.invite, 200, tag: "two", body: "v=0 two")
        #expect(try await callee.socket.request("ACK").hasPrefix("ACK sip:two@"))
      }
      let bye = try await callee.socket.request("BYE")
      #expect(bye.hasPrefix("BYE sip:two@"))
      #expect(bye.field("Reason")?.contains("elsewhere") == true)
      callee.answer(bye, 200, tag: "two")
      // The first one goes on.
      callee.send("OPTIONS", tag: "one")
      _ = try await callee.socket.response(200)
      #expect(await callee.client.endpoint.callCount == 1)
      await call.hangUp()
    }
  }

  /// Our call was given up, and its CANCEL came too late (section 9.1), or the call had timed out.
  @Test func anAnswerThatComesTooLateIsEnded() async throws {
    try await withCallee { callee, call, log in
      callee.answer(callee.invite, 180, tag: "one")
      _ = try await log.next { if case .progress = $0 { true } else { nil } }
      await call.cancel()
      let cancel = try await callee.socket.request("CANCEL")
      callee.answer(cancel, 200, tag: "one")
      callee.answer(callee.invite, 487, tag: "one")
      #expect(try await log.ending().cause == .cancelledByUs)
      callee.answer(callee.invite, 200, tag: "two", body: "v=0 late")
      var ack = try await callee.socket.request("ACK")
      while !ack.hasPrefix("ACK sip:two@") { ack = try await callee.socket.request("ACK") }
      #expect(try await callee.socket.request("BYE").hasPrefix("BYE sip:two@"))
    }
  }

  /// The BYE of an ended call crosses a copy of the answer, whose ACK was lost.
  @Test func aCopyOfTheAnswerGetsItsACKAlsoAfterTheEnd() async throws {
    try await withCallee { callee, call, log in
      callee.answer(callee.invite, 200, tag: "one", body: "v=0 one")
      let ack = try await callee.socket.request("ACK")
      _ = try await log.next { if case .answered = $0 { true } else { nil } }
      await call.hangUp()
      callee.answer(try await callee.socket.request("BYE"), 200, tag: "one")
      callee.answer(callee.invite, 200, tag: "one", body: "v=0 one")
      #expect(try await callee.socket.request("ACK") == ack)
    }
  }

  @Test func updatesBeforeTheAnswer() async throws {
    try await withCallee { callee, call, log in
      callee.answer(callee.invite, 180, tag: "one")
      _ = try await log.next { if case .progress = $0 { true } else { nil } }
      // A new Contact is fine, a new offer is not while ours has no answer (RFC 3311 section 5.2).
      callee.send("UPDATE", tag: "one", cseq: 1)
      #expect(try await callee.socket.response(200).field("CSeq") == "1 UPDATE")
      callee.send("UPDATE", tag: "one", cseq: 2, body: "v=0 new")
      #expect(try await callee.socket.response(491).field("CSeq") == "2 UPDATE")
      callee.send("UPDATE", tag: "stranger", cseq: 1)
      _ = try await callee.socket.response(481)
      callee.answer(callee.invite, 183, tag: "one", ["Require: 100rel", "RSeq: 7"], body: "v=0 answer")
      callee.answer(try await callee.socket.request("PRACK"), 200, tag: "one")
      _ = try await log.next { if case .progress = $0 { true } else { nil } }
      callee.send("UPDATE", tag: "one", cseq: 3, body: "v=0 new")
      let offer = try await log.next { if case .offer(let offer) = $0 { offer } else { nil } }
      #expect(offer.sdp == Array("v=0 new".utf8))
      offer.accept(sdp: Array("v=0 ours".utf8))
      let answer = try await callee.socket.response(200)
      #expect(answer.field("CSeq") == "3 UPDATE")
      #expect(answer.hasSuffix("v=0 ours"))
      callee.send("MESSAGE", tag: "one", cseq: 4)
      _ = try await callee.socket.response(405)
      callee.answer(callee.invite, 200, tag: "one")
      _ = try await log.next { if case .answered = $0 { true } else { nil } }
      // The numbers of the early dialog go on.
      callee.send("INFO", tag: "one", cseq: 3)
      _ = try await callee.socket.response(500)
      await call.hangUp()
    }
  }

  /// A REFER that is challenged goes out again with a number of its own, and that is the one its reports name (RFC 3515
  /// section 2.4.6).
  @Test(arguments: [202, 603])
  func aChallengedReferIsFollowed(_ status: Int) async throws {
    try await withCallee(SIPCredentials(username: "u", password: "p")) { callee, call, log in
      callee.answer(callee.invite, 200, tag: "one", body: "v=0 one")
      _ = try await callee.socket.request("ACK")
      let target = try #require(SIPURI("tel:+15550001111"))
      async let answer = call.refer(SIPTransferRequest(target: target))
      let refer = try await callee.socket.request("REFER")
      callee.reply(to: refer, 401, ["WWW-Authenticate: Digest realm=\"r\", nonce=\"n\""])
      var again = try await callee.socket.request("REFER")
      while again.field("Authorization") == nil { again = try await callee.socket.request("REFER") }
      let numbers = [refer, again].map {
        $0.field("CSeq")?.split(separator: " ").first.map(String.init) ?? ""
      }
      #expect(numbers[0] != numbers[1])
      callee.reply(to: again, status)
      #expect(await answer.status == status)
      for (index, number) in numbers.enumerated() {
        callee.send(
          "NOTIFY", tag: "one", cseq: index + 1,
          ["Event: refer;id=\(number)", "Subscription-State: terminated;reason=noresource"])
        let isFollowed = status == 202 && index == 1
        #expect(
          try await callee.socket.answer("\(index + 1) NOTIFY").hasPrefix(
            "SIP/2.0 \(isFollowed ? 200 : 481) "))
      }
      guard status == 202 else { return }
      let news = try await log.next { if case .transferProgress(let progress) = $0 { progress } else { nil } }
      #expect(news.isFinal)
    }
  }

  /// Each request of a branch has a number of its own, also when one had to be sent again with a password.
  @Test func aChallengedPRACKUsesANumberUp() async throws {
    try await withCallee(SIPCredentials(username: "u", password: "p")) { callee, call, log in
      func number(_ request: String) -> Int? {
        request.field("CSeq")?.split(separator: " ").first.flatMap { Int($0) }
      }
      var numbers: [Int?] = []
      for rseq in 7...8 {
        callee.answer(callee.invite, 183, tag: "one", ["Require: 100rel", "RSeq: \(rseq)"])
        for status in [407, 200] {
          var prack = try await callee.socket.request("PRACK")
          while numbers.contains(number(prack)) { prack = try await callee.socket.request("PRACK") }
          numbers.append(number(prack))
          #expect(prack.field("RAck")?.hasPrefix("\(rseq) ") == true)
          #expect((prack.field("Proxy-Authorization") != nil) == (status == 200))
          let nonce = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\(rseq)\""
          callee.reply(to: prack, status, status == 407 ? [nonce] : [])
        }
      }
      let first = try #require(numbers[0])
      #expect(numbers == [first, first + 1, first + 2, first + 3])
      await call.cancel()
    }
  }

  /// The same from the caller's side, to us.
  @Test func updatesOfTheCallerBeforeTheAnswer() async throws {
    try await withSIPServer { side, caller in
      let invitation = try await caller.ring(side)
      caller.send("UPDATE", branch: "u1", cseq: 2)
      let answer = try await caller.socket.response(200)
      #expect(answer.field("CSeq") == "2 UPDATE")
      #expect(answer.field("Contact") != nil)
      caller.send("UPDATE", branch: "u2", cseq: 3, body: "v=0 offer two")
      #expect(try await caller.socket.response(500).field("Retry-After") != nil)
      invitation.call.accept(now: Array("v=0 answer".utf8))
      #expect(try await caller.socket.response(200).field("CSeq") == "1 INVITE")
      caller.send("ACK", branch: "a")
      _ = try await side.log(of: invitation.call.id).next { if case .acknowledged = $0 { true } else { nil } }
    }
  }
}
