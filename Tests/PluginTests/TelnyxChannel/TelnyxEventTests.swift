import RouterCore
import Testing

@testable import TelnyxChannel

@Suite struct TelnyxEventTests {
  private static func event(_ type: String, _ payload: String) throws -> TelnyxEvent {
    try #require(
      TelnyxEvent(
        Array(
          #"{"data":{"record_type":"event","event_type":"\#(type)","id":"e","payload":\#(payload)}}"#.utf8)))
  }

  /// Envelopes of both versions of the API, and both ways to write a name.
  @Test(arguments: [
    TelnyxSignatureTests.body,
    #"{"record_type":"event","event_type":"call_initiated","id":"1","payload":{"call_control_id":"v3:demo","direction":"incoming","from":"+15550100001","to":"+15550100002"}}"#,
    #"{"event_type":"call_initiated","call_control_id":"v3:demo","direction":"incoming","from":"+15550100001","to":"+15550100002"}"#,
    #"{"data":{"event_type":"call_initiated","payload":{"call_control_id":"v3:demo","from":"+15550100001","to":"+15550100002","direction":"incoming"}},"meta":{"attempt":2}}"#,
  ])
  func announcementsOfAllVersions(_ body: String) throws {
    let event = try #require(TelnyxEvent(Array(body.utf8)))
    #expect(event.isAnnouncement)
    let call = event.call(HTTPServerRequest(method: "POST", target: "/"), agent: "a")
    #expect(call.foreignID == "v3:demo" && call.provider == "telnyx" && call.defaultAgent == "a")
    #expect(call.from.user == "+15550100001" && call.to.user == "+15550100002" && call.channel == .voip)
  }

  @Test func legsThatWeCalledAreNoCalls() throws {
    let outgoing = #"{"call_control_id":"v3:b","direction":"outgoing","from":"+1","to":"+2"}"#
    #expect(try !Self.event("call.initiated", outgoing).isAnnouncement)
    #expect(try !Self.event("call.answered", #"{"call_control_id":"v3:b"}"#).isAnnouncement)
    #expect(try !Self.event("call.initiated", #"{"direction":"incoming"}"#).isAnnouncement)
  }

  @Test func routesSeeWhatTelnyxSays() throws {
    let event = try Self.event(
      "call.initiated",
      #"{"call_control_id":"v3:a","client_state":"eA==","direction":"incoming","from":"sip:ann@pbx.example.com;user=phone","to":"bob@sip.telnyx.com","caller_id_name":"Ann O'Neil","connection_id":1234567890,"shaken_stir_attestation":"A","shaken_stir_validated":true,"custom_headers":[{"name":"X-Tenant","value":"red"},{"name":7}],"sip_headers":[{"name":"Diversion","value":"\"R\" <sip:+15550108888@c.example;user=phone>;reason=busy"},{"name":"User-to-User","value":"00AB"}],"tags":["t"]}"#
    )
    let call = event.call(HTTPServerRequest(method: "POST", target: "/"), agent: nil)
    #expect(call.from.user == "ann" && call.from.host == "pbx.example.com")
    #expect(call.from.displayName == "Ann O'Neil")
    #expect(call.to == Party(user: "bob", host: "sip.telnyx.com"))
    #expect(call.attestation == .full)
    #expect(call.diversion.map(\.user) == ["+15550108888"])
    #expect(call.values(ofHeader: "x-tenant") == ["red"])
    #expect(call.values(ofHeader: "User-to-User") == ["00AB"])
    #expect(call.values(ofHeader: "connection_id") == ["1234567890"])
    #expect(call.values(ofHeader: "client_state") == [])
    for text in ["", "anonymous", "Restricted", "sip:anonymous@anonymous.invalid", "x@anonymous.invalid"] {
      #expect(Party(announced: text).isAnonymous)
    }
    #expect(TelnyxParty.attestation("A", isValid: "false") == nil)
    #expect(TelnyxParty.attestation("no", isValid: nil) == nil)
  }

  @Test(arguments: [
    ("originator_cancel", CallEnd.Reason.cancelled), ("normal_clearing", .callerHungUp),
    ("timeout", .noAnswer), ("time_limit", .maximumDuration), ("a new one", .callerHungUp),
  ])
  func causesAreUnderstood(_ cause: String, _ reason: CallEnd.Reason) throws {
    let event = try Self.event("call.hangup", #"{"call_control_id":"v3:a","hangup_cause":"\#(cause)"}"#)
    #expect(event.end.reason == reason)
    #expect(event.end.text.contains(cause))
  }

  static let targets: [(type: String, payload: String, outcome: TransferOutcome?)] = [
    ("call.answered", "{}", .completed), ("call_bridged", "{}", .completed),
    ("call.initiated", "{}", nil), ("streaming.started", "{}", nil),
    ("call.hangup", #"{"hangup_cause":"user_busy"}"#, .failed(status: 486, reason: "busy")),
    ("call.hangup", #"{"hangup_cause":"timeout"}"#, .failed(status: 480, reason: "no answer")),
    ("call.hangup", #"{"hangup_cause":"call_rejected"}"#, .failed(status: 603, reason: "rejected")),
    ("call.hangup", #"{"hangup_cause":"originator_cancel"}"#, .callerHungUp),
    ("call.hangup", #"{"hangup_cause":"normal_clearing"}"#, .completed),
    ("call.hangup", #"{"hangup_cause":"x","sip_hangup_cause":"488"}"#, .failed(status: 488, reason: "x")),
    ("call.hangup", #"{"hangup_cause":"x","sip_hangup_cause":"99999"}"#, .failed(status: 503, reason: "x")),
    ("call.hangup", "{}", .failed(status: 503, reason: "unspecified")),
  ]

  @Test(arguments: targets)
  func whatBecomesOfATarget(_ type: String, _ payload: String, _ outcome: TransferOutcome?) throws {
    #expect(try Self.event(type, payload).targetOutcome == outcome)
  }

  @Test func targetsAreKnownByTheirState() throws {
    let state = TelnyxEvent.state(caller: "v3:a b", attempt: 3)
    let event = try Self.event("call.answered", #"{"call_control_id":"v3:b","client_state":"\#(state)"}"#)
    #expect(event.target?.caller == "v3:a b" && event.target?.attempt == 3)
    for foreign in ["", "%", "eA==", Base64.encode("routerd x y".utf8), Base64.encode("routerd 1".utf8)] {
      let event = try Self.event("call.answered", #"{"client_state":"\#(foreign)"}"#)
      #expect(event.target == nil)
    }
  }

  @Test(arguments: [
    "", "{", "[]", "1", "null", "{}", #"{"data":{}}"#, #"{"data":{"event_type":7,"payload":{}}}"#,
    #"{"event_type":"x","call_control_id":"\#(String(repeating: "a", count: 513))"}"#,
    String(repeating: "[", count: 100_000),
  ])
  func whatIsNoEventIsRefused(_ body: String) { #expect(TelnyxEvent(Array(body.utf8)) == nil) }

  @Test func formsOfTeXML() throws {
    func webhook(_ form: String) -> TeXMLWebhook? {
      TeXMLWebhook(HTTPServerRequest(method: "POST", target: "/", body: Array(form.utf8)))
    }
    let ringing = try #require(
      webhook(
        "CallSid=v3%3Aa&AccountSid=acc&From=%2B1555&To=sip%3A0200%40x&CallStatus=ringing&ShakenStirAttestation=B"
      ))
    let call = ringing.call(HTTPServerRequest(method: "POST", target: "/"), agent: nil)
    #expect(call.foreignID == "v3:a" && call.from.user == "+1555" && call.to.user == "0200")
    #expect(call.attestation == .partial && call.values(ofHeader: "CallStatus") == ["ringing"])
    for form in ["", "From=1", "CallSid=", "CallSid=" + String(repeating: "a", count: 513)] {
      #expect(webhook(form) == nil)
    }
    let socket = MediaSocketInvitation(url: "wss://h/voip/telnyx/media/a&b", token: "a")
    #expect(
      CallDocument.connect(socket).text.contains(
        #"<Connect><Stream url="wss://h/voip/telnyx/media/a&amp;b" codec="PCMU" bidirectionalMode="rtp" bidirectionalCodec="PCMU"/></Connect>"#
      ))
  }
}
