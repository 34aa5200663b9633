import DeepgramSpeech
import Emulators
import OpenAISpeech
import RouterCore
import RouterTesting
import Testing

/// Speech services that break every rule: each failure is known by its kind, in time, with bounded memory, and without a
/// key in its words. The cases are played at once, so that the slow ones cost their time once; those that keep the machine busy are
/// played alone before, or the others' services would be late.
@Suite(.serialized) struct SpeechTroubleTests {
  private let loop = EventLoop(name: "test")
  private let clients = HTTPClients()
  private static let key = "sk-test-secret-0123456789"

  /// What a service does, as its emulator is told, and what comes of it: `words` or the kind of a failure.
  struct Trouble: Sendable {
    var script: String
    var outcome: String
    var isHeavy: Bool { script.contains("megabytes") || script.contains("babble") }

    init(_ script: String, _ outcome: String) {
      self.script = script
      self.outcome = outcome
    }
  }

  private func settings(_ base: String) -> JSONValue {
    ["apiKey": .string(Self.key), "baseURL": .string(base), "sampleRate": 24000]
  }

  private func play(
    _ troubles: [Trouble], heavy: Bool, _ body: @escaping @Sendable (String) async throws -> String
  ) async throws {
    try await withThrowingTaskGroup(of: (Trouble, String).self) { group in
      for trouble in troubles where trouble.isHeavy == heavy {
        group.addTask { (trouble, try await body(trouble.script)) }
      }
      for try await (trouble, outcome) in group { check(trouble, outcome) }
    }
  }

  private func check(_ trouble: Trouble, _ outcome: String) {
    #expect(outcome.split(separator: ":").first ?? "" == trouble.outcome, "\(trouble.script): \(outcome)")
    #expect(!outcome.contains(Self.key), "\(trouble.script): \(outcome)")
    #expect(outcome.count < 500, "\(trouble.script): the words are bounded")
  }

  @Test func everyBadServiceIsKnownForWhatItIs() async throws {
    try await openAIsEar(heavy: true)
    try await deepgramsEar(heavy: true)
    try await openAIsMouth(heavy: true)
    try await deepgramsMouth(heavy: true)
    async let ear: Void = openAIsEar(heavy: false)
    async let otherEar: Void = deepgramsEar(heavy: false)
    async let mouth: Void = openAIsMouth(heavy: false)
    async let otherMouth: Void = deepgramsMouth(heavy: false)
    _ = try await (ear, otherEar, mouth, otherMouth)
    await clients.close()
  }

  private static func described(_ failure: VoiceFailure) -> String {
    "\(failure.kind.rawValue): \(failure.message)"
  }

  // MARK: Ears

  /// Says so many utterances of a second, and gives what the last one was understood as.
  private static func hear(
    _ recognizer: any SpeechRecognizer, _ settings: JSONValue, utterances: Int = 1
  ) async throws -> String {
    do {
      let session = try await recognizer.open(
        RecognitionRequest(configuration: settings, wireFormat: .muLaw, log: .silent))
      let format = session.hearingFormat
      let wave = (0..<format.sampleRate / 50).map { Int16($0 % 40 * 300 - 6000) }
      let samples = AudioFrame(samples: wave, sampleRate: format.sampleRate)
      var converter = AudioConverter(from: samples.format, to: format)
      var events = session.events.makeAsyncIterator()
      var outcome = "nothing"
      hearing: for _ in 0..<utterances {
        for _ in 0..<50 {
          session.hear(format == samples.format ? samples : converter?.convert(samples) ?? samples)
        }
        session.endUtterance()
        while let event = await events.next() {
          if case .failed(let failure) = event { outcome = described(failure) }
          if case .final(let text, _) = event {
            outcome = text.isEmpty ? "silence" : "words"
          } else {
            continue
          }
          continue hearing
        }
        break
      }
      await session.close()
      return outcome
    } catch let failure as VoiceFailure {
      return described(failure)
    }
  }

  private func openAIsEar(heavy: Bool) async throws {
    let troubles = [
      Trouble(#"{"say": "Hello."}"#, "words"), Trouble(#"{"say": ""}"#, "silence"),
      Trouble(#"{"abrupt": true}"#, "closed"), Trouble(#"{"garbage": true}"#, "protocolError"),
      Trouble(#"{"html": true}"#, "protocolError"), Trouble(#"{"empty": true}"#, "protocolError"),
      Trouble(#"{"silent": true}"#, "timedOut"), Trouble(#"{"stall": true}"#, "timedOut"),
      Trouble(#"{"megabytes": 50}"#, "protocolError"),
      Trouble(#"{"redirect": "http://127.0.0.1:1/"}"#, "protocolError"),
      Trouble("{\"status\": 401, \"message\": \"Incorrect API key provided: \(Self.key)\"}", "unauthorized"),
      Trouble(#"{"status": 429}"#, "rateLimited"), Trouble(#"{"status": 500}"#, "unreachable"),
    ]
    let speech = OpenAISpeech(over: clients.client(on: loop))
    try await play(troubles, heavy: heavy) { script in
      let service = try await RunningEmulator(ChatEmulator.self, [("--transcript", script)], on: loop)
      let outcome = try await Self.hear(speech, settings(service.url("http", "/v1")))
      await service.close()
      return outcome
    }
  }

  private func deepgramsEar(heavy: Bool) async throws {
    let troubles = [
      Trouble(#"{"say": "Hello."}"#, "words"), Trouble(#"{"say": ""}"#, "silence"),
      Trouble(#"{"abrupt": true}"#, "closed"), Trouble(#"{"say": "Hello.", "garbage": true}"#, "words"),
      Trouble(#"{"say": "Hello.", "babble": true}"#, "words"), Trouble(#"{"megabytes": 50}"#, "closed"),
      Trouble(#"{"mute": true}"#, "timedOut"), Trouble(#"{"silent": true}"#, "timedOut"),
      Trouble(#"{"html": true}"#, "protocolError"), Trouble(#"{"empty": true}"#, "protocolError"),
      Trouble(#"{"redirect": "http://127.0.0.1:1/"}"#, "protocolError"),
      Trouble(#"{"status": 401}"#, "unauthorized"), Trouble(#"{"status": 429}"#, "rateLimited"),
      Trouble(#"{"status": 500}"#, "unreachable"), Trouble("{\"error\": \"\(Self.key)\"}", "protocolError"),
    ]
    let speech = DeepgramSpeech { [clients, loop] in clients.client(on: $0 ?? loop) }
    try await play(troubles, heavy: heavy) { script in
      let service = try await RunningEmulator(
        DeepgramEmulator.self, Array(repeating: ("--transcript", script), count: 3), on: loop)
      let outcome = try await Self.hear(speech, settings(service.url()), utterances: 2)
      await service.close()
      return outcome
    }
  }

  // MARK: Mouths

  private static func speak(_ synthesizer: any SpeechSynthesizer, _ settings: JSONValue) async -> String {
    var request = SynthesisRequest(text: "Good morning, this is the shop.")
    request.configuration = settings
    var milliseconds = 0
    do {
      for try await frame in synthesizer.speak(request) {
        milliseconds += frame.milliseconds
        // As the pipeline does: nobody listens to more of it.
        if milliseconds > 60_000 { return "flood" }
      }
    } catch let failure as VoiceFailure {
      return described(failure)
    } catch {
      return "\(error)"
    }
    return milliseconds > 1000 ? "words" : "silence"
  }

  private static let mouths = [
    Trouble("{}", "words"), Trouble(#"{"abrupt": true}"#, "closed"),
    Trouble(#"{"garbage": true}"#, "protocolError"), Trouble(#"{"html": true}"#, "protocolError"),
    Trouble(#"{"empty": true}"#, "protocolError"), Trouble(#"{"silent": true}"#, "timedOut"),
    Trouble(#"{"stall": true}"#, "timedOut"), Trouble(#"{"megabytes": 50}"#, "flood"),
    Trouble(#"{"redirect": "http://127.0.0.1:1/"}"#, "protocolError"),
    Trouble("{\"status\": 401, \"message\": \"the key \(key) is wrong\"}", "unauthorized"),
    Trouble(#"{"status": 429}"#, "rateLimited"), Trouble(#"{"status": 500}"#, "unreachable"),
  ]

  private func openAIsMouth(heavy: Bool) async throws {
    let speech = OpenAISpeech(over: clients.client(on: loop))
    try await play(Self.mouths, heavy: heavy) { script in
      let service = try await RunningEmulator(ChatEmulator.self, [("--speech", script)], on: loop)
      let outcome = await Self.speak(speech, settings(service.url("http", "/v1")))
      await service.close()
      return outcome
    }
  }

  private func deepgramsMouth(heavy: Bool) async throws {
    let speech = DeepgramSpeech { [clients, loop] in clients.client(on: $0 ?? loop) }
    try await play(Self.mouths, heavy: heavy) { script in
      let service = try await RunningEmulator(DeepgramEmulator.self, [("--speech", script)], on: loop)
      let outcome = await Self.speak(speech, settings(service.url()))
      await service.close()
      return outcome
    }
  }
}
