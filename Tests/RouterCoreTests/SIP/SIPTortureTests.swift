import Testing

@testable import RouterCore

/// Messages in the manner of RFC 4475, legal ones that are hard to read and illegal ones that look well, sent to a real
/// endpoint.
@Suite(.timeLimit(.minutes(2))) struct SIPTortureTests {
  struct Message: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    /// What must come back; `nil` is silence.
    var status: Int?
    var testDescription: String { name }

    init(_ name: String, _ status: Int?, _ text: String) {
      self.name = name
      self.status = status
      self.text = text.replacing("\n", with: "\r\n")
    }
  }

  /// An OPTIONS that is right in all but what a case changes.
  static func options(
    _ line: String = "OPTIONS sip:user@example.com SIP/2.0",
    via: String = "SIP/2.0/UDP 127.0.0.1;rport;branch=%",
    from: String = "<sip:caller@example.net>;tag=323", to: String = "sip:user@example.com",
    id: String = "%@example",
    cseq: String = "63 OPTIONS", forwards: String = "70", more: String = "", body: String = ""
  ) -> String {
    """
    \(line)
    Via: \(via)
    From: \(from)
    To: \(to)
    Call-ID: \(id)
    CSeq: \(cseq)
    Max-Forwards: \(forwards)
    \(more)
    \(body)
    """
  }

  static let legal = [
    Message("plain", 200, options()),
    // Section 3.1.1.1, shortened: odd blanks, folding, case, compact names, escapes, quotes.
    Message(
      "wsinv", 200,
      """
      OPTIONS sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
      TO :
       sip:vivekg@chair-dnrc.example.com ;   tag1    = 1918181833n
      from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
        ;
        tag = 98asjd8
      MaX-fOrWaRdS: 0068
      Call-ID: wsinv.%@192.0.2.1
      Content-Length   : 0
      cseq: 0009
        OPTIONS
      V  : SIP  /   2.0
       /UDP
          127.0.0.1;branch=%;rport
      s :
      NewFangledHeader:   newfangled value
       continued newfangled value
      UnknownHeaderWithUnusualValue: ;;,,;;,;
      Content-Type: application/sdp
      Route:
       <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
      v:  SIP  / 2.0  / TCP     spindle.example.com   ;
        branch  =   z9hG4bK9ikj8  ,
       SIP  /    2.0   / UDP  192.168.255.111   ; branch=
       z9hG4bK30239
      m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =
            newvalue ;
        secondparam ; q = 0.33


      """),
    // Section 3.1.1.2: every character that a token may have; an unknown method is refused in words.
    Message(
      "intmeth", 501,
      """
      !interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0
      Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK-.!%66*_+`'~%
      To: "BEL:\u{7} NUL:\\ DEL:\u{7f}" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>
      From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%="\u{fc}\u{456}";tag=_token~1'+`*%!-.
      Call-ID: intmeth.%word%ZK-!.*_+'@word`~)(><:\\/"][?}{
      CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~
      Max-Forwards: 255
      extensionHeader-!.%*+_`'~: \u{fc}\u{fc}\u{fc}
      Content-Length: 0


      """),
    // Sections 3.1.1.3 to 3.1.1.13.
    Message("esc01", 200, options("OPTIONS sip:sips%3Auser%40example.com@example.net SIP/2.0")),
    Message("escnull", 200, options("OPTIONS sip:null-%00-null@example.com SIP/2.0")),
    Message(
      "esc02", 501, options("RE%47IST%45R sip:registrar.example.com SIP/2.0", cseq: "29344 RE%47IST%45R")),
    Message("lwsdisp", 200, options(from: "caller<sip:caller@example.com>;tag=323")),
    Message(
      "longreq", 200,
      options(
        "OPTIONS sip:user@\(String(repeating: "a", count: 200)).example.com SIP/2.0",
        more: (0..<30).map {
          "Via: SIP/2.0/UDP sip\($0).example.com\nUnknown-\(String(repeating: "long", count: 40)): \($0)"
        }
        .joined(separator: "\n") + "\n")),
    Message(
      "dblreq", 200, options(more: "Content-Length: 0\n", body: "INVITE sip:joe@example.com SIP/2.0\n")),
    Message("semiuri", 200, options("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0")),
    Message(
      "transports", 200,
      options(more: "Via: SIP/2.0/SCTP h;branch=z9hG4bKx\nVia: SIP/2.0/UNKNOWN h;branch=z9\n")),
    Message("noreason and zeromf", 200, options(forwards: "0")),
    Message("baddate", 200, options(more: "Date: Fri, 01 Jan 2010 16:00:00 EST\n")),
    Message("unksm2", 200, options(from: "<name:John_Smith>;tag=3", to: "isbn:2983792873")),
    Message("bext01", 420, options(more: "Require: nothingSupportsThis, nothingSupportsThisEither\n")),
    Message(
      "inv2543", 200,
      options(from: "sip:caller@example.net", more: "Subject: no tag\n").replacing(
        "Max-Forwards: 70\n", with: "")),
    Message("no branch", 200, options(via: "SIP/2.0/UDP 127.0.0.1;rport;id=%")),
    Message("lf only", 200, options(more: "X: 1\n")),
    Message("line ends first", 200, "\n\n" + options()),
    Message(
      "IPv6", 200,
      options("OPTIONS sip:[2001:db8::10] SIP/2.0", via: "SIP/2.0/UDP [2001:db8::9:1];rport;branch=%")),
    Message("tel", 200, options("OPTIONS tel:+4930123;phone-context=x SIP/2.0")),
    Message("negative tag value", 200, options(from: "<sip:a@h>;tag=\"quoted\"")),
  ]

  static let illegal = [
    Message(
      "badinv01", 400,
      options(via: "SIP/2.0/UDP 127.0.0.1;rport;branch=%", from: "\"A\" <sip:a@h>;;,;,, x;tag=1")),
    Message("clerr", 400, options(more: "Content-Length: 9999\n", body: "v=0")),
    Message("ncl", 400, options(more: "Content-Length: -999\n")),
    Message("scalar02", 400, options(cseq: "36893488147419103232 OPTIONS")),
    Message("scalar02 forwards", 400, options(forwards: "300")),
    Message("quotbal", 400, options(to: "\"Mr J. User <sip:j.user@example.com>")),
    Message("ltgtruri", 400, options("OPTIONS <sip:user@example.com> SIP/2.0")),
    Message("lwsruri", 400, options("OPTIONS sip:user@example.com; lr SIP/2.0")),
    Message("lwsstart", 400, options("OPTIONS  sip:user@example.com  SIP/2.0")),
    Message("trws", 400, options("OPTIONS sip:user@example.com SIP/2.0  ")),
    Message("escruri", 400, options("OPTIONS sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0")),
    Message("badaspec", 400, options(to: "\"Watson, Thomas\" < sip:t.watson@example.org >")),
    Message(
      "badvers", 505,
      options("OPTIONS sip:t.watson@example.org SIP/7.0", via: "SIP/2.0/UDP 127.0.0.1;rport;branch=%")),
    Message(
      "badvers, all of it", 505,
      options("OPTIONS sip:t.watson@example.org SIP/7.0", via: "SIP/7.0/UDP 127.0.0.1;rport;branch=%")),
    Message("badvers in Via", 400, options(via: "SIP/7.0/UDP 127.0.0.1;rport;branch=%")),
    Message("mismatch01", 400, options(cseq: "8 INVITE")),
    Message("mismatch02", 400, options("NEWMETHOD sip:user@example.com SIP/2.0", cseq: "8 INVITE")),
    Message("unkscm", 416, options("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0")),
    Message("novelsc", 416, options("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0")),
    Message("multi01", 400, options(more: "CSeq: 59 OPTIONS\nCall-ID: other\n")),
    Message("two To", 400, options(more: "t: sip:other@example.com\n")),
    Message("mcl01", 400, options(more: "Content-Length: 13\nContent-Length: 5\n", body: "0123456789012")),
    Message("insuf", 400, options().replacing("Call-ID: %@example\n", with: "")),
    Message("no From", 400, options().replacing("From: <sip:caller@example.net>;tag=323\n", with: "")),
    Message("no To", 400, options().replacing("To: sip:user@example.com\n", with: "")),
    Message("no CSeq", 400, options().replacing("CSeq: 63 OPTIONS\n", with: "")),
    Message("empty Call-ID", 400, options(id: "")),
    Message("bad CSeq", 400, options(cseq: "OPTIONS")),
    Message("no colon", 400, options(more: "Nonsense without a colon\n")),
    Message("blank in name", 400, options(more: "Bad Name: x\n")),
    Message("no end", 400, String(options().dropLast(2))),
    Message("bad URI", 400, options("OPTIONS sip:user@ SIP/2.0")),
    Message("too many fields", 400, options(more: String(repeating: "X: y\n", count: 300))),
    Message("no Contact", 400, options("INVITE sip:user@example.com SIP/2.0", cseq: "63 INVITE")),
    Message(
      "two Contacts", 400,
      options(
        "INVITE sip:user@example.com SIP/2.0", cseq: "63 INVITE", more: "Contact: <sip:a@h>, <sip:b@h>\n")),
    Message(
      "bad Contact", 400,
      options("INVITE sip:user@example.com SIP/2.0", cseq: "63 INVITE", more: "m: <nonsense\n")),
    Message(
      "star Contact", 400, options("INVITE sip:user@example.com SIP/2.0", cseq: "63 INVITE", more: "m: *\n")),
    Message(
      "body of another kind", 415,
      options(
        "INVITE sip:user@example.com SIP/2.0", cseq: "63 INVITE",
        more: "m: <sip:a@h>\nContent-Type: application/unknown\n", body: "<audio>")),
    Message(
      "short session", 422,
      options(
        "INVITE sip:user@example.com SIP/2.0", cseq: "63 INVITE",
        more: "m: <sip:a@h>\nSession-Expires: 5\nSupported: timer\n")),
    Message(
      "unknown dialog", 481,
      options("BYE sip:user@example.com SIP/2.0", to: "<sip:user@example.com>;tag=12", cseq: "63 BYE")),
    Message("CANCEL of nothing", 481, options("CANCEL sip:user@example.com SIP/2.0", cseq: "63 CANCEL")),
    Message(
      "SUBSCRIBE", 489,
      options("SUBSCRIBE sip:user@example.com SIP/2.0", cseq: "63 SUBSCRIBE", more: "Event: presence\n")),
    Message(
      "NOTIFY of nothing", 481,
      options("NOTIFY sip:user@example.com SIP/2.0", cseq: "63 NOTIFY", more: "Event: check-sync\n")),
    Message("REGISTER", 405, options("REGISTER sip:example.com SIP/2.0", cseq: "63 REGISTER")),
  ]

  static let unanswerable = [
    Message("ACK of nothing", nil, options("ACK sip:user@example.com SIP/2.0", cseq: "63 ACK")),
    Message("bad ACK", nil, options("ACK sip:user@example.com SIP/2.0", cseq: "63 INVITE")),
    Message("no Via", nil, options().replacing("Via: SIP/2.0/UDP 127.0.0.1;rport;branch=%\n", with: "")),
    Message("bad Via", nil, options(via: "nonsense")),
    Message("stray response", nil, options("SIP/2.0 200 OK")),
    Message("bigcode", nil, options("SIP/2.0 4294967301 better not break the receiver")),
    Message("unreason", nil, options("SIP/2.0 200 = 2**3 * 5**2 \u{43d}\u{43e}")),
    Message("no SIP", nil, "GET / HTTP/1.1\nHost: x\n\n"),
    Message("one word", nil, "hello"),
    Message("NULs", nil, String(repeating: "\0", count: 2000)),
    Message("STUN", nil, "\u{0}\u{1}\u{0}\u{0}!\u{12}B0123456789ab"),
  ]

  @Test(arguments: legal + illegal + unanswerable)
  func isAnsweredAsItShould(_ message: Message) async throws {
    let side = SIPTestSide()
    let address = try await side.listen()[0]
    let socket = try SIPTestSocket()
    let mark = "z9hG4bK\(socket.port)"
    socket.send(
      message.text.replacing("branch=%", with: "branch=\(mark)").replacing("%@", with: "\(mark)@"),
      to: address)
    if let status = message.status {
      let response = try #require(await socket.receive())
      #expect(response.hasPrefix("SIP/2.0 \(status) "), "\(response)")
      #expect(response.contains("Content-Length: 0\r\n"))
      #expect(response.contains("rport=\(socket.port)"))
      if status != 400 { #expect(response.field("To")?.contains("tag=") == true) }
    } else {
      #expect(await socket.receive(within: .milliseconds(50)) == nil)
    }
    // Nothing of it has done the endpoint any harm.
    let probe = SIPTortureTests.options(via: "SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKprobe\(socket.port)")
    socket.send(probe.replacing("\n", with: "\r\n"), to: address)
    #expect(try await socket.response(200).contains("z9hG4bKprobe"))
    await side.close()
  }

  @Test func whatIsRefusedSaysWhy() async throws {
    let side = SIPTestSide()
    let address = try await side.listen()[0]
    let socket = try SIPTestSocket()
    func exchange(_ text: String) async throws -> String {
      socket.send(text.replacing("\n", with: "\r\n"), to: address)
      return try #require(await socket.receive())
    }
    let extension420 = try await exchange(SIPTortureTests.options(more: "Require: timer, bogus, other\n"))
    #expect(extension420.field("Unsupported") == "bogus, other")
    let method = try await exchange(SIPTortureTests.options("FOO sip:a@h SIP/2.0", id: "2", cseq: "1 FOO"))
    #expect(method.field("Allow")?.contains("UPDATE") == true)
    let options = try await exchange(
      SIPTortureTests.options(via: "SIP/2.0/UDP 10.1.2.3:5060;rport;branch=z9hG4bK3", id: "3"))
    #expect(options.field("Via")?.contains("received=127.0.0.1") == true)
    #expect(options.field("Accept") == "application/sdp")
    #expect(options.field("Supported") == "timer, 100rel")
    await side.close()
  }
}
