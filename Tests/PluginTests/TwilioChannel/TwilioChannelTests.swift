import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import TwilioChannel

/// The channel against the emulated Twilio, over real HTTP and WebSockets.
@Suite(.serialized) struct TwilioChannelTests {
  @Test func theChannelDoesWhatEveryChannelDoes() async throws {
    var service: RunningEmulator<TwilioEmulator>?
    let violations = await ChannelConformance.violations { intake in
      let stage = try await TwilioStage(intake)
      service = stage.service
      return stage
    }
    #expect(violations.isEmpty, "\(violations)")
    let report = try #require(service?.report)
    #expect(report.violations == [], "\(report.sights)")
  }

  @Test func routesSeeWhatTwilioSays() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TwilioStage(intake)
    let caller = await stage.place(
      to: nil,
      [
        ("From", "+442079460000"), ("To", "+15550107777"), ("ForwardedFrom", "+15550108888"),
        ("CallerName", "ANN O\"NEIL"), ("StirVerstat", "TN-Validation-Passed-A-Diverted"),
        ("SipHeader_X-Tenant", "red"), ("CallToken", "secret"), ("FromState", ""),
      ])
    let call = try await calls.first { _ in true }.0
    #expect(call.channel == .voip && call.provider == "twilio")
    #expect(call.foreignID == caller.call.id)
    #expect(call.from == Party(user: "+442079460000", displayName: "ANN O\"NEIL"))
    #expect(call.to.user == "+15550107777")
    #expect(call.diversion.map(\.user) == ["+15550108888"])
    #expect(call.attestation == .full)
    #expect(call.values(ofHeader: "x-tenant") == ["red"])
    #expect(call.values(ofHeader: "FromState") == [""])
    #expect(call.values(ofHeader: "CallToken") == [])
    #expect(call.sourceAddress?.ip == "127.0.0.1")
    #expect(call.defaultAgent == nil)
    done.open()
    await stage.stop()
  }

  @Test func anAgentsOwnAddress() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TwilioStage(intake, agents: ["support", "sales"])
    let address = try #require(stage.stage.door.address(ofAgent: "support"))
    #expect(address != stage.stage.door.address(ofAgent: "sales"))
    #expect(stage.stage.door.address(ofAgent: "nobody") == nil)
    #expect(address.split(separator: "/").last?.count == 40)
    let own = await stage.place(to: address, [("StatusCallback", "x")])
    let call = try await calls.first { _ in true }.0
    #expect(call.defaultAgent == "support")
    #expect(call.foreignID == own.call.id)
    let client = stage.stage.clients.client(on: stage.stage.loops.signalling)
    #expect(try await client.send(HTTPRequest("POST", url: address)).status == 403)
    let other = String(address.dropLast()) + (address.last == "0" ? "1" : "0")
    #expect(try await client.send(HTTPRequest("POST", url: other)).status == 404)
    done.open()
    await stage.stop()
  }

  /// A retry while the first request is still open gets the same answer, and there is one call.
  @Test func aRetryIsNoSecondCall() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TwilioStage(intake)
    let request = stage.signed([
      ("CallSid", "CAretry"), ("CallStatus", "ringing"), ("From", "+1"), ("To", "+2"),
    ])
    let client = stage.stage.clients.client(on: stage.stage.loops.signalling)
    async let first = client.send(request)
    let leg = try await calls.first { _ in true }.1
    async let second = client.send(request)
    try await stage.wait(for: "repeated", 1)
    let answering = Task { try await leg.answer(AnswerOptions()) }
    let bodies = try await [first.text, second.text]
    #expect(bodies[0] == bodies[1] && bodies[0].contains("<Stream"))
    #expect(calls.events.count == 1)
    await leg.hangUp(CallEnd(.agentHungUp))
    _ = await answering.result
    // The same request again, after the end: somebody plays it back.
    #expect(try await client.send(request).status == 403)
    #expect(stage.stage.webhooks("replayed") == 1)
    done.open()
    await stage.stop()
  }

  /// Nothing that was not signed makes a call; nothing stays of it.
  @Test func strangersAreRefused() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TwilioStage(intake)
    let client = stage.stage.clients.client(on: stage.stage.loops.signalling)
    let fields = [("CallSid", "CA1"), ("CallStatus", "ringing"), ("From", "+1"), ("To", "+2")]
    var unsigned = stage.signed(fields)
    unsigned.headers.removeAll { $0.name == "X-Twilio-Signature" }
    var tampered = stage.signed(fields)
    tampered.body = Array(FormFields(parsing: tampered.body ?? []).encoded.utf8) + Array("&To=%2B3".utf8)
    var elsewhere = stage.signed(fields)
    elsewhere.url += "?to=me"
    var garbled = stage.signed(fields)
    garbled.headers = garbled.headers.map { $0.name == "X-Twilio-Signature" ? Header($0.name, "äöü") : $0 }
    var json = stage.signed(fields)
    json.headers = json.headers.map { $0.name == "Content-Type" ? Header($0.name, "application/json") : $0 }
    var text = json
    text.headers = json.headers.map { $0.name == "Content-Type" ? Header($0.name, "text/plain") : $0 }
    let wrongToken = stage.signed(fields, token: "another")
    let noSid = stage.signed([("From", "+1")])
    let foreign = stage.signed(fields, account: "AC1")
    for (request, status) in [
      (unsigned, 403), (tampered, 403), (elsewhere, 403), (garbled, 403), (json, 403), (text, 415),
      (wrongToken, 403),
      (noSid, 403), (foreign, 403),
    ] {
      #expect(try await client.send(request).status == status)
    }
    var huge = stage.signed(fields)
    huge.body = [UInt8](repeating: 0x41, count: 300_000)
    #expect(try await client.send(huge).status == 413)
    #expect(try await client.send(HTTPRequest("DELETE", url: stage.webhook)).status == 405)
    #expect(try await client.send(HTTPRequest("POST", url: stage.webhook + "/nothing")).status == 404)
    #expect(stage.stage.webhooks("unsigned") == 1)
    #expect(stage.stage.webhooks("forged") == 4)
    #expect(stage.stage.webhooks("malformed") == 2)
    #expect(stage.stage.webhooks("unknown-account") == 1)
    #expect(calls.events.isEmpty)
    #expect(await stage.held() == 0)
    done.open()
    await stage.stop()
  }

  /// Who comes to a call's media address with what does not belong there.
  @Test func mediaSocketsAreGuarded() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TwilioStage(intake)
    let client = stage.stage.clients.client(on: stage.stage.loops.signalling)
    let ws = "ws" + stage.stage.origin.dropFirst(4) + "/voip/twilio/media/"
    func refusal(_ url: String, _ headers: [Header] = []) async -> HTTPError.Kind? {
      do throws(HTTPError) {
        let socket = try await WebSocket.connect(url, headers: headers, over: client)
        await socket.close()
        return nil
      } catch { return error.kind }
    }
    #expect(await refusal(ws + String(repeating: "0", count: 40)) == .status(403))
    // A call that waits for its socket: a request without the signature does not use the address up.
    let fields = [("CallSid", "CAmedia"), ("CallStatus", "ringing"), ("From", "+1"), ("To", "+2")]
    async let reply = client.send(stage.signed(fields))
    let leg = try await calls.first { _ in true }.1
    let answering = Task { try await leg.answer(AnswerOptions()) }
    let twiml = try XMLElement.parse(try await reply.text)
    let url = try #require(twiml.children.first?.children.first?.attributes["url"])
    #expect(await refusal(url) == .status(403))
    #expect(await refusal(url, [stage.signature(url + "x", [])]) == .status(403))
    let socket = try await WebSocket.connect(url, headers: [stage.signature(url, [])], over: client)
    #expect(await refusal(url, [stage.signature(url, [])]) == .status(403), "an address serves once")
    // Media before the start, nonsense, another call's start: nothing of it counts.
    let closed = OneShot<Int>()
    await socket.start(onMessage: { _ in }, onClose: { closed.resolve($0.code) })
    for text in [
      #"{"event":"media","streamSid":"MZ1","media":{"track":"inbound","payload":"AAAA"}}"#, "nonsense", "{}",
      #"{"event":"news"}"#, #"{"event":"media","media":{"payload":"%%%"}}"#,
      #"{"event":"start","streamSid":"MZ1","start":{"callSid":"CAother","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}}}"#,
    ] { socket.send(.text(text)) }
    socket.send(.binary([1, 2, 3]))
    #expect(await closed.value(cancelled: 0) == 1008, "another call's stream")
    await #expect(throws: LegError.self) { try await answering.value }
    done.open()
    await stage.stop()
  }

  /// A socket that breaks ends the call here, and at Twilio by REST.
  @Test func aBrokenSocketEndsTheCallEverywhere() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TwilioStage(intake)
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    _ = try await leg.answer(AnswerOptions())
    await caller.call.breakStream()
    try await caller.events.wait(for: .ended, within: .seconds(10))
    var end: CallEnd?
    for await event in leg.events { if case .hungUp(let why) = event { end = why } }
    #expect(end?.reason == .callerHungUp)
    done.open()
    await stage.stop()
  }

  /// All that Twilio gets to see of two calls, word for word.
  @Test func whatWeSendIsAsItWas() async throws {
    let problems = try await WireStory.problems(against: "ours.txt") {
      try await TwilioStage($0, [("--wire", ""), ("--target", "busy")])
    }
    #expect(problems == [])
  }

  /// Bad input on live calls.
  @Test func theChannelStandsWhatShouldNotBe() async throws {
    let violations = await WebhookConformance.violations([
      .init("binary where text belongs", [.binary([1, 2, 3])]),
      .init(
        "media before the start", [.text(#"{"event":"media","media":{"track":"inbound","payload":"//79"}}"#)],
        isFirst: true),
      .init("no base 64", [.text(#"{"event":"media","media":{"payload":"%%%"}}"#)]),
      .init(
        "another call's start",
        [
          .text(
            #"{"event":"start","streamSid":"MZ1","start":{"callSid":"CAx","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}}}"#
          )
        ], isFirst: true, isFatal: true),
    ]) {
      try await TwilioStage($0)
    }
    #expect(violations.isEmpty, "\(violations)")
  }
}
