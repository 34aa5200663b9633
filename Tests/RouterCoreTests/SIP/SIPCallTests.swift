import RouterCore
import Testing

/// Calls between two endpoints over real sockets.
@Suite(.timeLimit(.minutes(2))) struct SIPCallTests {
  /// Two sides; what they did is closed at the end.
  private func withSides(
    _ settings: SIPSettings = .loopback(), _ other: SIPSettings = .loopback(),
    _ body: (SIPTestSide, SIPTestSide, String) async throws -> Void
  ) async throws {
    let server = SIPTestSide(settings)
    let client = SIPTestSide(other)
    let bound = try await server.listen()
    _ = try await client.listen()
    let scheme =
      settings.listeners[0].transport == .udp ? "" : ";transport=\(settings.listeners[0].transport)"
    try await body(server, client, "sip:bob@\(bound[0])\(scheme)")
    await client.close()
    await server.close()
  }

  @Test(arguments: [SIPTransport.udp, .tcp, .tls])
  func aCallIsAnsweredAndEnds(_ transport: SIPTransport) async throws {
    try await withSides(.loopback(transport), .loopback(transport) { $0.verifiesServers = false }) {
      server, client, target in
      let (call, log) = try await client.call(target)
      let invitation = try await server.nextInvitation()
      #expect(invitation.request.body == Array("v=0 offer".utf8))
      #expect(invitation.request.uri.user == "bob")
      #expect(invitation.request.arrival.transport == transport)
      await invitation.call.ring()
      let ringing = try await log.next {
        if case .progress(let response) = $0 { response.status } else { nil }
      }
      #expect(ringing == 180)
      let answer = try await invitation.call.accept(sdp: Array("v=0 answer".utf8))
      #expect(answer == nil)
      let answered = try await log.next { if case .answered(let response) = $0 { response.sdp } else { nil } }
      #expect(answered == Array("v=0 answer".utf8))
      await call.hangUp([.q850(16, "Normal call clearing")])
      let ending = try await server.log(of: invitation.call.id).ending()
      #expect(ending.cause == .remoteBye)
      #expect(ending.reasons == [.q850(16, "Normal call clearing")])
      #expect(try await log.ending().cause == .localBye)
      #expect(await server.endpoint.callCount == 0)
    }
  }
}
