import Foundation
import RouterCore
import Testing

@testable import TwilioChannel

/// Twilio's wire: signatures, fields, messages, answers.
@Suite struct TwilioWireTests {
  // MARK: Signatures

  private static let form = FormFields(
    parsing:
      "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212")

  /// The vectors of Twilio's own libraries; the token is 12345.
  @Test(arguments: [
    ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://mycompany.com:443/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http://mycompany.com:80/myapp.php?foo=1&bar=2", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
  ])
  func signaturesAreTwilios(url: String, signature: String) {
    #expect(TwilioSignature.make(url, Self.form.all, token: "12345") == signature)
  }

  @Test func doublesAndDotsAreSigned() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    let twice = FormFields(parsing: "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234")
    #expect(TwilioSignature.make(url, twice.all, token: "12345") == "IK+Dwps556ElfBT0I3Rgjkr1wJU=")
    let dots = FormFields(
      parsing: "MessagingBinding.Address=%2B1325xxxxxxx&MessagingBinding.Address=%2B1415xxxxxxx")
    #expect(TwilioSignature.make(url, dots.all, token: "12345") == "83O6e2vORAoJHUNzJjDWN1jz+BA=")
  }

  private func request(
    _ origin: String, _ target: String, _ signature: String, body: String = "", type: String? = nil
  ) -> HTTPServerRequest {
    var headers = [Header("x-twilio-signature", signature)]
    if let type { headers.append(Header("Content-Type", type)) }
    return HTTPServerRequest(
      method: "POST", target: target, headers: headers, body: Array(body.utf8), origin: origin)
  }

  @Test(arguments: [
    ("https://mycompany.com", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true),
    ("https://mycompany.com", "kvajT1Ptam85bY51eRf/AJRuM3w=", true),
    ("https://mycompany.com:443", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true),
    ("http://mycompany.com", "0ZXoZLH/DfblKGATFgpif+LLRf4=", true),
    ("http://mycompany.com:1234", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", true),
    ("https://mycompany.com", "0ZXoZLH/DfblKGATFgpif+LLRf4=", false),
    ("https://mycompany.com", "RSOYDt4T1cUTdK1PDd93/VVr8B8", false), ("https://mycompany.com", "", false),
    ("https://other.com", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false),
  ])
  func portsMayBeThereOrNot(origin: String, signature: String, isValid: Bool) {
    let request = request(
      origin, "/myapp.php?foo=1&bar=2", signature, body: Self.form.encoded,
      type: "application/x-www-form-urlencoded; charset=UTF-8")
    #expect(TwilioSignature.isValid(request, tokens: ["old", "12345"]) == isValid)
    #expect(!TwilioSignature.isValid(request, tokens: ["", "54321"]))
  }

  @Test func aJSONBodyIsHashed() {
    let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    let target = "/myapp.php?foo=1&bar=2&bodySHA256=" + hash
    let body = #"{"property": "value", "boolean": true}"#
    let right = request(
      "https://mycompany.com", target, "a9nBmqA0ju/hNViExpshrM61xv4=", body: body, type: "application/json")
    #expect(TwilioSignature.isValid(right, tokens: ["12345"]))
    var tampered = right
    tampered.body.append(0x20)
    #expect(!TwilioSignature.isValid(tampered, tokens: ["12345"]))
  }

  @Test(arguments: [
    ("/media", "mYzvnYpklm3k+TnIYsVHPXNpPtU=", true), ("/media", "99YYkXubLpIc4TS7W+BY/Ghe6xU=", true),
    ("/medium", "mYzvnYpklm3k+TnIYsVHPXNpPtU=", false),
  ])
  func socketsAreSigned(target: String, signature: String, isValid: Bool) {
    let request = request("https://voice.example.com", target, signature)
    #expect(TwilioSignature.isValidSocket(request, tokens: ["test_auth_token"]) == isValid)
  }

  // MARK: Fields

  @Test(arguments: [
    ("+15550001", "+15550001", "", false), ("anonymous", "anonymous", "", true),
    ("+266696687", "+266696687", "", true),
    ("Restricted", "Restricted", "", true), ("client:ann", "ann", "", false), ("", "", "", true),
    ("sip:ann@x.sip.twilio.com;transport=tls", "ann", "x.sip.twilio.com", false), ("sip:", "", "", true),
    ("sip:anonymous@anonymous.invalid", "anonymous", "anonymous.invalid", true),
  ])
  func partiesAreRead(text: String, user: String, host: String, isAnonymous: Bool) {
    let party = Party(announced: text)
    #expect(party.user == user && party.host == host && party.isAnonymous == isAnonymous && party.uri == text)
  }

  @Test(arguments: [
    ("TN-Validation-Passed-A", Attestation.full), ("TN-Validation-Passed-B-Passthrough", .partial),
    ("TN-Validation-Passed-C", .gateway), ("TN-Validation-Failed-A", nil), ("No-TN-Validation", nil),
    ("TN-Validation-Passed-", nil), (nil, nil),
  ])
  func attestationsAreRead(verdict: String?, expected: Attestation?) {
    #expect(TwilioWebhook.attestation(verdict) == expected)
  }

  @Test(arguments: [
    ("+1 (555) 010-7777", nil, TransferDestination.number("+15550107777")),
    ("tel:+15550107777;x=y", nil, .number("+15550107777")),
    ("sip:ann@pbx.example.com", nil, .sip("sip:ann@pbx.example.com")), ("0200", nil, nil),
    ("0200", "pbx.example.com", .sip("sip:0200@pbx.example.com")), ("", "pbx.example.com", nil),
    ("02 00<", "pbx.example.com", nil), ("+12", nil, nil),
  ])
  func targetsAreRead(text: String, domain: String?, expected: TransferDestination?) {
    #expect(TransferDestination(text, domain: domain) == expected)
  }

  // MARK: Messages

  private func read(_ messages: [WebSocketMessage]) -> [String] {
    var codec = TwilioMediaCodec()
    var seen: [String] = []
    for message in messages {
      codec.read(message) { event in
        switch event {
        case .started(let start): seen.append("start \(start.callID ?? "") \(start.codec)")
        case .audio(let bytes, _): seen.append("audio \(bytes.count) \(bytes.first ?? 0)")
        case .digit(let digit): seen.append("digit \(digit)")
        case .mark(let name): seen.append("mark \(name)")
        case .stopped: seen.append("stop")
        case .malformed: seen.append("malformed")
        }
      }
    }
    return seen
  }

  /// A stream as Twilio's documentation has it, line by line.
  @Test func aTranscriptIsRead() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "wire.jsonl")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(
      read(lines.map { .text(String($0)) }) == [
        "start CA00000000000000000000000000000001 PCMU", "audio 160 255", "audio 160 126", "digit 1",
        "digit #",
        "mark 0.7", "stop",
      ])
  }

  @Test func nonsenseIsMalformedOrIgnored() {
    let messages: [WebSocketMessage] = [
      .binary([1]), .text(""), .text("[]"), .text(#"{"event":"media"}"#),
      .text(#"{"event":"media","media":{"payload":"*"}}"#),
      .text(#"{"event":"media","media":{"payload":""}}"#),
      .text(#"{"event":"dtmf","dtmf":{"digit":"12"}}"#), .text(#"{"event":"mark"}"#),
      .text(#"{"event":"start","start":{}}"#),
      .text(#"{"event":"start","streamSid":"MZ\"","start":{"callSid":"CA"}}"#),
      .text(
        #"{"event":"start","streamSid":"MZ1","start":{"callSid":"CA","mediaFormat":{"encoding":"opus","sampleRate":8000}}}"#
      ),
    ]
    #expect(read(messages) == Array(repeating: "malformed", count: messages.count))
    #expect(
      read([
        .text(#"{"event":"connected"}"#), .text(#"{"event":"tomorrow","x":[{}]}"#), .text(#"{"event":1}"#),
      ]) == [])
    #expect(
      read([.text(#"{"event":"media","media":{"track":"outbound","payload":"AAAA"}}"#)]) == [],
      "our own voice is not the caller's")
  }

  @Test func messagesAreWritten() throws {
    var codec = TwilioMediaCodec()
    let start =
      #"{"event":"start","streamSid":"MZ1","start":{"callSid":"CA","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":"8000"}}}"#
    codec.read(.text(start)) { _ in }
    let frame = (0..<160).map { UInt8($0) }
    let written = [frame.withUnsafeBytes { codec.audio($0) }, codec.mark("0.7"), codec.clear()].compactMap {
      $0
    }
    let objects = try written.map { message -> NSDictionary in
      guard case .text(let text) = message else { return [:] }
      return try #require(try JSONSerialization.jsonObject(with: Data(text)) as? NSDictionary)
    }
    #expect(
      objects == [
        ["event": "media", "streamSid": "MZ1", "media": ["payload": Data(frame).base64EncodedString()]],
        ["event": "mark", "streamSid": "MZ1", "mark": ["name": "0.7"]],
        ["event": "clear", "streamSid": "MZ1"],
      ])
  }

  /// Any bytes are safe to read.
  @Test func mutatedMessagesAreSafe() {
    let seeds = [
      #"{"event":"start","streamSid":"MZ1","start":{"callSid":"CA","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}}}"#,
      #"{"event":"media","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"//79/Pv6"}}"#,
    ].map { Array($0.utf8) }
    var codec = TwilioMediaCodec()
    for _ in 0..<20_000 {
      guard var bytes = seeds.randomElement() else { return }
      for _ in 0..<Int.random(in: 1...5) { bytes[Int.random(in: bytes.indices)] = .random(in: .min ... .max) }
      codec.read(.text(Array(bytes.prefix(.random(in: 0...bytes.count))))) { _ in }
    }
  }
}
