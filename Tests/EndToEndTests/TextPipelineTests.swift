import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// A caller over real SIP, and an agent whose words, ear and mouth are services of others.
@Suite(.serialized) struct TextPipelineTests {
  private static func routes(_ chat: String, _ speech: String) -> String {
    let writer = "type: openai-chat, baseURL: \(chat)/v1, model: emulated, apiKey: sk-test-secret, retries: 0"
    return routes(writer: writer, speech)
  }

  private static func routes(writer: String, _ speech: String) -> String {
    """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    providers:
      writer: {\(writer), speech: {recognizer: ears, synthesizer: ears}}
      ears: \(speech)
    routes:
      - {name: front-door, match: {trunk: local}, agent: reception}
    agents:
      reception:
        provider: writer
        initialSpeech: Say hello.
        fallback: [offline]
        patience: {firstAudioMs: 8000}
        humanHandoff: {enabled: true, transferExtension: "0200"}
      offline:
        faqCollections: [shop]
    faqCollections:
      shop:
        - {question: When are you open?, answer: We are open from nine to five.}
    """
  }

  private func said(_ record: CallRecord, by speaker: TranscriptEntry.Speaker) -> [String] {
    record.transcript.filter { $0.speaker == speaker && $0.kind == .speech }.map(\.text)
  }

  private static let answers = [
    "Hello, this is the shop.", #"{"say": "From nine to five. We look forward to you.", "pauseMs": 20}"#,
    #"{"say": "Goodbye.", "calls": [{"name": "hang_up", "arguments": {}}]}"#,
  ].map { ("--answer", $0) }

  @Test(arguments: ["openai-speech", "deepgram"])
  func aQuestionIsHeardAndAnswered(_ type: String) async throws {
    let transcript = ("--transcript", "When are you open?")
    let key = ("--key", "sk-test-secret")
    let chat = try await RunningEmulator(ChatEmulator.self, Self.answers + [transcript, key])
    let ears = try await RunningEmulator(DeepgramEmulator.self, [transcript, key])
    let base = type == "deepgram" ? ears.url() : chat.url("http", "/v1")
    let routerd = try await ServingRouterd(routes: [
      "main.yaml": Self.routes(chat.url(), "{type: \(type), baseURL: \"\(base)\", apiKey: sk-test-secret}")
    ])
    let call = try await routerd.call("100", "--say", "when are you open", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    #expect(said(record, by: .agent).first == "Hello, this is the shop.", "\(record.transcript)")
    #expect(said(record, by: .caller).first == "When are you open?", "\(record.transcript)")
    #expect(
      said(record, by: .agent).dropFirst().first?.hasPrefix("From nine to five.") == true,
      "\(record.transcript)")
    #expect(chat.report.violations == [])
    #expect(ears.report.violations == [])
    #expect(!routerd.program.errors.contains("sk-test-secret"), "no key in the log")
    await chat.close()
    await ears.close()
  }

  @Test func theFallbackGoesOnWhenTheServiceFails() async throws {
    let chat = try await RunningEmulator(ChatEmulator.self, [("--answer", #"{"status": 500}"#)])
    let routerd = try await ServingRouterd(routes: [
      "main.yaml": Self.routes(chat.url(), "{type: openai-speech, baseURL: \"\(chat.url("http", "/v1"))\"}")
    ])
    let call = try await routerd.call("100", "--digits", "1", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    #expect(said(record, by: .agent).contains { $0.contains("nine to five") }, "\(record.transcript)")
    await chat.close()
  }

  /// An agent whose mind is one of these services, with Deepgram's ear and mouth.
  private func serve(
    _ mind: String, _ answers: [String], _ steps: [String], hears: [String],
    _ body: (ServingRouterd) async throws -> Void
  ) async throws {
    let chat = try await RunningEmulator(ChatEmulator.self, answers.map { ("--answer", $0) })
    let hook = try await RunningEmulator(
      WebhookEmulator.self, [("--secret", "whsec_test")] + steps.map { ("--step", $0) })
    let ears = try await RunningEmulator(DeepgramEmulator.self, hears.map { ("--transcript", $0) })
    let writer =
      mind == "chat"
      ? "type: openai-chat, baseURL: \(chat.url())/v1, model: emulated, retries: 0"
      : "type: webhook, url: '\(hook.url("http", "/voice"))', secret: whsec_test"
    try await body(
      try await ServingRouterd(routes: [
        "main.yaml": Self.routes(writer: writer, "{type: deepgram, baseURL: \"\(ears.url())\"}")
      ]))
    #expect(chat.report.violations + hook.report.violations + ears.report.violations == [])
    for close in [chat.close, hook.close, ears.close] { await close() }
  }

  @Test(arguments: ["chat", "webhook"]) func theCallerInterrupts(_ mind: String) async throws {
    let long =
      "This answer is so very long that hardly any caller would listen to all of it, and so it goes on and on."
    let texts = mind == "chat" ? ["Hello.", long, "As you like."] : [long, "As you like."]
    try await serve(mind, texts, texts.map { "say:\($0)" }, hears: ["Tell me everything.", "Stop."]) {
      routerd in
      let wav = routerd.workplace.path("caller.wav")
      // The second hum comes while the long answer is heard.
      try Tone.wav([(0.7, true), (3.5, false), (0.7, true), (1, false)]).write(to: URL(fileURLWithPath: wav))
      let recording = routerd.workplace.path("call.wav")
      let call = try await routerd.call("100", "--wav", wav, "--record", recording, "--seconds", "60")
      #expect(call.code == 0, "\(call.output)\(call.errors)")
      let record = try #require(try await routerd.records().first)
      let lines = record.transcript.filter { $0.kind == .speech }
      let cut = try #require(lines.first { $0.wasInterrupted }, "\(record.transcript)")
      #expect(long.hasPrefix(cut.text) && cut.text.count < long.count)
      #expect(lines.suffix(2).map(\.text) == ["Stop.", "As you like."], "\(record.transcript)")
      let sound = try StereoSound(recording)
      let first = try #require(sound.onset(sound.left))
      let rate = sound.sampleRate
      let second = Int((first + 4.2) * Double(rate))
      #expect(sound.loudSeconds(Array(sound.right[(second - rate)..<second])) > 0.2, "it speaks before")
      let after = Array(sound.right[(second + rate * 6 / 10)..<(second + rate)])
      #expect(sound.loudSeconds(after) == 0, "and is silent soon after the caller began")
    }
  }

  @Test(arguments: ["chat", "webhook"]) func theCallerIsHandedOver(_ mind: String) async throws {
    let answers = [
      "Hello.", #"{"say": "I put you through.", "calls": [{"name": "hand_over", "arguments": {}}]}"#,
    ]
    try await serve(mind, answers, ["transfer:I put you through."], hears: ["A person, please."]) { routerd in
      let wav = routerd.workplace.path("caller.wav")
      try Tone.wav([(0.7, true), (1, false)]).write(to: URL(fileURLWithPath: wav))
      let call = try await routerd.call("100", "--wav", wav, "--stay", "--seconds", "60")
      #expect(call.code == 0, "\(call.output)\(call.errors)")
      let target = call.events("referred").first?["target"] as? String
      #expect(target?.hasPrefix("sip:0200@") == true, "\(call.output)")
      let record = try #require(try await routerd.records().first)
      #expect(record.end.reason == .transferred)
      #expect(said(record, by: .agent).contains { $0.contains("I put you through.") }, "\(record.transcript)")
    }
  }
}
