import Emulators
import Foundation
import RouterCore
import Testing

/// A caller over real SIP, and an agent whose words, ear and mouth are services of others.
@Suite(.serialized) struct TextPipelineTests {
  private static func routes(_ chat: String, _ speech: String) -> String {
    """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    providers:
      writer:
        type: openai-chat
        baseURL: \(chat)/v1
        model: emulated
        apiKey: sk-test-secret
        retries: 0
        speech: {recognizer: ears, synthesizer: ears}
      ears: \(speech)
    routes:
      - {name: front-door, match: {trunk: local}, agent: reception}
    agents:
      reception:
        provider: writer
        initialSpeech: Say hello.
        fallback: [offline]
        patience: {firstAudioMs: 8000}
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
}
