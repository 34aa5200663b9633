import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// A realtime backend that dies in every way that is known, under a real call: the caller hears somebody go on.
@Suite(.serialized) struct FailoverCallTests {
  static let key = "sk-test-0123456789"

  static func routes(_ url: String) -> String {
    """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    routes:
      - {name: front-door, match: {trunk: local}, agent: reception}
    providers:
      cloud: {type: openai-realtime, url: "\(url)", apiKey: \(key)}
    agents:
      reception:
        provider: cloud
        initialSpeech: Greet the caller.
        patience: {openMs: 2000, wordMs: 1000, firstAudioMs: 3000}
        fallback: [backup]
      backup:
        initialSpeech: Hello, this is the backup.
        faqCollections: [shop]
    faqCollections:
      shop:
        - {question: When are you open?, answer: We are open from nine to five.}
    """
  }

  /// One way to die: what the emulator is told, and the reasons that may be in the record.
  struct Death: Sendable, CustomTestStringConvertible {
    var options: [(String, String)]
    var reasons: Set<String>
    /// Whether the caller has heard some of a greeting, so that there must not be a second one.
    var isGreeted = false
    var testDescription: String { options.map { "\($0) \($1)" }.joined(separator: " ") }

    init(_ options: [(String, String)], _ reasons: Set<String>, isGreeted: Bool = false) {
      self.options = options
      self.reasons = reasons
      self.isGreeted = isGreeted
    }
  }

  static let deaths: [Death] = [
    Death([("--refuse", "401")], ["unauthorized"]),
    Death([("--refuse", "429")], ["rateLimited"]),
    Death([("--refuse", "500")], ["unreachable", "protocolError"]),
    Death([("--refuse", "302")], ["unreachable", "protocolError"]),
    Death([("--key", "another")], ["unauthorized"]),
    Death([("--mute", "")], ["timedOut", "unreachable"]),
    Death([("--step", "drop")], ["closed", "protocolError"], isGreeted: true),
    Death([("--step", "close:1011 out of order")], ["closed", "protocolError"]),
    Death([("--step", "garbage")], ["protocolError", "closed", "timedOut"]),
    Death([("--step", "nothing")], ["timedOut"]),
    Death([("--step", "silence")], ["timedOut"]),
    // What was drowned in noise was not said: the backup greets.
    Death([("--step", "flood")], ["protocolError", "closed", "timedOut"]),
    Death([("--step", "big")], ["protocolError", "closed"]),
  ]

  @Test(arguments: deaths) func theBackupGoesOn(_ death: Death) async throws {
    let emulator = try await RunningEmulator(RealtimeEmulator.self, death.options)
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": Self.routes(emulator.url("ws"))], engine: "mediaLoops: 1, silentTurnSeconds: 3")
    let call = try await routerd.call(
      "100", "--digits", "1", "--patience", "25", "--seconds", "60", "--transcript")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    #expect(record.agent == "backup", "\(record.attempts)")
    #expect(record.attempts.map(\.agent) == ["reception", "backup"])
    let reason = record.attempts.first?.reason ?? "none"
    #expect(death.reasons.contains(reason), "\(record.attempts)")
    let said = record.transcript.filter { $0.speaker == .agent && $0.kind == .speech }.map(\.text)
    #expect(said.contains { $0.contains("nine to five") }, "\(record.transcript)")
    if death.isGreeted {
      #expect(!said.contains { $0.contains("this is the backup") }, "greeted twice: \(said)")
    }
    let why = try await routerd.workplace.routerd("why", record.id.text)
    #expect(why.output.contains("agent reception (cloud)") && why.output.contains(reason), "\(why.output)")
    #expect(!routerd.program.errors.contains(Self.key) && !call.output.contains(Self.key))
    #expect(
      !(try await routerd.workplace.routerd("calls", record.id.text, "--json").output).contains(Self.key))
    await emulator.close()
  }

  /// The realtime agent dies in the middle of its answer: the offline agent answers the question that was asked.
  @Test func theQuestionIsAnsweredByTheOther() async throws {
    let emulator = try await RunningEmulator(
      RealtimeEmulator.self,
      [("--step", "say:Hello, how can I help you?"), ("--step", "drop"), ("--hears", "When are you open?")])
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.routes(emulator.url("ws"))])
    let call = try await routerd.call("100", "--say", "when are you open", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    let said = record.transcript.filter { $0.speaker == .agent && $0.kind == .speech }.map(\.text)
    #expect(record.agent == "backup", "\(record.attempts)")
    #expect(said.contains { $0.contains("nine to five") }, "\(record.transcript)")
    #expect(!said.contains { $0.contains("this is the backup") }, "greeted twice: \(said)")
    let timing = try #require(record.timings.first { $0.turnDetected != nil })
    #expect(timing.firstPacket != nil, "\(record.timings)")
    await emulator.close()
  }
}
