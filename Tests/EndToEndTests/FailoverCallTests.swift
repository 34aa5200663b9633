import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// A realtime backend that dies in every way that is known, under a real call: the caller hears somebody go on.
@Suite(.serialized) struct FailoverCallTests {
  static let key = "sk-test-0123456789"

  static func routes(_ urls: [String]) -> String {
    func lines(_ line: (Int, String) -> String) -> String {
      urls.enumerated().map { "  " + line($0, $1) }.joined(separator: "\n")
    }
    return """
      trunks:
        local: {addresses: [127.0.0.0/8, "::1"]}
      routes:
      \(lines { number, _ in "- {name: r\(number), match: {trunk: local, to: '\(100 + number)'}, agent: a\(number)}" })
      providers:
      \(lines { number, url in "cloud-\(number): {type: openai-realtime, url: '\(url)', apiKey: \(key)}" })
      agents:
        backup: {initialSpeech: "Hello, this is the backup.", faqCollections: [shop]}
      \(lines { number, _ in
        "a\(number): {provider: cloud-\(number), initialSpeech: Greet the caller., fallback: [backup],"
          + " patience: {openMs: 2000, wordMs: 1000, firstAudioMs: 3000}}"
      })
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
    var isHeavy: Bool { ["flood", "big"].contains(options.last?.1) }
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

  @Test func theBackupGoesOn() async throws {
    var emulators: [RunningEmulator<RealtimeEmulator>] = []
    for death in Self.deaths {
      emulators.append(try await RunningEmulator(RealtimeEmulator.self, death.options))
    }
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": Self.routes(emulators.map { $0.url("ws") })],
      engine: "mediaLoops: 1, silentTurnSeconds: 3")
    let numbers = Array(Self.deaths.indices)
    let call: @Sendable (Int) async throws -> (Int, Finished) = { number in
      let options = ["--digits", "1", "--patience", "25", "--seconds", "60", "--transcript"]
      return (number, try await routerd.call("\(100 + number)", options))
    }
    // What keeps the loop busy comes alone: the others would be late.
    let light = try await atOnce(4, numbers.filter { !Self.deaths[$0].isHeavy }, call)
    let heavy = try await atOnce(1, numbers.filter { Self.deaths[$0].isHeavy }, call)
    let calls = Dictionary(uniqueKeysWithValues: light + heavy)
    let records = try await routerd.records()
    for (number, death) in Self.deaths.enumerated() {
      let record = try #require(records.first { $0.route == "r\(number)" }, "\(death)")
      try await check(record, death, try #require(calls[number]), routerd)
      await emulators[number].close()
    }
    #expect(!routerd.program.errors.contains(Self.key))
  }

  private func check(
    _ record: CallRecord, _ death: Death, _ call: Finished, _ routerd: ServingRouterd
  ) async throws {
    #expect(call.code == 0, "\(death): \(call.output)\(call.errors)")
    #expect(record.agent == "backup", "\(death): \(record.attempts)")
    #expect(record.attempts.last?.agent == "backup" && record.attempts.count == 2)
    let reason = record.attempts.first?.reason ?? "none"
    #expect(death.reasons.contains(reason), "\(death): \(record.attempts)")
    let said = record.transcript.filter { $0.speaker == .agent && $0.kind == .speech }.map(\.text)
    #expect(said.contains { $0.contains("nine to five") }, "\(death): \(record.transcript)")
    if death.isGreeted {
      #expect(!said.contains { $0.contains("this is the backup") }, "\(death): greeted twice: \(said)")
    }
    let why = try await routerd.workplace.routerd("why", record.id.text)
    let agent = record.attempts.first?.agent ?? ""
    #expect(why.output.contains("agent \(agent) (") && why.output.contains(reason), "\(why.output)")
    #expect(!call.output.contains(Self.key))
    #expect(
      !(try await routerd.workplace.routerd("calls", record.id.text, "--json").output).contains(Self.key))
  }
}
