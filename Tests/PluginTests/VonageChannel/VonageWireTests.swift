import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import VonageChannel

@Suite struct VonageWireTests {
  private func events(_ messages: [WebSocketMessage], rate: Int = 16000) -> [String] {
    var codec = VonageMediaCodec(sampleRate: rate)
    var events: [String] = []
    for message in messages {
      codec.read(message) { event in
        switch event {
        case .started(let start): events.append("started \(start.codec) \(start.callID ?? "-")")
        case .audio(let bytes, let number):
          events.append("audio \(bytes.count) \(number.map(String.init) ?? "-")")
        case .digit(let digit): events.append("digit \(digit)")
        case .mark(let name): events.append("mark \(name)")
        case .stopped: events.append("stopped")
        case .malformed: events.append("malformed")
        }
      }
    }
    return events
  }

  private static let connected =
    #"{"event":"websocket:connected","content-type":"audio/l16;rate=8000","caller":"1"}"#

  @Test func soundAndEventsAreRead() {
    #expect(
      events([
        .text(Self.connected), .binary([UInt8](repeating: 0, count: 320)),
        .text(#"{"event":"websocket:dtmf","digit":"5","duration":260}"#),
        .text(#"{ "event" : "websocket:notify", "payload" : { "mark" : "0.1" } }"#),
        .text(#"{"event":"websocket:cleared"}"#), .text(#"{"event":"websocket:media:update","active":true}"#),
        .text(Self.connected),
      ]) == ["started L16/8000 -", "audio 320 -", "digit 5", "mark 0.1"])
  }

  /// The events of a socket as Vonage's documentation has them, line by line.
  @Test func aTranscriptIsRead() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "wire.jsonl")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(
      events(lines.map { .text(String($0)) }) == ["started L16/16000 -", "digit 5", "mark 0.7", "digit #"])
  }

  /// Sound that comes before the first event is of the rate that was asked for.
  @Test func soundMayComeFirst() {
    #expect(
      events([.binary([0, 0]), .text(Self.connected), .binary([0, 0])], rate: 24000)
        == ["started L16/24000 -", "audio 2 -", "audio 2 -"])
  }

  @Test(arguments: [
    "", "{", "[]", "null", "{}", #"{"event":1}"#, #"{"event":"websocket:connected"}"#,
    #"{"event":"websocket:connected","content-type":"audio/l16;rate=11025"}"#,
    #"{"event":"websocket:connected","content-type":"audio/ulaw;rate=8000"}"#,
    #"{"event":"websocket:dtmf","digit":"55"}"#, #"{"event":"websocket:dtmf"}"#,
    #"{"event":"websocket:dtmf","digit":"x"}"#,
  ])
  func whatIsBrokenIsCounted(_ text: String) {
    #expect(events([.text(text)]).allSatisfy { $0 == "malformed" })
  }

  @Test func halfASampleIsBroken() {
    #expect(events([.binary([1])]).last == "malformed")
    #expect(events([.binary([])]).last == "malformed")
  }

  @Test func whatWeSay() {
    var codec = VonageMediaCodec(sampleRate: 8000)
    let frame: [UInt8] = [1, 2, 3, 4]
    #expect(frame.withUnsafeBytes { codec.audio($0) } == .binary(frame))
    #expect(codec.clear() == .text(#"{"action":"clear"}"#))
    #expect(codec.mark("1.2") == .text(#"{"action":"notify","payload":{"mark":"1.2"}}"#))
  }

  @Test func callsAreReadAsRoutesSeeThem() throws {
    let query = "to=15550100002&from=15550100001&conversation_uuid=CON-1&uuid=u-1&SipHeader_X-UserId=7"
    let request = HTTPServerRequest(method: "GET", target: "/voip/vonage?" + query)
    let webhook = try #require(VonageWebhook(request))
    #expect(webhook.isAnnouncement && webhook.end == nil)
    let call = webhook.call(request, agent: "a")
    #expect(call.from.user == "+15550100001" && call.to.user == "+15550100002")
    #expect(call.foreignID == "u-1" && call.provider == "vonage" && call.defaultAgent == "a")
    #expect(call.values(ofHeader: "x-userid") == ["7"])
    #expect(VonageWebhook.party("0200").user == "0200")
    #expect(VonageWebhook.party("alice").user == "alice")
    #expect(VonageWebhook.party("Unknown").isAnonymous)
    let sip = VonageWebhook.party("sip:bob@example.com;transport=tls")
    #expect(sip.user == "bob" && sip.host == "example.com")
  }

  @Test(arguments: [
    ("completed", "callerHungUp"), ("cancelled", "cancelled"), ("unanswered", "cancelled"),
    ("busy", "cancelled"),
    ("failed", "failed"), ("answered", nil), ("ringing", nil), ("disconnected", nil), ("new one", nil),
  ])
  func statusesAreUnderstood(_ status: String, _ reason: String?) throws {
    let body =
      #"{"uuid":"u-1","conversation_uuid":"CON-1","status":"\#(status)","direction":"inbound","price":null}"#
    let webhook = try #require(
      VonageWebhook(HTTPServerRequest(method: "POST", target: "/", body: Array(body.utf8))))
    #expect(webhook.end?.reason.rawValue == reason)
    #expect(!webhook.isAnnouncement)
  }

  @Test(arguments: ["[]", "1", "{", #"{"uuid":"a b"}"#, #"{"uuid":"\#(String(repeating: "a", count: 65))"}"#])
  func whatIsNoEventIsRefused(_ body: String) {
    #expect(VonageWebhook(HTTPServerRequest(method: "POST", target: "/", body: Array(body.utf8))) == nil)
  }

  @Test(arguments: [
    ("https://api-us-3.vonage.com", "https://api-us-3.vonage.com"), (nil, "https://api.nexmo.com"),
    ("http://api-us-3.vonage.com", "https://api.nexmo.com"),
    ("https://evil.example", "https://api.nexmo.com"),
    ("https://evil.example/.vonage.com", "https://api.nexmo.com"),
    ("https://vonage.com.evil.example", "https://api.nexmo.com"),
    ("https://x@evil.example#.vonage.com", "https://api.nexmo.com"),
    ("https://api-eu-3.vonage.com/v1/calls", "https://api-eu-3.vonage.com"),
  ])
  func onlyVonagesRegionsAreAsked(_ region: String?, _ url: String) throws {
    let account = try VonageSignatureTests.account()
    #expect(VonageCallID(uuid: "u", region: region).apiURL(account) == url)
  }

  /// Vonage's own Python SDK takes our actions and our tokens.
  @Test func theOfficialPackageAgrees() throws {
    let python = try PythonEnvironment(["vonage-voice==1.5.1", "vonage-jwt==1.1.5"])
    let place = try Workplace()
    let keyFile = try place.rsaKey()
    let account = try VonageSignatureTests.account([
      "signatureSecret": "s", "applicationId": "app-1",
      "privateKey": .string(try String(contentsOfFile: keyFile.privateKey, encoding: .utf8)),
    ])
    let socket = MediaSocketInvitation(url: "wss://voice.example.com/voip/vonage/media/abc", token: "abc")
    var actions: [JSONValue] = []
    for rate in VonageMediaCodec.rates {
      actions.append(
        NCCO.connect(socket, from: "15550100002", sampleRate: rate, events: "https://voice.example.com/e")
          .json)
    }
    actions.append(
      NCCO.connect(socket, from: "alice", sampleRate: 8000, events: "https://voice.example.com/e").json)
    for target in [TransferDestination.number("+15550100003"), .sip("sip:0200@pbx.example.com")] {
      actions.append(
        NCCO.call(target, from: "15550100002", timeout: 30, events: "https://voice.example.com/e").json)
    }
    actions += [NCCO.end.json, NCCO.wait(seconds: 60).json]
    let input: JSONValue = [
      "nccos": .array(actions),
      "publicKey": .string(try String(contentsOfFile: keyFile.publicKey, encoding: .utf8)),
      "rest": .string(VonageTokens().token(account, now: 1_800_000_000) ?? ""),
      "webhook": .string(VonageSignatureTests.token), "secret": .string(VonageSignatureTests.secret),
    ]
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "vonage_sdk.py")
    #expect(try python.run(script, input: Data(input.text.utf8)) == "fine\n")
    #expect(VonageTokens().token(try VonageSignatureTests.account(), now: 0) == nil)
  }
}
