import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import VonageChannel

/// The channel against the emulated Vonage, over real HTTP and WebSockets.
@Suite(.serialized) struct VonageChannelTests {
  /// Both ways of asking, and sound that comes before the first event.
  @Test(arguments: [
    (8000, [("--method", "GET")]), (24000, [("--method", "POST"), ("--sound-first", "")]),
  ])
  func theChannelDoesWhatEveryChannelDoes(_ rate: Int, _ options: [(String, String)]) async throws {
    var service: RunningEmulator<VonageEmulator>?
    let place = try Workplace()
    let violations = await ChannelConformance.violations { intake in
      let stage = try await VonageStage(intake, options, keys: place, ["sampleRate": .integer(rate)])
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
    let stage = try await VonageStage(
      intake, agents: ["support"], keys: nil, ["apiKey": "a1b2c3d4"])
    let emulator = stage.service.emulator
    let fields = [("to", "15550100002"), ("from", "15550100001"), ("uuid", "u-1")]
    let good = emulator.question(stage.webhook, fields)
    var unsigned = good
    unsigned.headers = []
    var tampered = good
    tampered.url += "&region_url=x"
    let now = Int(Date().timeIntervalSince1970)
    let old = emulator.question(stage.webhook, fields, issued: now - 400)
    let body = #"{"to":"15550100002","from":"15550100001","uuid":"u-1"}"#
    var changed = emulator.webhook(body, to: stage.webhook)
    changed.body = Array(body.replacing("u-1", with: "u-2").utf8)
    let broken = emulator.webhook("{", to: stage.webhook)
    let other = try await RunningEmulator(VonageEmulator.self, [("--account-key", "another")])
    let foreign = other.emulator.question(stage.webhook, fields)
    await other.close()
    for request in [unsigned, tampered, old, changed, broken, foreign] {
      #expect(try await stage.client.send(request).status == 403)
    }
    var form = emulator.webhook("a=b", to: stage.webhook)
    form.headers = form.headers.map { $0.name == "Content-Type" ? Header($0.name, "text/plain") : $0 }
    #expect(try await stage.client.send(form).status == 415)
    let results = ["unsigned", "tampered", "stale", "malformed", "forged"]
    #expect(results.map { stage.stage.webhooks($0) } == [1, 2, 1, 1, 1])
    #expect(calls.events.isEmpty)
    #expect(await stage.held() == 0)
    // At an agent's own address.
    let address = try #require(stage.stage.door.address(ofAgent: "support"))
    let own = await stage.place(to: address)
    let call = try await calls.first { _ in true }.0
    #expect(call.defaultAgent == "support" && call.foreignID == own.call.id)
    #expect(call.from.user == "+15550100001" && call.to.user == "+15550100002")
    done.open()
    await stage.stop()
  }

  /// An agent that is not ready at the webhook's deadline: the caller waits, and REST connects.
  @Test func theDeadlineIsNoEnd() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await VonageStage(intake, keys: try Workplace())
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    try await caller.events.wait(for: .answered, within: .seconds(15))
    let media = try await leg.answer(AnswerOptions())
    let heard = Journal<Int>()
    media.hear(as: .muLaw) { heard.note($0.bytes.count) }
    try await heard.first(after: 3) { $0 == 160 }
    #expect(stage.service.report.sights.contains("the caller waits"))
    #expect(stage.service.report.sights.contains("REST: transfer"))
    #expect(stage.service.report.violations == [])
    done.open()
    await stage.stop()
  }

  /// The target is busy: the reply to the event brings the caller back to the agent.
  @Test func theCallerComesBack() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await VonageStage(intake, [("--target", "busy")], keys: try Workplace())
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    let media = try await leg.answer(AnswerOptions())
    let outcome = await leg.transfer(TransferRequest(target: "0200", timeout: 20))
    #expect(outcome == .failed(status: 486, reason: "busy"))
    #expect(stage.service.report.sights.contains("dialling sip:0200@pbx.example.com"))
    let heard = Journal<Int>()
    media.hear(as: .muLaw) { heard.note($0.bytes.count) }
    let before = media.statistics().packetsReceived
    try await heard.first(after: 3) { $0 == 160 }
    let deadline = ContinuousClock.now + .seconds(10)
    while media.statistics().packetsReceived == before, .now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(media.statistics().packetsReceived > before)
    #expect(!caller.events.events.contains(.ended))
    #expect(stage.service.report.violations == [])
    done.open()
    await stage.stop()
  }

  /// Without the application's key there is no REST, so no hand-over: that is said, and the call goes on.
  @Test func withoutAKeyThereIsNoHandOver() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await VonageStage(intake, keys: nil)
    let caller = await stage.place()
    let leg = try await calls.first { _ in true }.1
    _ = try await leg.answer(AnswerOptions())
    let outcome = await leg.transfer(TransferRequest(target: "0200", timeout: 20))
    if case .refused(_, let why) = outcome {
      #expect(why.contains("'privateKey'"), "\(why)")
    } else {
      Issue.record("\(outcome)")
    }
    #expect(!caller.events.events.contains(.ended))
    // The socket's end is the call's, with no REST.
    await leg.hangUp(CallEnd(.agentHungUp))
    try await caller.events.wait(for: .ended, within: .seconds(10))
    #expect(stage.service.report.violations == [])
    done.open()
    await stage.stop()
  }

  @Test func keysArePressed() async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await VonageStage(intake, keys: try Workplace())
    _ = await stage.place()
    let leg = try await calls.first { _ in true }.1
    let media = try await leg.answer(AnswerOptions())
    await media.sendDigits("1,#")
    #expect(stage.service.report.sights.contains("keys: 1p#"))
    #expect(stage.service.report.violations == [])
    done.open()
    await stage.stop()
  }

  /// Sound of another frame size ends the connection at Vonage: the emulator is as strict.
  @Test(arguments: [8000, 16000, 24000]) func framesHaveTheirSize(_ rate: Int) async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await VonageStage(intake, keys: nil, ["sampleRate": .integer(rate)])
    _ = await stage.place()
    let (_, leg) = try await calls.first { _ in true }
    let media = try await leg.answer(AnswerOptions())
    let ended = Task {
      for await event in leg.events { if event == .playbackEnded(TurnID(1)) { return true } }
      return false
    }
    // A length that fills no whole frames, in a rate of its own.
    media.play(AudioFrame(samples: [Int16](repeating: 900, count: 3333), sampleRate: 24000), turn: TurnID(1))
    media.endTurn(TurnID(1))
    #expect(await ended.value)
    #expect(stage.service.report.violations == [])
    done.open()
    await stage.stop()
  }

  /// All that Vonage gets to see of two calls, word for word.
  @Test func whatWeSendIsAsItWas() async throws {
    let keys = try Workplace()
    let problems = try await WireStory.problems(against: "ours.txt") {
      try await VonageStage($0, [("--wire", ""), ("--target", "busy")], keys: keys)
    }
    #expect(problems == [])
  }

  /// Where the first address fails, Vonage asks the fallback: that announces the call as well.
  @Test(arguments: ["/nothing", "/voip/vonage"]) func theFallbackIsAsked(_ path: String) async throws {
    let (intake, calls, done) = CallIntake.keeping()
    let other = try await VonageStage(intake, keys: nil)
    let stage = try await VonageStage(intake, [("--fallback-url", other.webhook)], keys: nil)
    // A path that nobody serves; a routerd that takes no calls any more.
    if path == "/voip/vonage" { await stage.stage.stopCalls() }
    let caller = await stage.place(to: stage.stage.origin + path)
    let call = try await calls.first { _ in true }.0
    #expect(call.foreignID == caller.call.id && call.values(ofHeader: "reason").first?.contains(path) == true)
    let again = stage.service.report.sights.contains { $0.hasPrefix("asking again") }
    #expect(again == (path == "/voip/vonage"), "\(stage.service.report.sights)")
    done.open()
    await other.stop()
    await stage.stop()
  }

  /// A token serves until shortly before its end; another key has another.
  @Test func tokensAreKept() throws {
    let place = try Workplace()
    func account(_ application: String) throws -> VonageAccount {
      try VonageSignatureTests.account([
        "signatureSecret": "s", "applicationId": .string(application),
        "privateKey": .string(try String(contentsOfFile: place.path("key.pem"), encoding: .utf8)),
      ])
    }
    _ = try place.rsaKey()
    let tokens = VonageTokens()
    let (one, other) = (try account("a"), try account("b"))
    let first = try #require(tokens.token(one, now: 1000))
    #expect(tokens.token(one, now: 1000 + 839) == first)
    #expect(tokens.token(other, now: 1000) != first)
    let second = tokens.token(one, now: 1000 + 840)
    #expect(second != first)
    #expect(tokens.token(one, now: 1000 + 900) == second)
    // A clock that was set back: Vonage refuses what was issued in the future.
    #expect(tokens.token(one, now: 1000) != second)
  }

  /// Bad input on live calls.
  @Test func theChannelStandsWhatShouldNotBe() async throws {
    let violations = await WebhookConformance.violations([
      .init("half a sample", [.binary([1]), .binary([])]),
      .init("sound of another length", [.binary([UInt8](repeating: 0, count: 642))]),
      .init("sound before the first event", [.binary([UInt8](repeating: 0, count: 640))], isFirst: true),
      .init(
        "a second beginning",
        [.text(#"{"event":"websocket:connected","content-type":"audio/l16;rate=8000"}"#)]),
      .init(
        "a rate that nobody has",
        [.text(#"{"event":"websocket:connected","content-type":"audio/l16;rate=44100"}"#)], isFirst: true),
    ]) {
      try await VonageStage($0, keys: nil)
    }
    #expect(violations.isEmpty, "\(violations)")
  }
}
