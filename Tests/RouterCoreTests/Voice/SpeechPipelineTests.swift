import RouterCore
import RouterTesting
import Testing

/// The whole pipeline over parts that a test plays.
@Suite struct SpeechPipelineTests {
  private struct Rig {
    let recognizer = FakeRecognizer()
    let speaker = FakeSpeaker()
    let events = Journal<VoiceEvent>()
    let session: any VoiceSession
    let reading: Task<Void, Never>

    init(
      _ model: FakeTextModel, _ synthesizer: FakeSynthesizer = FakeSynthesizer(),
      agent: AgentConfiguration = AgentConfiguration(name: "test")
    ) async throws {
      let pipeline = SpeechPipeline(recognizer: recognizer, model: model, synthesizer: synthesizer)
      let request = ConversationRequest(
        call: .example(), agent: agent, tools: [Tool(name: Tool.hangUp, description: "")], log: .silent)
      session = try await pipeline.open(request, speaker: speaker)
      let (session, events) = (session, events)
      reading = Task { for await event in session.events { events.note(event) } }
    }

    var recognition: FakeRecognition {
      get async throws { try await recognizer.sessions.first { _ in true } }
    }

    /// The caller speaks, and is understood in this way.
    func caller(_ result: RecognitionEvent, milliseconds: Int = 800) async throws {
      try await recognition.understands(result)
      for frame in AudioFrame.buzz(session.hearingFormat, milliseconds: milliseconds, silence: 600) {
        session.hear(frame)
      }
    }

    /// The line is quiet, so that the detector learns what silence is.
    func quiet() {
      for frame in AudioFrame.buzz(session.hearingFormat, milliseconds: 0, silence: 400) {
        session.hear(frame)
      }
    }
  }

  private static func answers(_ request: TextRequest) -> [TextEvent] {
    switch request.prompt {
    case .greeting, .takeover: [.text("Hello. "), .text("How are you?")]
    case .speech(let text, _): [.text("You said \(text).")]
    case .digits(let digits): [.text("You pressed \(digits).")]
    case .silence: [.text("Still there?")]
    case .information(let text): [.text("I know: \(text)")]
    case .toolResults: [.text("Done.")]
    }
  }

  private static func whole(_ text: String) -> @Sendable (VoiceEvent) -> Bool {
    { if case .said(text, _, isFinal: true) = $0 { true } else { false } }
  }

  @Test func theGreetingIsReadyWhenTheCallIsAnswered() async throws {
    let rig = try await Rig(FakeTextModel(Self.answers))
    #expect(rig.speaker.sounds.events.isEmpty)
    await rig.session.send(.begin)
    try await rig.events.first(where: Self.whole("Hello. How are you?"))
    #expect(rig.events.events.first == .turnStarted(TurnID(1)))
    try await rig.events.wait(for: .turnEnded(TurnID(1)))
    #expect(rig.speaker.milliseconds(of: TurnID(1)) == 190)
    await rig.session.send(.close)
    await rig.reading.value
  }

  @Test func aCallerIsHeardAndAnswered() async throws {
    let rig = try await Rig(FakeTextModel(Self.answers))
    await rig.session.send(.begin)
    try await rig.events.wait(for: .turnEnded(TurnID(1)))
    await rig.session.send(.played(TurnID(1)))
    rig.quiet()
    try await rig.caller(.final("good morning", confidence: 0.9))
    try await rig.events.first(where: Self.whole("You said good morning."))
    try await rig.events.wait(for: .turnEnded(TurnID(2)))
    let order = rig.events.events.filter { $0 == .speechStarted || $0 == .speechEnded }
    #expect(order == [.speechStarted, .speechEnded])
    // The recogniser hears the utterance from before its beginning, and every frame once.
    let heard = try await rig.recognition.deeds.events.reduce(0) {
      if case .heard(let milliseconds) = $1 { $0 + milliseconds } else { $0 }
    }
    #expect((1500...1700).contains(heard))
    await rig.session.send(.close)
    await rig.reading.value
  }

  @Test func speechBeginsWithTheFirstSentence() async throws {
    let more = Latch()
    let model = FakeTextModel(stream: { _ in
      AsyncThrowingStream { continuation in
        continuation.yield(.text("First. "))
        let work = Task {
          if await more.wait() { continuation.yield(.text("Second.")) }
          continuation.finish()
        }
        continuation.onTermination = { _ in work.cancel() }
      }
    })
    let rig = try await Rig(model)
    await rig.session.send(.begin)
    try await rig.speaker.sounds.first { $0.turn == TurnID(1) }
    #expect(!rig.events.events.contains(.turnEnded(TurnID(1))))
    more.open()
    try await rig.events.first(where: Self.whole("First. Second."))
    await rig.session.send(.close)
  }

  @Test func aTurnThatWasCutOffIsSilent() async throws {
    let voice = Latch()
    let rig = try await Rig(FakeTextModel(Self.answers), FakeSynthesizer(after: voice))
    await rig.session.send(.begin)
    try await rig.events.wait(for: .turnStarted(TurnID(1)))
    await rig.session.send(.truncate(TurnID(1), playedMilliseconds: 0))
    voice.open()
    try await rig.events.wait(for: .turnEnded(TurnID(1)))
    await rig.session.send(.digit("5"))
    await rig.session.send(.digit("#"))
    try await rig.events.first(where: Self.whole("You pressed 5#."))
    #expect(rig.speaker.milliseconds(of: TurnID(1)) == 0)
    await rig.session.send(.close)
  }

  @Test("What fails says what kind of failure it is", arguments: ["model", "foreign", "voice", "recogniser"])
  func failures(_ part: String) async throws {
    struct Secret: Error { let password = "hunter2" }
    let failure = VoiceFailure(.rateLimited, "slowly")
    let model = FakeTextModel { request in
      if part == "model" { throw failure }
      if part == "foreign" { throw Secret() }
      return Self.answers(request)
    }
    let rig = try await Rig(model, FakeSynthesizer(failure: part == "voice" ? failure : nil))
    await rig.session.send(.begin)
    if part == "recogniser" { try await rig.recognition.report(.failed(failure)) }
    await rig.reading.value
    let expected: [String: VoiceFailure] = [
      "model": failure, "foreign": VoiceFailure(.protocolError, "Secret"), "voice": failure.of(.synthesizer),
      "recogniser": failure.of(.recognizer),
    ]
    #expect(rig.events.events.last == expected[part].map(VoiceEvent.failed))
  }

  @Test func aVoiceThatNeverStopsFails() async throws {
    let voice = FakeSynthesizer(millisecondsPerCharacter: 2000)
    let rig = try await Rig(FakeTextModel { _ in [.text("Good morning.")] }, voice)
    await rig.session.send(.begin)
    await rig.reading.value
    guard case .failed(let failure)? = rig.events.events.last else {
      Issue.record("\(rig.events.events)")
      return
    }
    #expect(failure.kind == .protocolError && failure.message.contains("13 characters"))
    #expect(rig.speaker.milliseconds(of: TurnID(1)) < 20_000)
  }

  @Test func aRecogniserThatCannotBeHadFailsTheOpening() async throws {
    let pipeline = SpeechPipeline(
      recognizer: FakeRecognizer(failure: VoiceFailure(.unauthorized, "no key")),
      model: FakeTextModel(Self.answers), synthesizer: FakeSynthesizer())
    let request = ConversationRequest(call: .example(), agent: AgentConfiguration(name: "a"), log: .silent)
    await #expect(throws: VoiceFailure(.unauthorized, "no key").of(.recognizer)) {
      _ = try await pipeline.open(request, speaker: FakeSpeaker())
    }
  }

  @Test func toolsAreAskedForAndTheirResultsAnswered() async throws {
    let model = FakeTextModel { request in
      if case .digits = request.prompt {
        return [.text("Let me see."), .toolCall(ToolCall(id: "t", name: "look_up", turn: request.turn))]
      }
      return Self.answers(request)
    }
    let rig = try await Rig(model)
    await rig.session.send(.begin)
    try await rig.events.wait(for: .turnEnded(TurnID(1)))
    await rig.session.send(.played(TurnID(1)))
    await rig.session.send(.digit("#"))
    try await rig.events.wait(for: .toolCall(ToolCall(id: "t", name: "look_up", turn: TurnID(2))))
    await rig.session.send(.toolResult(ToolResult(callID: "t", output: "found")))
    try await rig.events.first(where: Self.whole("Done."))
    let prompts = model.requests.events.map(\.prompt)
    #expect(prompts.last == .toolResults([ToolResult(callID: "t", output: "found")]))
    await rig.session.send(.close)
  }

  @Test("A session that nobody closed leaves nothing behind")
  func forgotten() async throws {
    let recognition: FakeRecognition
    do {
      let recognizer = FakeRecognizer()
      let pipeline = SpeechPipeline(
        recognizer: recognizer, model: FakeTextModel(Self.answers), synthesizer: FakeSynthesizer())
      let request = ConversationRequest(
        call: .example(), agent: AgentConfiguration(name: "a"), log: .silent)
      let session = try await pipeline.open(request, speaker: FakeSpeaker())
      recognition = try await recognizer.sessions.first { _ in true }
      await session.send(.begin)
    }
    try await recognition.deeds.wait(for: .closed)
  }
}
