import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import TelnyxChannel

/// The channel against the emulated Telnyx, over real HTTP and WebSockets.
@Suite(.serialized) struct TelnyxChannelTests {
  /// Every webhook comes twice, frames overtake each other, and the caller's network speaks A-law.
  @Test func theChannelDoesWhatEveryChannelDoes() async throws {
    var service: RunningEmulator<TelnyxEmulator>?
    let violations = await ChannelConformance.violations { intake in
      let stage = try await TelnyxStage(intake, [("--twice", ""), ("--codec", "PCMA")])
      service = stage.service
      return stage
    }
    #expect(violations.isEmpty, "\(violations)")
    let report = try #require(service?.report)
    #expect(report.violations == [], "\(report.sights)")
  }

  /// Nothing that was not signed makes a call; nothing stays of it.
  @Test func strangersAreRefused() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake, agents: ["support"], ["connectionId": "1234567890"])
    let emulator = stage.service.emulator
    let payload: [String: JSONValue] = [
      "call_control_id": "v3:x", "direction": "incoming", "from": "+1", "to": "+2",
      "connection_id": "1234567890",
    ]
    let good = emulator.webhook(emulator.event("call.initiated", payload), to: stage.webhook)
    var unsigned = good
    unsigned.headers.removeAll { $0.name == "telnyx-signature-ed25519" }
    var tampered = good
    tampered.body = Array(String(decoding: good.body ?? [], as: UTF8.self).replacing("+2", with: "+3").utf8)
    let now = Int(Date().timeIntervalSince1970)
    let old = emulator.webhook(
      emulator.event("call.initiated", payload), to: stage.webhook, timestamp: now - 400)
    let foreign = emulator.webhook(
      emulator.event("call.initiated", payload.merging(["connection_id": "2"]) { $1 }), to: stage.webhook)
    let broken = emulator.webhook("{", to: stage.webhook)
    var xml = good
    xml.headers = good.headers.map { $0.name == "Content-Type" ? Header($0.name, "text/xml") : $0 }
    for (request, status) in [
      (unsigned, 403), (tampered, 403), (old, 403), (foreign, 403), (broken, 400), (xml, 415),
    ] { #expect(try await stage.client.send(request).status == status) }
    #expect(try await stage.client.send(HTTPRequest("GET", url: stage.webhook)).status == 405)
    let results = ["unsigned", "forged", "stale", "unknown-account", "malformed"]
    #expect(results.map { stage.stage.webhooks($0) } == [1, 1, 1, 1, 1])
    #expect(calls.events.isEmpty)
    #expect(await stage.held() == 0)
    // The same request, as it should be, at an agent's own address.
    let address = try #require(stage.stage.door.address(ofAgent: "support"))
    let own = emulator.webhook(emulator.event("call.initiated", payload), to: address)
    #expect(try await stage.client.send(own).status == 204)
    let call = try await calls.first { _ in true }.0
    #expect(call.defaultAgent == "support" && call.foreignID == "v3:x")
    done.open()
    await stage.stop()
  }

  /// Webhooks overtake each other: a call whose end came first never begins.
  @Test func orderDoesNotMatter() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake)
    let late: [String: JSONValue] = ["call_control_id": "v3:late", "from": "+1", "to": "+2"]
    for (type, more) in [
      ("call.hangup", ["hangup_cause": "originator_cancel"]), ("call.initiated", ["direction": "incoming"]),
      ("call.answered", [:]), ("streaming_started", [:]), ("call.dtmf.received", ["digit": "1"]),
      ("call.bridged", [:]), ("streaming.failed", [:]), ("call.cost", [:]), ("tomorrow", [:]),
    ] as [(String, [String: JSONValue])] {
      #expect(try await stage.tell(type, late.merging(more) { $1 }) == 204)
    }
    // A leg that somebody calls by the same application is no call to us.
    try await stage.tell(
      "call.initiated", ["call_control_id": "v3:out", "direction": "outgoing", "from": "+1", "to": "+2"])
    #expect(stage.stage.webhooks("late") == 1)
    #expect(calls.events.isEmpty)
    // One that comes again, while it is up and after its end, is one.
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    _ = try await leg.answer(AnswerOptions())
    let again: [String: JSONValue] = [
      "call_control_id": .string(caller.call.id), "direction": "incoming", "from": "+1", "to": "+2",
    ]
    try await stage.tell("call.initiated", again)
    await leg.hangUp(CallEnd(.agentHungUp))
    try await stage.tell("call.initiated", again)
    #expect(stage.stage.webhooks("repeated") == 1 && stage.stage.webhooks("late") == 2)
    #expect(calls.events.count == 1)
    done.open()
    await stage.stop()
  }

  /// A stream that carries what nobody here can hear ends the call, with the reason.
  @Test func aStrangeCodecEndsTheCall() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake, [("--codec", "G722")])
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    do {
      _ = try await leg.answer(AnswerOptions())
      Issue.record("there is no media")
    } catch {
      let end = try #require(error as? LegError).end
      #expect(end.reason == .noCommonCodec && end.text.contains("G722 at 16000 Hz"), "\(end)")
    }
    try await caller.events.wait(for: .ended, within: .seconds(10))
    done.open()
    await stage.stop()
  }

  /// The target is busy while the caller's sound was taken away: it comes back, and the call goes on.
  @Test func theCallerComesBack() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake, [("--quiet-dial", ""), ("--target", "busy")])
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    let media = try await leg.answer(AnswerOptions())
    let outcome = await leg.transfer(TransferRequest(target: "0200", timeout: 20))
    #expect(outcome == .failed(status: 486, reason: "busy"))
    #expect(stage.service.report.sights.contains("dialling sip:0200@pbx.example.com"))
    let before = media.statistics().packetsReceived
    let heard = Journal<Int>()
    media.hear(as: .muLaw) { heard.note($0.bytes.count) }
    try await heard.first(after: 3) { $0 == 160 }
    let deadline = ContinuousClock.now + .seconds(10)
    while media.statistics().packetsReceived == before, .now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(media.statistics().packetsReceived > before)
    #expect(stage.service.report.sights.contains("REST: streaming_start"))
    #expect(!caller.events.events.contains(.ended))
    #expect(stage.service.report.violations == [])
    done.open()
    await stage.stop()
  }

  /// A hand-over to a SIP address by the caller's own network: REFER.
  @Test(arguments: [DialTarget.answer, .busy])
  func aCallerIsReferred(_ target: DialTarget) async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake, [("--twice", "")], ["refer": true])
    stage.service.emulator.setTarget(target)
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    _ = try await leg.answer(AnswerOptions())
    let outcome = await leg.transfer(TransferRequest(target: "0200", timeout: 20))
    #expect(outcome == (target == .answer ? .completed : .failed(status: 486, reason: "busy")))
    #expect(stage.service.report.sights.contains("referring to sip:0200@pbx.example.com"))
    if target == .answer { try await caller.events.wait(for: .ended, within: .seconds(10)) }
    #expect(caller.events.events.contains(.ended) == (target == .answer))
    #expect(stage.service.report.violations == [])
    // A number cannot be referred to: Telnyx calls it.
    if target == .busy {
      let number = await leg.transfer(TransferRequest(target: "+15550100009", timeout: 20))
      #expect(number == .failed(status: 486, reason: "busy"))
      #expect(stage.service.report.sights.contains("dialling +15550100009"))
    }
    done.open()
    await stage.stop()
  }

  /// The suite again, in Telnyx's other language.
  @Test func theChannelDoesTheSameUnderTeXML() async throws {
    var service: RunningEmulator<TelnyxEmulator>?
    let violations = await ChannelConformance.violations { intake in
      let stage = try await TelnyxStage(intake, [("--texml", "")])
      service = stage.service
      return stage
    }
    #expect(violations.isEmpty, "\(violations)")
    #expect(service?.report.violations == [], "\(service?.report.sights ?? [])")
  }

  /// A key whose webhook is ahead of the media socket, and the same key again at once: two presses.
  @Test func quickKeysByBothWays() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake)
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    _ = try await leg.answer(AnswerOptions())
    let keys = Journal<Character>()
    let reading = Task {
      for await event in leg.events { if case .digit(let key) = event { keys.note(key) } }
    }
    let fields: [String: JSONValue] = [
      "call_control_id": .string(caller.call.id), "connection_id": "1234567890", "digit": "1",
    ]
    #expect(try await stage.tell("call.dtmf.received", fields) == 204)
    // The socket's first is the one that was told; its second is new, however soon it comes.
    let message = WebSocketMessage.text(#"{"event":"dtmf","stream_id":"1","dtmf":{"digit":"1"}}"#)
    await caller.call.misbehave([message, message])
    try await keys.first(after: 1, within: .seconds(10)) { $0 == "1" }
    #expect(keys.events == ["1", "1"])
    reading.cancel()
    done.open()
    await stage.stop()
  }

  @Test func keysArePressed() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake)
    _ = await stage.place()
    let leg = try await calls.first { _ in true }.1
    let media = try await leg.answer(AnswerOptions())
    await media.sendDigits("1,a#")
    #expect(stage.service.report.sights.contains("keys: 1wA#"))
    done.open()
    await stage.stop()
  }

  /// A socket that breaks ends the call here, and at Telnyx by REST.
  @Test func aBrokenSocketEndsTheCallEverywhere() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake)
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    _ = try await leg.answer(AnswerOptions())
    await caller.call.breakStream()
    try await caller.events.wait(for: .ended, within: .seconds(10))
    done.open()
    await stage.stop()
  }

  /// The same call in Telnyx's other language: the reply to the signed form answers it.
  @Test func aCallUnderTeXML() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await TelnyxStage(intake)
    let client = stage.client
    let ringing = stage.form(
      "CallSid=v3%3Atexml&AccountSid=acc&From=%2B15550100001&To=%2B15550100002&CallStatus=ringing")
    async let reply = client.send(ringing)
    let leg = try await calls.first { _ in true }.1
    let answering = Task { try await leg.answer(AnswerOptions()) }
    let document = try XMLElement.parse(try await reply.text)
    let stream = try #require(document.children.first?.children.first)
    #expect(stream.name == "Stream" && stream.attributes["bidirectionalMode"] == "rtp")
    let socket = try await WebSocket.connect(
      try #require(stream.attributes["url"]), over: client)
    await socket.start(onMessage: { _ in }, onClose: { _ in })
    socket.send(
      .text(
        #"{"event":"start","start":{"call_control_id":"another","media_format":{"encoding":"PCMU","sample_rate":8000}}}"#
      ))
    _ = try await answering.value
    #expect(try await client.send(stage.form("CallSid=v3%3Atexml&CallStatus=completed")).status == 204)
    var ended = false
    for await event in leg.events { if case .hungUp = event { ended = true } }
    #expect(ended)
    #expect(try await client.send(stage.form("From=1")).status == 400)
    done.open()
    await stage.stop()
  }

  /// All that Telnyx gets to see of two calls, word for word, in both of its languages.
  @Test(arguments: ["ours.txt", "ours-texml.txt"]) func whatWeSendIsAsItWas(_ fixture: String) async throws {
    let language = fixture == "ours.txt" ? "--quiet-dial" : "--texml"
    let problems = try await WireStory.problems(
      against: fixture, known: { [(TelnyxEvent.state(caller: $0, attempt: 1), "STATE")] },
      at: { try await TelnyxStage($0, [("--wire", ""), ("--target", "busy"), (language, "")]) })
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
      .init("an error", [.text(#"{"event":"error","payload":{"code":100002,"title":"unknown_error"}}"#)]),
    ]) {
      try await TelnyxStage($0, [("--twice", "")])
    }
    #expect(violations.isEmpty, "\(violations)")
  }
}
