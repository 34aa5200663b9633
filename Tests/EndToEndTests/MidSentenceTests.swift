import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// Backends of every kind that die, or fall silent, while they speak or listen: over real SIP the caller hears somebody go
/// on, with what was asked, and the record says what happened.
@Suite(.serialized) struct MidSentenceTests {
  private static let key = "sk-test-0123456789"
  private static let question = "When are you open?"
  private static let beginning = "We are open on Monday, and on Tuesday, and on every other day. And then"

  /// What one agent is made of, and what becomes of it.
  struct Accident: Sendable {
    var name: String
    /// `realtime`, `chat` or `webhook`, and what its emulator is told.
    var mind: String
    var script: [(String, String)]
    /// What Deepgram's emulator is told; nothing for offline speech.
    var speech: [(String, String)] = []
    /// What may be in the record; nothing when the agent keeps the call.
    var reasons: Set<String> = []
    /// How often the caller asks.
    var questions = 1
    /// Seconds that the caller waits after each question, whatever he hears.
    var pause = 0
    /// The service is gone after so many turns.
    var turnsToLive = Int.max
  }

  private static func chat(_ more: String = "") -> [(String, String)] {
    [("--answer", "Hello."), ("--answer", "{\"say\": \"\(beginning)\", \"pauseMs\": 2\(more)}")]
  }
  private static let hears = [("--transcript", question)]

  static let accidents = [
    Accident(
      name: "realtime breaks", mind: "realtime",
      script: [("--step", "say:Hello."), ("--step", "drop"), ("--hears", question)],
      reasons: ["closed", "protocolError"]),
    Accident(
      name: "realtime falls silent", mind: "realtime",
      script: [("--step", "say:Hello."), ("--step", "stall"), ("--hears", question)], reasons: ["timedOut"],
      pause: 6),
    Accident(
      name: "chat breaks", mind: "chat", script: chat(", \"abrupt\": true"), reasons: ["closed"]),
    Accident(
      name: "chat falls silent", mind: "chat", script: chat(", \"stall\": true"), reasons: ["timedOut"],
      pause: 6),
    Accident(
      name: "webhook breaks", mind: "webhook",
      script: [("--step", "snap:\(beginning)"), ("--step", "say:From nine to five.")], questions: 2),
    Accident(
      name: "webhook falls silent", mind: "webhook",
      script: [("--step", "stall:\(beginning)"), ("--step", "say:From nine to five.")], questions: 2,
      pause: 7),
    Accident(
      name: "webhook is gone", mind: "webhook", script: [("--step", "stall:\(beginning)")],
      reasons: ["unreachable"], questions: 2, turnsToLive: 1),
    Accident(
      name: "Deepgram's mouth breaks", mind: "chat", script: chat(),
      speech: hears + [("--speech", "{}"), ("--speech", #"{"abrupt": true}"#)], reasons: ["closed"]),
    Accident(
      name: "Deepgram's mouth falls silent", mind: "chat", script: chat(),
      speech: hears + [("--speech", "{}"), ("--speech", #"{"stall": true}"#)], reasons: ["timedOut"],
      pause: 6),
    Accident(
      name: "Deepgram's ear breaks", mind: "chat", script: chat(),
      speech: [("--transcript", #"{"abrupt": true}"#)], reasons: ["closed"], questions: 2),
    Accident(
      name: "Deepgram's ear falls silent", mind: "chat",
      script: [("--answer", "Hello."), ("--answer", "Pardon?")],
      speech: [("--transcript", #"{"mute": true}"#)], reasons: ["timedOut"], questions: 3),
  ]

  /// The services of one agent, and its lines in the route file.
  private struct Backends: Sendable {
    var lines: [String]
    var close: @Sendable () async -> Void
    var violations: @Sendable () -> [String]

    init(_ accident: Accident, _ number: Int) async throws {
      let webhook = Lock<RunningEmulator<WebhookEmulator>?>(nil)
      var closing: [@Sendable () async -> Void] = []
      var reports: [EmulatorReport] = []
      var mind: String
      switch accident.mind {
      case "realtime":
        let service = try await RunningEmulator(RealtimeEmulator.self, accident.script)
        mind = "type: openai-realtime, url: '\(service.url("ws"))', apiKey: \(key)"
        closing.append(service.close)
        reports.append(service.report)
      case "chat":
        let service = try await RunningEmulator(ChatEmulator.self, accident.script)
        mind = "type: openai-chat, baseURL: '\(service.url())/v1', apiKey: \(key), model: m, idleMs: 1500"
        closing.append(service.close)
        reports.append(service.report)
      default:
        let turns = Lock(0)
        let service = try await RunningEmulator(
          WebhookEmulator.self, [("--secret", key)] + accident.script
        ) { line in
          guard case .saw(let text) = line, text.hasPrefix("message: ") else { return }
          guard
            turns.withLock({
              $0 += 1; return $0
            }) == accident.turnsToLive
          else { return }
          Task {
            try await Task.sleep(for: .seconds(1))  // it is heard to speak
            await webhook.withLock { $0 }?.close()
          }
        }
        webhook.withLock { $0 = service }
        mind = "type: webhook, url: '\(service.url())/voice', secret: \(key), timeout: 5"
        if accident.turnsToLive == .max { closing.append(service.close) }
        reports.append(service.report)
      }
      if !accident.speech.isEmpty {
        let service = try await RunningEmulator(DeepgramEmulator.self, accident.speech)
        lines = ["  ears-\(number): {type: deepgram, baseURL: '\(service.url())', apiKey: \(key)}"]
        mind += ", speech: {recognizer: ears-\(number), synthesizer: ears-\(number)}"
        closing.append(service.close)
        reports.append(service.report)
      } else {
        lines = []
      }
      lines.append("  mind-\(number): {\(mind)}")
      close = { [closing] in for close in closing { await close() } }
      violations = { [reports] in reports.flatMap(\.violations) }
    }
  }

  private static func routes(_ backends: [Backends]) -> String {
    """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    providers:
    \(backends.flatMap(\.lines).joined(separator: "\n"))
    routes:
    \(backends.indices.map { "  - {name: r\($0), match: {to: '\(100 + $0)', trunk: local}, agent: a\($0)}" }
      .joined(separator: "\n"))
    agents:
      backup: {initialSpeech: "Hello, this is the backup.", faqCollections: [shop]}
    \(backends.indices.map {
      "  a\($0): {provider: mind-\($0), initialSpeech: Good morning., fallback: [backup], faqCollections: [shop],"
        + " patience: {wordMs: 1500, firstAudioMs: 6000}}"
    }.joined(separator: "\n"))
    faqCollections:
      shop:
        - {question: \(question), answer: We are open from nine to five.}
    """
  }

  @Test func somebodyGoesOn() async throws {
    let accidents = Self.accidents
    var backends: [Backends] = []
    for (number, accident) in accidents.enumerated() {
      backends.append(try await Backends(accident, number))
    }
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": Self.routes(backends)], engine: "mediaLoops: 1, silentTurnSeconds: 3")
    let calls = try await atOnce(accidents.count, Array(accidents.indices)) { number in
      let accident = accidents[number]
      let wait = accident.pause > 0 ? ["--pause", "\(accident.pause)"] : []
      let asks = Array(repeating: ["--say", Self.question] + wait, count: accident.questions).flatMap { $0 }
      return try await routerd.call("\(100 + number)", asks + ["--patience", "14", "--seconds", "60"])
    }
    let records = try await routerd.records()
    for (number, accident) in accidents.enumerated() {
      let call = calls[number]
      #expect(call.code == 0, "\(accident.name): \(call.output)\(call.errors)")
      let record = try #require(records.first { $0.route == "r\(number)" }, "\(accident.name)")
      check(record, accident)
      #expect(!call.output.contains(Self.key), "\(accident.name)")
      #expect(backends[number].violations() == [], "\(accident.name)")
      await backends[number].close()
    }
    #expect(!routerd.program.errors.contains(Self.key), "no key in the log")
    #expect(!(try await routerd.workplace.routerd("calls", "--json").output).contains(Self.key))
  }

  private func check(_ record: CallRecord, _ accident: Accident) {
    let name = accident.name
    let said = record.transcript.filter { $0.speaker == .agent && $0.kind == .speech }.map(\.text)
    #expect(said.contains { $0.contains("nine to five") }, "\(name): \(record.transcript)")
    #expect(!said.contains { $0.contains("this is the backup") }, "\(name): greeted twice: \(said)")
    let notes = record.transcript.filter { $0.kind == .note }.map(\.text)
    #expect(notes.contains { $0.hasPrefix("agent a") }, "\(name): \(record.transcript)")
    guard !accident.reasons.isEmpty else {
      #expect(record.agent?.hasPrefix("a") == true, "\(name): \(record.attempts)")
      #expect(said.contains { $0.contains("Could you say it again?") }, "\(name): \(said)")
      return
    }
    #expect(record.agent == "backup", "\(name): \(record.attempts)")
    #expect(accident.reasons.contains(record.attempts.first?.reason ?? "none"), "\(name): \(record.attempts)")
    if accident.mind == "webhook" || accident.name.contains("ear") { return }
    // What was said of the sentence stays, and is marked as cut.
    let cut = record.transcript.first { $0.wasInterrupted && $0.speaker == .agent }
    let whole = accident.mind == "realtime" ? "This sentence will never come to its end." : Self.beginning
    #expect(cut.map { whole.hasPrefix($0.text) && $0.text != whole } == true, "\(name): \(record.transcript)")
  }
}
