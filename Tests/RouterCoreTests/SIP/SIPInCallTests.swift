import RouterCore
import Testing

/// What happens in a call between two endpoints.
@Suite(.timeLimit(.minutes(2))) struct SIPInCallTests {
  @Test func sessionsChangeInBothDirections() async throws {
    try await withSIPSidesInCall { server, serverLog, client, clientLog in
      async let hold = client.reinvite(sdp: Array("v=0 hold".utf8))
      let offer = try await serverLog.next { if case .offer(let offer) = $0 { offer } else { nil } }
      #expect(offer.sdp == Array("v=0 hold".utf8))
      offer.accept(sdp: Array("v=0 held".utf8))
      #expect(await hold.sdp == Array("v=0 held".utf8))
      _ = try await serverLog.next { if case .acknowledged = $0 { true } else { nil } }

      async let resume = server.reinvite(sdp: Array("v=0 resume".utf8))
      let second = try await clientLog.next { if case .offer(let offer) = $0 { offer } else { nil } }
      second.reject()
      #expect(await resume.status == 488)

      async let update = client.request(
        .update, headers: [Header("Contact", "<sip:new@127.0.0.1>")], contentType: "application/sdp",
        body: Array("v=0 update".utf8))
      let third = try await serverLog.next { if case .offer(let offer) = $0 { offer } else { nil } }
      third.accept(sdp: Array("v=0 updated".utf8))
      #expect(await update.sdp == Array("v=0 updated".utf8))
    }
  }

  @Test func sessionsWithoutAnOfferAsk() async throws {
    try await withSIPSidesInCall { server, serverLog, client, _ in
      async let response = client.reinvite(sdp: [])
      let offer = try await serverLog.next { if case .offer(let offer) = $0 { offer } else { nil } }
      #expect(offer.sdp == nil)
      offer.accept(sdp: Array("v=0 all".utf8))
      #expect(await response.sdp == Array("v=0 all".utf8))
      // No answer came with ACK: there is no session any more (RFC 3261 section 13.2.1).
      #expect(try await serverLog.ending().cause == .notAcknowledged)
      _ = server
    }
  }

  /// Both change the session at once: both get 491, both try again, one after the other (section 14.1).
  @Test func changesThatCross() async throws {
    try await withSIPSidesInCall { server, serverLog, client, clientLog in
      async let one = client.reinvite(sdp: Array("v=0 one".utf8))
      async let two = server.reinvite(sdp: Array("v=0 two".utf8))
      let answering = Task {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for log in [serverLog, clientLog] {
            group.addTask {
              let offer = try await log.next { if case .offer(let offer) = $0 { offer } else { nil } }
              offer.accept(sdp: Array("v=0 ok".utf8))
            }
          }
          try await group.waitForAll()
        }
      }
      let statuses = await [one.status, two.status]
      // On a busy machine the second try may cross again: then one of the two is left without.
      #expect([[200, 200], [200, 491], [491, 200]].contains(statuses))
      answering.cancel()
    }
  }

  @Test func infoAndForeignRequests() async throws {
    try await withSIPSidesInCall { server, serverLog, client, _ in
      async let info = client.info(contentType: "application/dtmf-relay", body: Array("Signal=5\r\n".utf8))
      let pending = try await serverLog.next { if case .info(let request) = $0 { request } else { nil } }
      #expect(pending.request.contentType == "application/dtmf-relay")
      pending.respond(SIPReply(200))
      pending.respond(SIPReply(500))
      #expect(await info.status == 200)
      #expect(await client.request(.info, headers: [Header("Info-Package", "x")]).status == 469)
      #expect(await client.request(.options).status == 200)
      #expect(await client.request(.update).status == 200)
      #expect(await client.request(.message).status == 405)
      #expect(await client.request(.other("FOO")).headers["Allow"] != nil)
      #expect(await client.request(.subscribe).status == 489)
      #expect(await client.request(.notify, headers: [Header("Event", "refer")]).status == 481)
      #expect(await client.request(.refer).status == 400)
      #expect(await client.request(.info, headers: [Header("Require", "bogus")]).status == 420)
      _ = server
    }
  }

  @Test func anUndecidedRequestGets500() async throws {
    try await withSIPSidesInCall(.loopback { $0.timers.decision = .milliseconds(50) }) {
      _, serverLog, client, _ in
      #expect(await client.info(contentType: "x/y", body: [1]).status == 500)
      _ = try await serverLog.next { if case .info = $0 { true } else { nil } }
    }
  }

  @Test func transfersAreFollowed() async throws {
    try await withSIPSidesInCall { server, serverLog, client, clientLog in
      let target = try #require(SIPURI("tel:+15550001111"))
      async let answer = server.refer(SIPTransferRequest(target: target))
      let referral = try await clientLog.next {
        if case .referred(let referral) = $0 { referral } else { nil }
      }
      #expect(referral.target.uri == target)
      #expect(referral.referredBy?.uri.host == "127.0.0.1")
      referral.accept()
      #expect(await answer.status == 202)
      await referral.report(180)
      await referral.report(486, reason: "Busy Here")
      await referral.report(200)
      var news: [SIPTransferProgress] = []
      while news.last?.isFinal != true {
        news.append(
          try await serverLog.next { if case .transferProgress(let progress) = $0 { progress } else { nil } })
      }
      #expect(news.map(\.status) == [100, 180, 486])
      #expect(news.map(\.reason) == ["Trying", "Ringing", "Busy Here"])
      async let second = server.refer(SIPTransferRequest(target: target))
      let refused = try await clientLog.next {
        if case .referred(let referral) = $0 { referral } else { nil }
      }
      refused.reject()
      #expect(await second.status == 603)
    }
  }

  /// With two hand-overs in turn, what becomes of the first does not decide about the second.
  @Test func aReportBelongsToItsTransfer() async throws {
    try await withSIPSidesInCall { server, serverLog, client, clientLog in
      let target = try #require(SIPURI("tel:+15550001111"))
      var referrals: [SIPReferral] = []
      for _ in 0..<2 {
        async let answer = server.refer(SIPTransferRequest(target: target))
        let referral = try await clientLog.next {
          if case .referred(let referral) = $0 { referral } else { nil }
        }
        referral.accept()
        #expect(await answer.status == 202)
        referrals.append(referral)
      }
      await referrals[0].report(200)
      await referrals[1].report(486)
      var news: [Int?] = []
      while news.last != 486 {
        news.append(
          try await serverLog.next {
            if case .transferProgress(let progress) = $0 { progress.status } else { nil }
          })
      }
      #expect(!news.contains(200), "\(news)")
      let stray = Header("Event", "refer;id=99999")
      #expect(
        await client.request(.notify, headers: [stray, Header("Subscription-State", "active")]).status == 481)
    }
  }

  @Test func closingEndsEverything() async throws {
    try await withSIPSides { server, client, target in
      let (_, waiting) = try await client.call(target)
      _ = try await server.nextInvitation()
      let (_, up) = try await client.call(target)
      let invitation = try await server.nextInvitation()
      _ = try await invitation.call.accept(sdp: [1])
      await client.endpoint.close()
      #expect(try await waiting.ending().cause == .closed)
      #expect(try await up.ending().cause == .closed)
      #expect(try await server.log(of: invitation.call.id).ending().cause == .remoteBye)
      #expect(
        await client.endpoint.send(
          SIPOutgoingRequest(.options, target: SIPURI(host: "h"), from: SIPAddress(uri: SIPURI(host: "h")))
        ).status == 503)
    }
  }

  // MARK: Session timers

  @Test func tooShortSessionsAreAskedForAgain() async throws {
    var short = SIPSettings.loopback()
    short.sessionTimer.interval = 60
    try await withSIPSides(.loopback(), short) { server, client, target in
      let (_, log) = try await client.call(target)
      let invitation = try await server.nextInvitation()
      #expect(invitation.request.headers["Session-Expires"] == "90")
      await invitation.call.reject(SIPReply(603))
      #expect(try await log.ending().status == 603)
    }
  }
}
