import Testing

@testable import RouterCore

/// The INVITEs of RFC 4475 and RFC 5118 in full (with `rport`, so that their answers find the test): what is legal
/// becomes a call that says what was written, what is not is refused.
@Suite(.timeLimit(.minutes(2))) struct SIPTortureInviteTests {
  struct Message: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var testDescription: String { name }
    init(_ name: String, _ text: String) {
      self.name = name
      self.text = text.replacing("\n", with: "\r\n")
    }
  }

  static let session = """
    v=0
    o=mhandley 29739 7272939 IN IP4 192.0.2.1
    s=-
    c=IN IP4 192.0.2.1
    t=0 0
    m=audio 49217 RTP/AVP 0 12
    m=video 3227 RTP/AVP 31
    a=rtpmap:31 LPC

    """

  static func body(_ session: String = session) -> String {
    "Content-Length: \(session.replacing("\n", with: "\r\n").utf8.count)\n\n\(session)"
  }

  /// What a legal one must be read as.
  struct Legal: Sendable, CustomTestStringConvertible {
    var message: Message
    var user = "user"
    var caller = "caller"
    var callID: String
    var sdp = true
    var contact = ""
    var testDescription: String { message.name }
  }

  static let legal = [
    Legal(
      message: Message(
        "3.1.1.1 wsinv",
        """
        INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
        TO :
         sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
        from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
          ;
          tag = 98asjd8
        MaX-fOrWaRdS: 0068
        Call-ID: wsinv.ndaksdj@192.0.2.1
        Content-Length   : 150
        cseq: 0009
          INVITE
        Via  : SIP  /   2.0
         /UDP
            192.0.2.2;rport;branch=390skdjuw
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

        \(session)
        """
      ).withoutToTag, user: "vivekg", caller: "jdrosen", callID: "wsinv.ndaksdj@192.0.2.1",
      contact: "sip:jdrosen@example.com"),
    Legal(
      message: Message(
        "3.1.1.3 esc01",
        """
        INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0
        To: sip:%75se%72@example.com
        From: <sip:I%20have%20spaces@example.net>;tag=938
        Max-Forwards: 87
        i: esc01.239409asdfakjkn23onasd0-3234
        CSeq: 234234 INVITE
        Via: SIP/2.0/UDP host5.example.net;rport;branch=z9hG4bKkdjuw
        C: application/sdp
        Contact:
          <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
        \(body())
        """), user: "sips:user@example.com", caller: "I have spaces",
      callID: "esc01.239409asdfakjkn23onasd0-3234",
      contact: "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31"),
    Legal(
      message: Message(
        "3.1.1.7 longreq",
        """
        INVITE sip:user@example.com SIP/2.0
        To: "I have a user name of \(String(repeating: "extreme", count: 10)) proportion"<sip:user@example.com:6000;unknownparam1=very\(String(repeating: "long", count: 20))value;longparam\(String(repeating: "name", count: 25))=shortvalue;very\(String(repeating: "long", count: 25))ParameterNameWithNoValue>
        F: sip:\(String(repeating: "amazinglylongcallername", count: 5))@example.net;tag=\(String(repeating: "129", count: 50));unknownheaderparam\(String(repeating: "name", count: 20))=unknowheaderparam\(String(repeating: "value", count: 15));unknownValueless\(String(repeating: "paramname", count: 10))
        Call-ID: longreq.one\(String(repeating: "really", count: 20))longcallid
        CSeq: 3882340 INVITE
        Unknown-\(String(repeating: "Long", count: 20))-Name: unknown-\(String(repeating: "long", count: 20))-value; unknown-\(String(repeating: "long", count: 20))-parameter-name = unknown-\(String(repeating: "long", count: 20))-parameter-value
        Via: SIP/2.0/UDP sip33.example.com;rport
        \((1..<33).reversed().map { "\(["v", "V", "Via", "ViA", "V ", "v  ", "Via "][$0 % 7]): SIP/2.0/TCP sip\($0).example.com" }.joined(separator: "\n"))
        Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very\(String(repeating: "long", count: 50))branchvalue
        Max-Forwards: 70
        Contact: <sip:\(String(repeating: "amazinglylongcallername", count: 5))@host5.example.net>
        Content-Type: application/sdp
        \(body())
        """), caller: String(repeating: "amazinglylongcallername", count: 5),
      callID: "longreq.one\(String(repeating: "really", count: 20))longcallid"),
    Legal(
      message: Message(
        "3.1.2.12 baddate",
        """
        INVITE sip:user@example.com SIP/2.0
        To: sip:user@example.com
        From: sip:caller@example.net;tag=2234923
        Max-Forwards: 70
        Call-ID: baddate.239423mnsadf3j23lj42--sedfnm234
        CSeq: 1392934 INVITE
        Via: SIP/2.0/UDP host.example.com;rport;branch=z9hG4bKkdjuw
        Date: Fri, 01 Jan 2010 16:00:00 EST
        Contact: <sip:caller@host5.example.net>
        Content-Type: application/sdp
        \(body())
        """), callID: "baddate.239423mnsadf3j23lj42--sedfnm234"),
    Legal(
      message: Message(
        "3.4.1 inv2543",
        """
        INVITE sip:UserB@example.com SIP/2.0
        Via: SIP/2.0/UDP iftgw.example.com;rport
        From: <sip:+13035551111@ift.client.example.net;user=phone>
        Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
        To: sip:+16505552222@ss1.example.net;user=phone
        Call-ID: inv2543.1717@ift.client.example.com
        CSeq: 56 INVITE
        Content-Type: application/sdp

        \(session)
        """), user: "UserB", caller: "+13035551111", callID: "inv2543.1717@ift.client.example.com"),
    Legal(
      message: Message(
        "a session among others",
        """
        INVITE sip:user@example.com SIP/2.0
        Via: SIP/2.0/UDP host.example.com;rport;branch=z9hG4bKmixed, SIP/2.0/TCP second.example.com;branch=z9hG4bK2
        f: <sip:caller@example.com>;tag=1
        t: <tel:+4930123456;phone-context=example.com>
        i: mixed@example.com
        CSeq: 1 INVITE
        m: <sip:caller@[2001:db8::9]:5070;transport=udp>
        Content-Type: multipart/mixed;boundary="++"
        Content-Length: 312

        --++
        Content-Type: application/isup;version=itu-t92+
        Content-Disposition: signal;handling=optional

        \u{1}\u{2}--
        --++
        content-type:application/sdp

        \(session)
        --++--
        """
      ).withTrueLength, callID: "mixed@example.com",
      contact: "sip:caller@[2001:db8::9]:5070;transport=udp"),
    Legal(
      message: Message(
        "RFC 5118 4.8: addresses of both families",
        """
        INVITE sip:user@[2001:db8::10]:5070 SIP/2.0
        To: sip:user@example.com
        From: sip:caller@[::ffff:192.0.2.10];tag=2
        Via: SIP/2.0/UDP [2001:db8::9:1]:6050;rport;received=[2001:db8::9:255];branch=z9hG4bKas3-111
        Via: SIP/2.0/UDP 192.0.2.1;received=2001:db8::9:255;branch=z9hG4bKjhja8781hjuaij65144
        Call-ID: 8d7f@[2001:db8::20]
        Max-Forwards: 69
        CSeq: 8612 INVITE
        Contact: "Caller" <sip:caller@[2001:db8::20]>
        Content-Type: application/sdp
        \(body(session.replacing("IP4 192.0.2.1", with: "IP6 2001:db8::20")))
        """), callID: "8d7f@[2001:db8::20]", contact: "sip:caller@[2001:db8::20]"),
  ]

  @Test(arguments: legal) func becomesACall(_ each: Legal) async throws {
    let side = SIPTestSide()
    let address = try await side.listen()[0]
    let socket = try SIPTestSocket()
    socket.send(each.message.text, to: address)
    let invitation = try await side.nextInvitation()
    let request = invitation.request
    #expect(request.uri.user == each.user)
    #expect(request.from?.uri.user == each.caller)
    #expect(request.callID == each.callID)
    #expect((invitation.sdp != nil) == each.sdp)
    if let sdp = invitation.sdp { _ = try SessionDescription(parsing: sdp) }
    if !each.contact.isEmpty {
      #expect(request.headers["Contact"].flatMap { SIPAddress($0)?.uri.description } == each.contact)
    }
    await invitation.call.reject(SIPReply(486))
    let answer = try await socket.response(486)
    // Every Via comes back, in order and unchanged but for where it came from.
    let sent = each.message.text.lowercased().split(separator: "sip/2.0/").count
    #expect(answer.lowercased().split(separator: "sip/2.0/").count >= min(sent, 2))
    await side.close()
  }
}

extension SIPTortureInviteTests.Message {
  /// RFC 4475 has a tag there, by which it would belong to a dialog.
  fileprivate var withoutToTag: Self {
    var message = self
    message.text = text.replacing(" ;   tag    = 1918181833n", with: " ;   tag1    = 1918181833n")
    return message.withTrueLength
  }

  /// With the `Content-Length` that its body has.
  fileprivate var withTrueLength: Self {
    var message = self
    guard let empty = text.firstRange(of: "\r\n\r\n") else { return self }
    let length = text[empty.upperBound...].utf8.count
    for old in ["Content-Length   : 150", "Content-Length: 312"] {
      message.text = message.text.replacing(old, with: "Content-Length: \(length)")
    }
    return message
  }
}
