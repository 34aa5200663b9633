import Testing

@testable import RouterCore

@Suite struct SIPURITests {
  @Test(
    arguments: [
      ("sip:alice@example.com", "alice", "example.com", nil, ""),
      ("SIP:alice@example.com:5070;transport=TCP", "alice", "example.com", 5070, ";transport=TCP"),
      ("sip:example.com", "", "example.com", nil, ""),
      (
        "sip:+44%20207;phone-context=%2B44@[2001:db8::1]:5061;user=phone", "+44 207", "2001:db8::1", 5061,
        ";user=phone"
      ),
      ("sip:a;b?c@h;lr", "a", "h", nil, ";lr"),
      ("sip:a@b@h", "a@b", "h", nil, ""),
      ("sips:1001:secret@h?Subject=x", "1001", "h", nil, ""),
      (
        "tel:+1-201-555-0123;phone-context=example.com", "+1-201-555-0123", "", nil,
        ";phone-context=example.com"
      ),
    ] as [(String, String, String, UInt16?, String)])
  func isRead(_ text: String, user: String, host: String, port: UInt16?, parameters: String) throws {
    let uri = try #require(SIPURI(text))
    #expect(uri.user == user)
    #expect(uri.host == host)
    #expect(uri.port == port)
    #expect(uri.parameters.description == parameters)
    let rest = text.drop { $0 != ":" }
    #expect(uri.description == uri.scheme + rest)
  }

  @Test(arguments: [
    "", "alice", ":x", "sip:", "sip:@", "sip:alice@", "sip:a b@h", "sip:a@h:port", "sip:a@h:99999",
    "sip:a@[::1",
    "sip:a@[nonsense]", "sip:<a@h>", "sip:a@h o", "1sip:a@h", "tel:", "sip:a@ho^st",
  ])
  func isRefused(_ text: String) { #expect(SIPURI(text) == nil) }

  @Test func foreignSchemesAreKept() throws {
    let uri = try #require(SIPURI("isbn:2983792873"))
    #expect(uri.scheme == "isbn")
    #expect(uri.description == "isbn:2983792873")
  }

  @Test func userParametersAndContext() throws {
    let uri = try #require(SIPURI("sip:0123;phone-context=%2B49;isub=7@h;user=phone"))
    #expect(uri.phoneContext == "+49")
    #expect(uri.userParameters["isub"] == "7")
    #expect(SIPURI("tel:0123;phone-context=+49")?.phoneContext == "+49")
  }

  @Test func headersAreUnescaped() throws {
    let uri = try #require(SIPURI("sip:b@h?Replaces=12%40h%3Bto-tag%3D7%3Bfrom-tag%3D8&Subject=x"))
    #expect(uri.headers == [Header("Replaces", "12@h;to-tag=7;from-tag=8"), Header("Subject", "x")])
    #expect(SIPURI.escapedHeaderValue("12@h;to-tag=7") == "12%40h%3Bto-tag%3D7")
  }

  @Test func builtURIsAreEscaped() {
    #expect(SIPURI(user: "a b@c", host: "h").description == "sip:a%20b%40c@h")
    #expect(SIPURI(user: "x", host: "::1", port: 5070).description == "sip:x@[::1]:5070")
  }

  @Test(
    arguments: [
      ("sip:h", nil), ("sips:h", .tls), ("sip:h;transport=tcp", .tcp), ("sip:h;transport=TLS", .tls),
      ("sip:h;transport=sctp", nil),
    ] as [(String, SIPTransport?)])
  func transport(_ text: String, _ transport: SIPTransport?) { #expect(SIPURI(text)?.transport == transport) }

  @Test(arguments: ["%", "%4", "%zz", "a%", "%41%"])
  func brokenEscapesStay(_ text: String) {
    #expect(SIPURI.unescaped(text) == text.replacing("%41", with: "A"))
  }
}

@Suite struct SIPAddressTests {
  @Test(
    arguments: [
      ("<sip:a@h>", nil, "sip:a@h", ""),
      ("\"Alice \\\"A\\\" <x>\" <sip:a@h;lr>;tag=7", "Alice \"A\" <x>", "sip:a@h;lr", ";tag=7"),
      ("Alice B <sip:a@h> ; tag = 7", "Alice B", "sip:a@h", ";tag=7"),
      ("sip:a@h;tag=7", nil, "sip:a@h", ";tag=7"),
      ("sip:a@h", nil, "sip:a@h", ""),
      ("\"\" <tel:+123>", "", "tel:+123", ""),
      ("<sip:a@h>;reason=\"no answer\";flag", nil, "sip:a@h", ";reason=\"no answer\";flag"),
    ] as [(String, String?, String, String)])
  func isRead(_ text: String, name: String?, uri: String, parameters: String) throws {
    let address = try #require(SIPAddress(text))
    #expect(address.displayName == name)
    #expect(address.uri.description == uri)
    #expect(address.parameters.description == parameters)
    #expect(SIPAddress(address.description) == address)
  }

  @Test(arguments: [
    "", "\"Alice <sip:a@h>", "<sip:a@h", "\"Alice\" sip:a@h", "<sip:a b@h>", "<>", "\"A\" x <sip:a@h>",
    "<sip:a@h> tag=1", "< sip:a@h>",
  ])
  func isRefused(_ text: String) { #expect(SIPAddress(text) == nil) }
}

@Suite struct SIPHeadersTests {
  @Test func compactNamesAndCase() {
    let headers = SIPHeaders([Header("f", "<sip:a@h>"), Header("X-Thing", "1"), Header("CALL-id", "c")])
    #expect(headers["From"] == "<sip:a@h>")
    #expect(headers["F"] == "<sip:a@h>")
    #expect(headers["x-thing"] == "1")
    #expect(headers["i"] == "c")
    #expect(headers["To"] == nil)
    #expect(headers["X-Thin"] == nil)
  }

  @Test func listsAreSplitOutsideOfQuotesAndBrackets() {
    let headers = SIPHeaders([
      Header("Supported", " timer , 100rel,,"), Header("k", "replaces"),
      Header("P-Asserted-Identity", "\"A, B\" <sip:a,b@h>, <tel:+1>"),
    ])
    #expect(headers.list("Supported") == ["timer", "100rel", "replaces"])
    #expect(headers.lists("TIMER", in: "supported"))
    #expect(headers.list("P-Asserted-Identity") == ["\"A, B\" <sip:a,b@h>", "<tel:+1>"])
  }

  @Test func noValueSmugglesAField() {
    var headers = SIPHeaders()
    headers.append("X-A", "1\r\nX-B: 2")
    #expect(headers["X-A"] == "1  X-B: 2")
    #expect(headers["X-B"] == nil)
    var writer = SIPWriter()
    writer.fields([Header("X-A", "1\r\nX-B: 2"), Header("X C", "3"), Header("", "4")])
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "X-A: 1  X-B: 2\r\n")
  }
}

@Suite struct SIPFieldValueTests {
  @Test func reasons() {
    let headers = SIPHeaders([
      Header("Reason", "Q.850;cause=16;text=\"Normal; call, clearing\", SIP ; cause=200"),
      Header("Reason", "preemption"),
    ])
    #expect(
      SIPReason.all(in: headers) == [
        .q850(16, "Normal; call, clearing"), .sip(200), SIPReason("preemption", cause: nil),
      ])
    #expect(SIPReason.q850(16, "a \"b\"").description == "Q.850;cause=16;text=\"a \\\"b\\\"\"")
  }

  @Test(
    arguments: [
      ("1800", SIPSessionExpires(1800)), ("90;refresher=UAC", SIPSessionExpires(90, refresher: .uac)),
      (" 90 ; refresher=uas;x", SIPSessionExpires(90, refresher: .uas)), ("x", nil), ("", nil), ("-1", nil),
      ("99999999999999", SIPSessionExpires(4_294_967_295)),
    ] as [(String, SIPSessionExpires?)])
  func sessionExpires(_ text: String, _ value: SIPSessionExpires?) {
    #expect(SIPSessionExpires(text) == value)
  }

  @Test(
    arguments: [
      ("1 INVITE", SIPSequence(1, .invite)),
      ("  2147483647   FOO", SIPSequence(2_147_483_647, .other("FOO"))),
      ("2147483648 INVITE", nil), ("1INVITE", nil), ("-1 INVITE", nil), ("1", nil), ("1 IN VITE", nil),
      ("", nil),
    ] as [(String, SIPSequence?)])
  func sequence(_ text: String, _ value: SIPSequence?) {
    #expect(text.withRawUTF8 { SIPSequence($0) } == value)
  }

  @Test(
    arguments: [
      ("776656 1 INVITE", SIPResponseAcknowledgement(rseq: 776656, cseq: 1, method: .invite)),
      ("1 INVITE", nil),
      ("1 2 3 4", nil), ("a 1 INVITE", nil), ("", nil),
    ] as [(String, SIPResponseAcknowledgement?)])
  func rack(_ text: String, _ value: SIPResponseAcknowledgement?) {
    #expect(SIPResponseAcknowledgement(text) == value)
  }

  @Test func reliableResponsesCountOnceAndInOrder() {
    var order = SIPReliableOrder()
    #expect([5, 5, 7, 6, 7].map { order.accept($0) } == [true, false, false, true, true])
  }

  @Test(
    arguments: [
      ("SIP/2.0 200 OK\r\n", 200, "OK"), ("SIP/2.0 486 Busy Here", 486, "Busy Here"),
      ("SIP/2.0 100", 100, ""),
      ("SIP/2.0 999 X", nil, ""), ("INVITE sip:a SIP/2.0", nil, ""), ("", nil, ""),
    ] as [(String, Int?, String)])
  func fragments(_ text: String, _ status: Int?, _ reason: String) {
    let line = SIPFragment.statusLine(Array(text.utf8))
    #expect(line?.status == status)
    #expect(line?.reason ?? "" == reason)
  }
}
