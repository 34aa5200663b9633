import RouterCore
import Testing

/// Calls between two endpoints over real sockets.
@Suite(.timeLimit(.minutes(2))) struct SIPCallTests {
  @Test(arguments: [
    (SIPTransport.udp, "127.0.0.1"), (.tcp, "127.0.0.1"), (.tls, "127.0.0.1"), (.udp, "::1"), (.tcp, "::1"),
    (.tls, "::1"),
  ])
  func aCallIsAnsweredAndEnds(_ transport: SIPTransport, _ address: String) async throws {
    let settings = SIPSettings.loopback(transport, address: address) { $0.verifiesServers = false }
    try await withSIPSides(settings, settings) { server, client, target in
      let (call, log) = try await client.call(target)
      let invitation = try await server.nextInvitation()
      #expect(invitation.request.body == Array("v=0 offer".utf8))
      #expect(invitation.request.uri.user == "bob")
      #expect(invitation.request.arrival.transport == transport)
      #expect(invitation.request.arrival.local.ip == address)
      await invitation.call.ring()
      let ringing = try await log.next {
        if case .progress(let response) = $0 { response.status } else { nil }
      }
      #expect(ringing == 180)
      #expect(try await invitation.call.accept(sdp: Array("v=0 answer".utf8)) == nil)
      let answered = try await log.next { if case .answered(let response) = $0 { response.sdp } else { nil } }
      #expect(answered == Array("v=0 answer".utf8))
      await call.hangUp([.q850(16, "Normal call clearing")])
      let ending = try await server.log(of: invitation.call.id).ending()
      #expect(ending.cause == .remoteBye)
      #expect(ending.reasons == [.q850(16, "Normal call clearing")])
      #expect(try await log.ending().cause == .localBye)
      #expect(await server.endpoint.callCount == 0)
      #expect(await client.endpoint.callCount == 0)
    }
  }

  @Test func theServerEndsTheCall() async throws {
    try await withSIPSidesInCall { server, serverLog, _, clientLog in
      await server.hangUp([.sip(200, "done"), .q850(16)])
      let endings = (try await clientLog.ending(), try await serverLog.ending())
      #expect(endings.0.reasons == [.sip(200, "done"), .q850(16)])
      #expect(endings.1.cause == .localBye)
    }
  }

  @Test func lateOffer() async throws {
    try await withSIPSides { server, client, target in
      let (call, log) = try await client.call(target, sdp: nil)
      let invitation = try await server.nextInvitation()
      #expect(!invitation.request.hasBody)
      async let answer = invitation.call.accept(sdp: Array("v=0 offer".utf8))
      let offer = try await log.next { if case .answered(let response) = $0 { response.sdp } else { nil } }
      #expect(offer == Array("v=0 offer".utf8))
      await call.acknowledge(sdp: Array("v=0 answer".utf8))
      #expect(try await answer == Array("v=0 answer".utf8))
      await call.hangUp()
      #expect(try await server.log(of: invitation.call.id).ending().cause == .remoteBye)
    }
  }

  @Test func theCallerGivesUp() async throws {
    try await withSIPSides { server, client, target in
      let (call, log) = try await client.call(target)
      let invitation = try await server.nextInvitation()
      await invitation.call.ring()
      _ = try await log.next { if case .progress = $0 { true } else { nil } }
      await call.cancel([.sip(200, "Call completed elsewhere")])
      let ending = try await server.log(of: invitation.call.id).ending()
      #expect(ending.cause == .cancelled)
      #expect(ending.status == 487)
      #expect(ending.reasons.first?.text == "Call completed elsewhere")
      #expect(try await log.ending().cause == .cancelledByUs)
      await #expect(throws: SIPCallOver.self) { try await invitation.call.accept(sdp: [1]) }
    }
  }

  /// Given up before anything was heard: CANCEL waits for the first answer (RFC 3261 section 9.1).
  @Test func theCallerGivesUpAtOnce() async throws {
    try await withSIPSides { server, client, target in
      let (call, log) = try await client.call(target)
      await call.cancel()
      let invitation = try await server.nextInvitation()
      #expect(try await server.log(of: invitation.call.id).ending().cause == .cancelled)
      #expect(try await log.ending().cause == .cancelledByUs)
    }
  }

  @Test func refusals() async throws {
    try await withSIPSides { server, client, target in
      let (_, log) = try await client.call(target)
      let invitation = try await server.nextInvitation()
      await invitation.call.reject(
        SIPReply(
          486, headers: [Header("Reason", SIPReason.q850(17).description), Header("Retry-After", "7 (busy)")])
      )
      let ending = try await log.ending()
      #expect(ending.cause == .refused)
      #expect(ending.status == 486)
      #expect(ending.reasons == [.q850(17)])
      #expect(ending.response?.retryAfter == 7)
      #expect(try await server.log(of: invitation.call.id).ending().cause == .refusedByUs)
    }
  }

  @Test func nobodyAnswers() async throws {
    try await withSIPSides(.loopback { $0.timers.unanswered = .milliseconds(100) }) {
      server, client, target in
      let (_, log) = try await client.call(target)
      let invitation = try await server.nextInvitation()
      #expect(try await log.ending().status == 480)
      #expect(try await server.log(of: invitation.call.id).ending().cause == .timedOut)
    }
  }

  /// The caller says how long its invitation holds (section 13.3.1); longer than we let it ring, it changes nothing.
  @Test(arguments: [("1", 487), (" 0", 487), ("3600", 480), ("soon", 480)])
  func invitationsExpire(_ expires: String, _ status: Int) async throws {
    try await withSIPSides(.loopback { $0.timers.unanswered = .milliseconds(1500) }) {
      server, client, target in
      let (_, log) = try await client.call(target) { $0.headers = [Header("Expires", expires)] }
      let invitation = try await server.nextInvitation()
      await invitation.call.ring()
      #expect(try await log.ending().status == status)
      let ending = try await server.log(of: invitation.call.id).ending()
      #expect(ending.cause == .timedOut)
      #expect(ending.status == status)
    }
  }

  @Test func nobodyThere() async throws {
    let client = SIPTestSide(.loopback(t1: .milliseconds(5)))
    _ = try await client.listen()
    let silent = try SIPTestSocket()
    let (_, log) = try await client.call("sip:x@127.0.0.1:\(silent.port)")
    let ending = try await log.ending()
    #expect(ending.cause == .timedOut)
    #expect(ending.status == 408)
    #expect(ending.response?.problem == "nothing was heard from 127.0.0.1:\(silent.port)")
    let (_, refused) = try await client.call("sip:x@127.0.0.1:\(silent.port);transport=tcp")
    #expect(try await refused.ending().cause == .lost)
    let (_, unknown) = try await client.call("sip:x@name.invalid")
    #expect(try await unknown.ending().status == 503)
    await client.close()
  }

  @Test func reliableProvisionalAnswers() async throws {
    try await withSIPSides { server, client, target in
      let (call, log) = try await client.call(target) { $0.reliability = .required }
      let invitation = try await server.nextInvitation()
      await invitation.call.ring()
      await invitation.call.ring(SIPReply.sdp(183, Array("v=0 early".utf8)))
      var numbers: [UInt32] = []
      for status in [180, 183] {
        let response = try await log.next { if case .progress(let response) = $0 { response } else { nil } }
        #expect(response.status == status)
        numbers.append(try #require(response.headers["RSeq"].flatMap { UInt32($0) }))
      }
      #expect(numbers[1] == numbers[0] + 1)
      _ = try await invitation.call.accept(sdp: Array("v=0 early".utf8))
      _ = try await log.next { if case .answered = $0 { true } else { nil } }
      await call.hangUp()
      #expect(try await server.log(of: invitation.call.id).ending().cause == .remoteBye)
    }
  }
}
