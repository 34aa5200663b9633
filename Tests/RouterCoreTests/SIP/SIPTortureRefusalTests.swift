import Testing

@testable import RouterCore

/// INVITEs that look well and are not (RFC 4475), and what their senders are told.
@Suite(.timeLimit(.minutes(2))) struct SIPTortureRefusalTests {
  private typealias Message = SIPTortureInviteTests.Message

  struct Illegal: Sendable, CustomTestStringConvertible {
    var status: Int
    var message: SIPTortureInviteTests.Message
    var field: (name: String, holds: String)?
    var testDescription: String { message.name }
  }

  private static func spoiled(
    _ name: String, _ status: Int, _ line: String = "INVITE sip:user@example.com SIP/2.0",
    from: String = "sip:caller@example.net;tag=1", to: String = "sip:user@example.com",
    contact: String = "<sip:caller@host.example.net>", more: String = "", type: String = "application/sdp",
    field: (String, String)? = nil, _ session: String = SIPTortureInviteTests.session
  ) -> Illegal {
    Illegal(
      status: status,
      message: Message(
        name,
        """
        \(line)
        Via: SIP/2.0/UDP 192.0.2.15;rport;branch=z9hG4bK\(name.filter { $0.isLetter || $0.isNumber })
        To: \(to)
        From: \(from)
        Call-ID: \(name.filter { $0.isLetter || $0.isNumber })@example.com
        Max-Forwards: 7
        CSeq: 8 INVITE
        Contact: \(contact)
        \(more)Content-Type: \(type)
        \(SIPTortureInviteTests.body(session))
        """), field: field.map { (name: $0.0, holds: $0.1) })
  }

  static let illegal = [
    spoiled(
      "3.1.2.1 badinv01", 400, from: "sip:caller@example.net;;tag=1",
      contact: "\"Joe\" <sip:joe@example.org>;;;;"),
    spoiled("3.1.2.6 quotbal", 400, to: "\"Mr. J. User <sip:j.user@example.com>"),
    spoiled("3.1.2.7 ltgtruri", 400, "INVITE <sip:user@example.com> SIP/2.0"),
    spoiled("3.1.2.8 lwsruri", 400, "INVITE sip:user@example.com; lr SIP/2.0"),
    spoiled("3.1.2.9 lwsstart", 400, "INVITE  sip:user@example.com  SIP/2.0"),
    spoiled("3.1.2.11 escruri", 400, "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0"),
    spoiled("3.3.2 unkscm", 416, "INVITE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
    spoiled(
      "3.3.5 bext01", 420, more: "Require: nothingSupportsThis, nothingSupportsThisEither\n",
      field: ("Unsupported", "nothingSupportsThisEither")),
    spoiled(
      "3.3.6 invut", 415, type: "application/unknownformat", field: ("Accept", "application/sdp"),
      "<audio>\n <pcmu port=\"443\"/>\n</audio>\n"),
    spoiled(
      "a coded body", 415, more: "Content-Encoding: gzip\n", field: ("Accept-Encoding", "identity")),
    spoiled("3.3.15 sdp01", 406, more: "Accept: text/nobodyKnowsThis\n"),
    spoiled("an empty Accept", 406, more: "Accept:\n"),
    spoiled("Accept all but", 406, more: "Accept: text/plain, application/sdp;q=0.0\n"),
    spoiled(
      "a short session", 422, more: "Supported: timer\nSession-Expires: 60\n", field: ("Min-SE", "90")),
    spoiled("several of these", 420, more: "Require: foo\nAccept: text/plain\n", type: "text/x"),
    spoiled("an IPv6 address without brackets", 400, "INVITE sip:2001:db8::10 SIP/2.0"),
  ]

  @Test(arguments: illegal) func isRefused(_ each: Illegal) async throws {
    let side = SIPTestSide()
    let address = try await side.listen()[0]
    let socket = try SIPTestSocket()
    socket.send(each.message.text, to: address)
    let answer = try await socket.response(each.status)
    if let field = each.field {
      #expect(answer.field(field.name)?.contains(field.holds) == true, "\(answer)")
    }
    #expect(await side.endpoint.callCount == 0)
    await side.close()
  }

  @Test(arguments: [
    "application/sdp", "*/*", "Application/* ; q=0.5, text/plain", "text/plain,application/SDP;level=1",
  ])
  func sessionsAreAnAnswer(_ accept: String) {
    #expect(SIPBody.mayAnswer(SIPHeaders([Header("Accept", accept)])))
  }

  /// RFC 4475 section 3.2.1: a cookie with nothing behind it names no transaction.
  @Test func aBareCookieIsNoBranch() async throws {
    let side = SIPTestSide()
    let address = try await side.listen()[0]
    let socket = try SIPTestSocket()
    for id in ["one@example", "two@example"] {
      let text = SIPTortureTests.options(via: "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK", id: id)
      socket.send(text.replacing("\n", with: "\r\n"), to: address)
      #expect(try await socket.response(200).field("Call-ID") == id)
    }
    await side.close()
  }

  /// A request that came twice by different ways is one (section 8.2.2.2).
  @Test func theSameByAnotherWayIsALoop() async throws {
    try await withSIPServer { side, caller in
      caller.send("INVITE", branch: "one", body: "v=0 offer")
      _ = try await side.nextInvitation()
      caller.send("INVITE", branch: "two", body: "v=0 offer")
      _ = try await caller.socket.response(482)
    }
  }
}
