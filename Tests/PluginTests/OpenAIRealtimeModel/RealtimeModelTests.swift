import Emulators
import OpenAIRealtimeModel
import RouterCore
import RouterTesting
import Testing

/// The plugin in a real engine, against a server that checks every event.
@Suite(.serialized) struct RealtimeModelTests {
  @Test func conformance() async throws {
    let stage = try await RealtimeStage([("--pace", "40")])
    #expect(await VoiceModelConformance.violations(for: stage.agent) { stage.model } == [])
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test(
    arguments: [
      ("", [:], "openai"), ("", ["shape": "beta"], "openai beta"),
      ("", ["type": "azure-openai-realtime", "deployment": "d"], "azure"),
      (
        "", ["type": "azure-openai-realtime", "deployment": "d", "apiVersion": "2025-04-01-preview"],
        "azure, dated"
      ),
    ] as [(String, [String: JSONValue], String)])
  func everyFormGreets(_ path: String, _ provider: [String: JSONValue], _ door: String) async throws {
    let stage = try await RealtimeStage(
      [("--pace", "0"), ("--step", "say:Good morning.")], provider: provider, path: path
    ) { agent in
      agent.language = "en-GB"
      agent.providerSettings = ["temperature": 0.8, "noiseReduction": ["type": "nearField"]]
    }
    let call = stage.call()
    try await call.hears(1)
    let record = try await stage.end(call)
    #expect(stage.service.report.sights.first == "connected: \(door)")
    #expect(record.transcript.map(\.text) == ["Good morning."])
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func theConnectionIsThereBeforeTheAnswer() async throws {
    let stage = try await RealtimeStage([("--step", "say:Hello.")])
    let answer = OneShot<Void>()
    var script = FakeLeg.Script()
    script.answer = { await answer.value(cancelled: ()) }
    let call = stage.call(script)
    try await stage.sees("session: ")
    #expect(!stage.service.report.sights.contains { $0.hasPrefix("response.create") })
    answer.resolve(())
    try await call.hears(1)
    _ = try await stage.end(call)
    await stage.close()
  }

  @Test func theGreetingIsAnInstruction() async throws {
    let stage = try await RealtimeStage { $0.initialSpeech = "Welcome to the clinic." }
    let call = stage.call()
    try await stage.sees("Open it like this: Welcome to the clinic.")
    try await call.hears(1)
    _ = try await stage.end(call)
    await stage.close()
  }

  /// Where the agent's sound was given.
  private struct LoopSpeaker: Speaker {
    let isOnLoop = Journal<Bool>()
    func play(_ audio: AudioFrame, turn: TurnID) { isOnLoop.note(FakeLeg.mediaLoop.isCurrent) }
  }

  @Test func soundComesOnTheLoopOfTheCallsMedia() async throws {
    let stage = try await RealtimeStage([("--pace", "0"), ("--step", "say:Good morning.")])
    let model = FakeVoiceModel()
    let engine = CallEngine(
      routing: FakeRouting(.agent(stage.agent)), models: [stage.agent.providerType: model])
    let leg = FakeLeg()
    let call = Task { await engine.intake(.example(), on: leg) }
    let request = try await model.session().request
    let speaker = LoopSpeaker()
    let session = try await stage.model.open(request, speaker: speaker)
    await session.send(.begin)
    #expect(try await speaker.isOnLoop.first(within: .seconds(30), "sound") { _ in true })
    await session.send(.close)
    leg.callerHangsUp()
    await call.value
    await stage.close()
  }

  @Test func turnsAreHeardHereWhenTheServerIsNotTo() async throws {
    let stage = try await RealtimeStage([
      ("--pace", "0"), ("--step", "say:Hello."), ("--step", "say:From nine."), ("--hears", "When?"),
    ]) { $0.providerSettings = ["turnDetection": ["type": "none"]] }
    let call = stage.call()
    try await call.hears(1)
    call.isSilent(milliseconds: 1000)
    call.speaks(milliseconds: 600)
    try await call.hears(2)
    // Only speech, its padding and the silence that ended it were sent.
    let committed = try #require(stage.service.report.sights.first { $0.hasPrefix("committed ") })
    let length = try #require(Int(committed.split(separator: " ")[1]))
    #expect((1000...1500).contains(length), "\(committed)")
    let record = try await stage.end(call)
    #expect(record.transcript.map(\.text) == ["Hello.", "When?", "From nine."])
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func theCallerInterrupts() async throws {
    let words = "This is a long greeting that nobody wants to hear to its very end."
    let stage = try await RealtimeStage([
      ("--pace", "4"), ("--step", "say:\(words)"), ("--step", "say:Yes?"), ("--hears", "Stop, please."),
    ])
    var script = FakeLeg.Script()
    script.playsAtOnce = false
    let call = stage.call(script)
    try await call.hearsSound(1, milliseconds: 2000)
    call.leg.media.setHeard(1500)
    call.speaks(milliseconds: 400)
    try await call.leg.media.deeds.wait(for: .flush)
    try await stage.sees("truncated item_")
    try await call.hearsSound(2, milliseconds: 20)
    #expect(stage.service.report.sights.contains("response cancelled"))
    #expect(stage.service.report.sights.contains { $0.contains(" at 1500 of ") })
    let record = try await stage.end(call)
    let first = try #require(record.transcript.first { $0.speaker == .agent })
    #expect(first.wasInterrupted && first.text.count < words.count)
    #expect(record.transcript.contains { $0.speaker == .caller && $0.text == "Stop, please." })
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func twoToolsAndAnAnswer() async throws {
    let stage = try await RealtimeStage([
      ("--pace", "0"), ("--step", "say:Hello."), ("--step", #"tool:lookup {"n": 1} | lookup {"n": 2}"#),
      ("--step", "say:Both are found."), ("--hears", "Look them up."),
    ])
    let call = stage.call()
    try await call.hears(1)
    call.speaks(milliseconds: 600)
    try await stage.sees("says: Both are found.")
    // The response that only called tools has no sound.
    try await call.hears(3)
    let record = try await stage.end(call)
    #expect(
      record.transcript.filter { $0.kind == .toolResult }.map(\.text).sorted() == [
        #"{"found": {"n": 1}}"#, #"{"found": {"n": 2}}"#,
      ])
    #expect(stage.service.report.sights.filter { $0.hasPrefix("item: ") }.count == 2)
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func theCallerHearsAWordWhileAToolTakesItsTime() async throws {
    let latch = Latch()
    let stage = try await RealtimeStage(
      [("--step", "say:Hello."), ("--step", #"tool:lookup {"n": 1}"#), ("--step", "say:Found.")],
      lookup: RealtimeStage.Lookup(latch: latch))
    let call = stage.call()
    try await call.hears(1)
    call.speaks(milliseconds: 600)
    try await stage.sees("says: One moment, please.")
    latch.open()
    try await call.hears(4)
    let record = try await stage.end(call)
    let kinds = record.transcript.filter { $0.speaker != .caller && $0.kind != .note }.map(\.kind)
    #expect(kinds.prefix(2) == [.speech, .toolCall], "\(record.transcript)")
    #expect(record.transcript.contains { $0.text == "One moment, please." }, "\(record.transcript)")
    #expect(record.transcript.contains { $0.text == "Found." }, "\(record.transcript)")
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func theAgentHandsOverAndHangsUp() async throws {
    let stage = try await RealtimeStage([
      ("--pace", "0"), ("--step", "say:Hello."), ("--step", "tool:hand_over"),
      ("--step", "say:Nobody is there."),
      ("--step", "tool:hang_up"),
    ]) { agent in
      agent.humanHandoff.enabled = true
      agent.humanHandoff.transferExtension = "200"
    }
    var script = FakeLeg.Script()
    script.transfer = { _ in .refused(status: 486, reason: "Busy Here") }
    let call = stage.call(script)
    try await call.hears(1)
    call.speaks(milliseconds: 600)
    try await call.leg.deeds.first(within: .seconds(30), "a transfer") {
      if case .transfer(let request) = $0 { request.target == "200" } else { false }
    }
    try await stage.sees("says: Nobody is there.")
    call.speaks(milliseconds: 600)
    let record = try await stage.record(call)
    #expect(record.end.reason == .agentHungUp)
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func keysReachTheModel() async throws {
    let stage = try await RealtimeStage([
      ("--pace", "0"), ("--step", "say:Hello."), ("--step", "say:One it is."),
    ])
    let call = stage.call()
    try await call.hears(1)
    call.leg.press("1#")
    try await stage.sees("The caller pressed the keys 1# on the telephone.")
    try await stage.sees("says: One it is.")
    _ = try await stage.end(call)
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func aSessionIsRenewedAndTheCallerNoticesNothing() async throws {
    let stage = try await RealtimeStage(
      [("--pace", "0"), ("--step", "say:Hello."), ("--step", "say:I am another session.")],
      provider: ["renewAfterMinutes": 0.02])
    let call = stage.call()
    try await call.hears(1)
    try await stage.sees("connected: openai", count: 2)
    try await stage.sees("closed: 1000")
    try await stage.sees("output_text")  // told to the other session, whichever line comes first
    #expect(stage.service.report.sights.contains { $0.contains("output_text") && $0.contains("Hello.") })
    call.speaks(milliseconds: 600)
    try await call.hears(2)
    let record = try await stage.end(call)
    #expect(
      record.transcript.filter { $0.speaker == .agent }.map(\.text) == ["Hello.", "I am another session."])
    #expect(record.end.reason == .callerHungUp)
    #expect(stage.service.report.violations == [])
    await stage.close()
  }
}
