import OfflineModel
import OfflineSpeech
import RouterCore
import RouterTesting
import Testing

/// A whole conversation without a telephone: flite asks in G.711, the pipeline hears, thinks and answers.
@Suite struct WithoutPhoneTests {
  /// What a caller says, as the wire brings it: µ-law, 20 ms a frame, with silence around it.
  private func onTheWire(_ text: String, _ speech: OfflineSpeech) async throws -> [AudioFrame] {
    var bytes: [UInt8] = []
    var narrow: AudioConverter?
    for try await frame in speech.speak(SynthesisRequest(text: text, voice: "slt")) {
      if narrow == nil { narrow = AudioConverter(from: frame.format, to: .muLaw) }
      bytes += narrow?.convert(frame).bytes ?? []
    }
    let silence = [UInt8](repeating: 0xFF, count: 8000)
    bytes = silence + bytes + silence
    return stride(from: 0, to: bytes.count - 159, by: 160).map {
      AudioFrame(.muLaw, bytes: Array(bytes[$0..<$0 + 160]))
    }
  }

  @Test func aQuestionIsHeardAndAnswered() async throws {
    let speech = OfflineSpeech()
    let pipeline = SpeechPipeline(recognizer: speech, model: OfflineModel(), synthesizer: speech)
    let speaker = FakeSpeaker()
    let session = try await pipeline.open(
      ConversationRequest(
        call: .example(),
        agent: AgentConfiguration(
          name: "shop", initialSpeech: "Hello.",
          faqs: [.init(question: "When are you open?", answer: "From nine to five.")]), log: .silent),
      speaker: speaker)
    let events = Journal<VoiceEvent>()
    let reading = Task { for await event in session.events { events.note(event) } }
    await session.send(.begin)
    try await events.wait(for: .turnEnded(TurnID(1)))
    await session.send(.played(TurnID(1)))
    var hear = try #require(AudioConverter(from: .muLaw, to: session.hearingFormat))
    for frame in try await onTheWire("when are you open", speech) { session.hear(hear.convert(frame)) }
    try await events.first(within: .seconds(60), "the question") {
      if case .heard(let text, _, true) = $0 { text == "when are you open" } else { false }
    }
    try await events.wait(for: .turnEnded(TurnID(2)))
    let said = events.events.compactMap { event in
      if case .said(let text, TurnID(2), true) = event { text } else { nil }
    }
    #expect(said.first?.contains("From nine to five.") == true, "\(said)")
    #expect(speaker.milliseconds(of: TurnID(2)) > 500)
    await session.send(.close)
    await reading.value
  }
}
