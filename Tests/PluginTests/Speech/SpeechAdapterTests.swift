import DeepgramSpeech
import Emulators
import OfflineSpeech
import OpenAISpeech
import RouterCore
import RouterTesting
import Testing

/// Ears and mouths against the suites, and against services that misbehave.
@Suite(.serialized) struct SpeechAdapterTests {
  private let loop = EventLoop(name: "test")
  private let clients = HTTPClients()

  /// Gives every request the settings of one provider.
  private struct Configured<Speech: SpeechRecognizer & SpeechSynthesizer>: SpeechRecognizer, SpeechSynthesizer
  {
    let speech: Speech
    let configuration: JSONValue

    func open(_ request: RecognitionRequest) async throws -> any RecognitionSession {
      var request = request
      request.configuration = configuration
      return try await speech.open(request)
    }

    func speak(_ request: SynthesisRequest) -> AsyncThrowingStream<AudioFrame, any Error> {
      var request = request
      request.configuration = configuration
      return speech.speak(request)
    }
  }

  private var openAI: OpenAISpeech { OpenAISpeech(over: clients.client(on: loop)) }
  private var deepgram: DeepgramSpeech {
    DeepgramSpeech { [clients, loop] in clients.client(on: $0 ?? loop) }
  }

  private func openAI(_ service: RunningEmulator<ChatEmulator>, _ more: [String: JSONValue] = [:])
    -> Configured<OpenAISpeech>
  {
    let own: [String: JSONValue] = [
      "baseURL": .string(service.url("http", "/v1")), "apiKey": "sk-test-secret",
    ]
    return Configured(speech: openAI, configuration: .object(own.merging(more) { $1 }))
  }

  private func deepgram(_ service: RunningEmulator<DeepgramEmulator>) -> Configured<DeepgramSpeech> {
    Configured(
      speech: deepgram, configuration: ["baseURL": .string(service.url()), "apiKey": "dg-test-secret"])
  }

  // MARK: The suites

  @Test func offlineSpeechConforms() async {
    #expect(await SpeechSynthesizerConformance.violations { OfflineSpeech() } == [])
    #expect(await SpeechRecognizerConformance.violations(within: .seconds(60)) { OfflineSpeech() } == [])
  }

  @Test(arguments: ["pcm", "wav"]) func openAISpeechConforms(_ format: String) async throws {
    let service = try await RunningEmulator(ChatEmulator.self, [("--key", "sk-test-secret")], on: loop)
    let speech = openAI(service, format == "pcm" ? ["sampleRate": 24000] : [:])
    #expect(await SpeechSynthesizerConformance.violations { speech } == [])
    #expect(await SpeechRecognizerConformance.violations { speech } == [])
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  @Test func deepgramSpeechConforms() async throws {
    let service = try await RunningEmulator(DeepgramEmulator.self, [("--key", "dg-test-secret")], on: loop)
    let speech = deepgram(service)
    #expect(await SpeechSynthesizerConformance.violations { speech } == [])
    #expect(await SpeechRecognizerConformance.violations { speech } == [])
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  // MARK: Hearing

  /// One utterance of a second.
  private func hear(_ recognizer: any SpeechRecognizer) async throws -> RecognitionEvent? {
    let session = try await recognizer.open(
      RecognitionRequest(language: "en-GB", phrases: ["open"], log: .silent))
    let format = session.hearingFormat
    for number in 0..<50 {
      let samples = (0..<(format.sampleRate / 50)).map { Int16(($0 * (number + 3)) % 97 * 100 - 4000) }
      var converter = AudioConverter(from: .linear16(format.sampleRate), to: format)
      let frame = AudioFrame(samples: samples, sampleRate: format.sampleRate)
      session.hear(format.encoding == .linear16 ? frame : converter?.convert(frame) ?? frame)
    }
    session.endUtterance()
    let event = await session.events.first { if case .partial = $0 { false } else { true } }
    await session.close()
    return event
  }

  private static let transcriptions: [(String, String, String)] = [
    ("gpt-4o-mini-transcribe", "When are you open?", "When are you open? 0.95"),
    ("whisper-1", #"{"say": " Hello. ", "logprob": -0.69}"#, "Hello. 0.50"),
    ("gpt-transcribe", "Hello.", "Hello. nil"),
    ("whisper-1", #"{"status": 500, "times": 1}"#, "Hello. 0.95"),
    ("whisper-1", #"{"status": 401}"#, "unauthorized"), ("whisper-1", #"{"html": true}"#, "protocolError"),
    ("whisper-1", #"{"status": 429, "retryAfter": "60"}"#, "rateLimited"),
  ]

  @Test(arguments: transcriptions)
  func transcriptionsAreRead(_ model: String, _ answer: String, _ expected: String) async throws {
    let service = try await RunningEmulator(
      ChatEmulator.self, [("--transcript", answer), ("--transcript", "Hello.")], on: loop)
    let event = try await hear(openAI(service, ["transcriptionModel": .string(model)]))
    #expect(Self.described(event) == expected)
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  private static func described(_ event: RecognitionEvent?) -> String {
    switch event {
    case .final(let text, let confidence): "\(text) \(confidence.map { "\($0)".prefix(4).padded } ?? "nil")"
    case .failed(let failure): failure.kind.rawValue
    default: "\(String(describing: event))"
    }
  }

  private static let utterances: [(String, String)] = [
    ("When are you open?", "When are you open? 0.97"),
    (#"{"say": "one two three", "style": "split"}"#, "one two three 0.97"),
    (#"{"say": "yes", "style": "unconfirmed"}"#, "yes 0.97"),
    (#"{"say": "I think so", "style": "interim"}"#, "I think so nil"),
    (#"{"style": "silent"}"#, " nil"), (#"{"say": "fine", "garbage": true}"#, "fine 0.97"),
    (#"{"error": "bad audio"}"#, "protocolError"), (#"{"abrupt": true}"#, "closed"),
    (#"{"close": 1008}"#, "protocolError"),
  ]

  @Test(arguments: utterances) func listening(_ script: String, _ expected: String) async throws {
    let service = try await RunningEmulator(DeepgramEmulator.self, [("--transcript", script)], on: loop)
    let heard = try await hear(deepgram(service))
    #expect(Self.described(heard) == expected, "\(String(describing: heard))")
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  @Test(arguments: [
    (401, VoiceFailure.Kind.unauthorized), (400, .protocolError), (402, .unauthorized), (503, .unreachable),
  ])
  func refusedAtTheDoor(_ status: Int, _ kind: VoiceFailure.Kind) async throws {
    let service = try await RunningEmulator(
      DeepgramEmulator.self, [("--transcript", "{\"status\": \(status)}")], on: loop)
    let failure = await #expect(throws: VoiceFailure.self) { _ = try await hear(deepgram(service)) }
    #expect(failure?.kind == kind)
    await service.close()
    await clients.close()
  }

  // MARK: Speaking

  private func speak(_ synthesizer: any SpeechSynthesizer, _ text: String = "Good morning.") async -> (
    Int, VoiceFailure?
  ) {
    var milliseconds = 0
    do {
      for try await frame in synthesizer.speak(SynthesisRequest(text: text)) {
        milliseconds += frame.milliseconds
      }
    } catch { return (milliseconds, error as? VoiceFailure) }
    return (milliseconds, nil)
  }

  private static let mishaps: [(String, VoiceFailure.Kind?)] = [
    (#"{"status": 500}"#, nil), (#"{"abrupt": true}"#, .closed), (#"{"html": true}"#, .protocolError),
    (#"{"status": 401}"#, .unauthorized),
    (#"{"redirect": "http://127.0.0.1:1/"}"#, .protocolError),
  ]

  @Test(arguments: mishaps) func whatGoesWrongWithSpeaking(_ mishap: String, _ kind: VoiceFailure.Kind?)
    async throws
  {
    let chat = try await RunningEmulator(
      ChatEmulator.self, [("--speech", mishap), ("--speech", "{}")], on: loop)
    let (heard, failure) = await speak(openAI(chat))
    #expect(failure?.kind == kind)
    if kind == nil { #expect(heard > 500) }
    await chat.close()
    let other = try await RunningEmulator(
      DeepgramEmulator.self, [("--speech", mishap), ("--speech", "{}")], on: loop)
    #expect(await speak(deepgram(other)).1?.kind == kind)
    await other.close()
    await clients.close()
  }

  @Test func longTextsAreCut() async throws {
    let other = try await RunningEmulator(DeepgramEmulator.self, [], on: loop)
    let (heard, failure) = await speak(deepgram(other), String(repeating: "word ", count: 900))
    #expect(failure == nil && heard > 100_000)
    #expect(other.report.sights.count == 3)
    #expect(other.report.violations == [])
    await other.close()
    await clients.close()
  }
}

extension Substring {
  fileprivate var padded: String { self + String(repeating: "0", count: Swift.max(0, 4 - count)) }
}
