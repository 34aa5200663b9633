import Testing

@testable import RouterCore

/// A caller that writes its own messages.
struct SIPTestCaller {
  let socket: SIPTestSocket
  let address: SocketAddress
  var toTag: String?
  var number = 1

  init(_ address: SocketAddress) throws {
    socket = try SIPTestSocket()
    self.address = address
  }

  func text(
    _ method: String, branch: String, _ more: [String] = [], cseq: Int? = nil, body: String = "",
    fromTag: String = "ft"
  ) -> String {
    let content = body.isEmpty ? [] : ["Content-Type: application/sdp"]
    let lines =
      [
        "\(method) sip:bob@\(address) SIP/2.0",
        "Via: SIP/2.0/UDP 127.0.0.1:\(socket.port);rport;branch=z9hG4bK\(branch)", "Max-Forwards: 70",
        "From: <sip:alice@127.0.0.1>;tag=\(fromTag)",
        "To: <sip:bob@\(address)>" + (toTag.map { ";tag=\($0)" } ?? ""), "Call-ID: wire-\(socket.port)",
        "CSeq: \(cseq ?? number) \(method)", "Contact: <sip:alice@127.0.0.1:\(socket.port)>",
      ] + more + content + ["Content-Length: \(body.utf8.count)", "", body]
    return lines.joined(separator: "\r\n")
  }

  func send(
    _ method: String, branch: String, _ more: [String] = [], cseq: Int? = nil, body: String = "",
    fromTag: String = "ft"
  ) {
    socket.send(
      text(method, branch: branch, more, cseq: cseq, body: body, fromTag: fromTag), to: address)
  }

  /// A plain answer to a request that came in.
  func answer(_ request: String, _ status: Int, _ more: [String] = [], body: String = "") {
    let echoed = ["Via", "From", "To", "Call-ID", "CSeq"].compactMap { name in
      request.field(name).map { "\(name): \($0)" }
    }
    let content = body.isEmpty ? [] : ["Content-Type: application/sdp"]
    let lines =
      ["SIP/2.0 \(status) Because"] + echoed + more + content + [
        "Content-Length: \(body.utf8.count)", "", body,
      ]
    socket.send(lines.joined(separator: "\r\n"), to: address)
  }

  /// Calls, and is told that it rings.
  mutating func ring(_ side: SIPTestSide) async throws -> SIPInvitation {
    send("INVITE", branch: "i", body: "v=0 offer")
    let invitation = try await side.nextInvitation()
    await invitation.call.ring()
    learnTag(try await socket.response(180))
    return invitation
  }

  mutating func learnTag(_ response: String) {
    toTag = response.field("To")?.split(separator: "=").last.map { String($0) }
  }
}

func withSIPServer(
  _ settings: SIPSettings = .loopback(t1: .milliseconds(20)),
  _ body: (SIPTestSide, inout SIPTestCaller) async throws -> Void
) async throws {
  let side = SIPTestSide(settings)
  var caller = try SIPTestCaller(try await side.listen()[0])
  try await body(side, &caller)
  await side.close()
}

/// A call that is up, with the log of the server's side.
func withSIPCall(
  _ settings: SIPSettings = .loopback(t1: .milliseconds(20)), _ more: [String] = [],
  _ body: (SIPServerCall, SIPEventLog, inout SIPTestCaller) async throws -> Void
) async throws {
  try await withSIPServer(settings) { side, caller in
    caller.send("INVITE", branch: "i", more, body: "v=0 offer")
    let invitation = try await side.nextInvitation()
    invitation.call.accept(now: Array("v=0 answer".utf8))
    caller.learnTag(try await caller.socket.response(200))
    caller.send("ACK", branch: "a")
    let log = side.log(of: invitation.call.id)
    _ = try await log.next { if case .acknowledged = $0 { true } else { nil } }
    try await body(invitation.call, log, &caller)
  }
}
