internal import RouterCore

/// One conversation's recognition: gathers an utterance, and sends it whole when it is over. One after the other, so that
/// results keep their order.
final class OpenAIRecognition: RecognitionSession {
  /// Sound beyond this much of one utterance is not sent: 60 seconds, 2 MB of WAV.
  private static let maximumSamples = 60 * 16000
  /// Utterances that wait for the service; more are answered with nothing.
  private static let maximumWaiting = 8
  /// Shorter ones are refused (100 ms), and no word.
  private static let minimumSamples = 16000 / 10
  /// Below this there is nothing to understand; models make up words for silence.
  private static let faintest: UInt16 = 250

  let hearingFormat = AudioFormat.linear16(16000)
  let events: AsyncStream<RecognitionEvent>

  private let report: AsyncStream<RecognitionEvent>.Continuation
  private let utterances: AsyncStream<[Int16]>.Continuation
  private let current = Lock<[Int16]>([])
  private let work: Task<Void, Never>

  init(_ settings: SpeechSettings, _ request: RecognitionRequest, _ http: any HTTPStreaming) {
    let (events, report) = AsyncStream.makeStream(
      of: RecognitionEvent.self, bufferingPolicy: .bufferingNewest(64))
    let (waiting, utterances) = AsyncStream.makeStream(
      of: [Int16].self, bufferingPolicy: .bufferingOldest(OpenAIRecognition.maximumWaiting))
    (self.events, self.report, self.utterances) = (events, report, utterances)
    let transcription = Transcription(settings, request, http)
    work = Task {
      for await samples in waiting {
        guard OpenAIRecognition.isSpeech(samples) else {
          report.yield(.final("", confidence: nil))
          continue
        }
        do throws(VoiceFailure) {
          let heard = try await transcription.words(of: samples)
          report.yield(.final(heard.text, confidence: heard.confidence))
        } catch {
          report.yield(.failed(error))
          return report.finish()
        }
      }
      report.finish()
    }
  }

  deinit { work.cancel() }

  private static func isSpeech(_ samples: [Int16]) -> Bool {
    samples.count >= minimumSamples && samples.contains { $0.magnitude > faintest }
  }

  func hear(_ audio: AudioFrame) {
    guard audio.format == hearingFormat, audio.bytes.count % 2 == 0 else { return }
    current.withLock { current in
      guard current.count < OpenAIRecognition.maximumSamples else { return }
      audio.withSamples { current.append(contentsOf: $0) }
    }
  }

  func endUtterance() {
    let samples = current.withLock { current in
      defer { current = [] }
      return current
    }
    if case .dropped = utterances.yield(samples) { report.yield(.final("", confidence: nil)) }
  }

  func close() async {
    utterances.finish()
    work.cancel()
    report.finish()
  }
}

/// One request of `audio/transcriptions`.
struct Transcription: Sendable {
  private let settings: SpeechSettings
  private let language: String?
  private let prompt: String
  private let http: any HTTPStreaming

  /// How long one may take, tries included.
  private static let limit = Duration.seconds(8)
  private static let maximumPrompt = 600
  /// Longer words of one utterance, which lasts a minute at most, are cut.
  private static let maximumText = 20_000

  init(_ settings: SpeechSettings, _ request: RecognitionRequest, _ http: any HTTPStreaming) {
    self.settings = settings
    // ISO 639-1, without a region.
    language = request.language.map { String($0.prefix { $0 != "-" && $0 != "_" }).lowercased() }
    var prompt = ""
    for phrase in request.phrases where prompt.count + phrase.count < Transcription.maximumPrompt {
      prompt += (prompt.isEmpty ? "" : " ") + phrase
    }
    self.prompt = prompt
    self.http = http
  }

  func words(of samples: [Int16]) async throws(VoiceFailure) -> (text: String, confidence: Double?) {
    var form = MultipartForm()
    form.add("model", settings.transcriptionModel)
    if let language { form.add("language", language) }
    if !prompt.isEmpty { form.add("prompt", prompt) }
    // gpt-4o models give json only, and tell by logprobs how sure they are; whisper-1 by its segments.
    let isNew = settings.transcriptionModel.hasPrefix("gpt-4o")
    form.add("response_format", settings.transcriptionModel == "whisper-1" ? "verbose_json" : "json")
    if isNew { form.add("include[]", "logprobs") }
    form.add("file", file: "speech.wav", type: "audio/wav", WAV.file(samples, sampleRate: 16000))
    let body = form.body
    let type = Header("Content-Type", form.contentType)
    do throws(BackendFailure) {
      let answer = try await BackendFailure.retrying(1, within: Transcription.limit) {
        [settings, http] (left) async throws(BackendFailure) in
        let stream = try await settings.backend.open(
          settings.transcriptionPath, headers: [type], body: body, deadline: left, maximumBodyBytes: 1 << 20,
          limits: HTTPStreamLimits(head: left, idle: left), over: http)
        if stream.header("content-type")?.lowercased().hasPrefix("text/html") == true {
          throw BackendFailure(
            VoiceFailure(.protocolError, "the answer is a web page; is the baseURL right?"))
        }
        do throws(HTTPError) { return try await stream.text(upTo: 1 << 20) } catch {
          throw settings.backend.failure(error)
        }
      }
      return try Transcription.read(answer)
    } catch {
      throw error.failure
    }
  }

  private static func nonsense(_ words: String, isTransient: Bool = false) -> BackendFailure {
    BackendFailure(VoiceFailure(.protocolError, words), isTransient: isTransient)
  }

  /// Reads what servers answer: `{"text"}` with more or less about it, or the bare words.
  static func read(_ answer: String) throws(BackendFailure) -> (text: String, confidence: Double?) {
    // No words are an empty text, or an empty line; a body without anything is no answer.
    if answer.isEmpty { throw nonsense("the transcription is empty", isTransient: true) }
    let first = answer.first { !$0.isWhitespace }
    guard first == "{" || first == "[" || first == "<" else {
      // U+FFFD stands for what was no text.
      guard !answer.unicodeScalars.contains(where: { $0 == "\u{FFFD}" || $0.value == 0 }) else {
        throw nonsense("the transcription is no text")
      }
      return (String(answer.prefix(maximumText)).trimmed, nil)
    }
    guard let value = JSONValue(parsing: answer), let words = value["text"]?.string else {
      throw nonsense("the transcription makes no sense")
    }
    let text = String(words.prefix(maximumText))
    let segments = value["segments"]?.array ?? []
    // As the model's authors do: sure that there was no speech, and unsure of its words.
    let isNothing =
      !segments.isEmpty
      && segments.allSatisfy {
        ($0["no_speech_prob"]?.number ?? 0) > 0.6 && ($0["avg_logprob"]?.number ?? 0) < -1
      }
    if isNothing { return ("", nil) }
    let logprobs =
      (value["logprobs"]?.array ?? []).compactMap { $0["logprob"]?.number }
      + segments.compactMap { $0["avg_logprob"]?.number }
    guard !logprobs.isEmpty else { return (text.trimmed, nil) }
    let mean = logprobs.reduce(0, +) / Double(logprobs.count)
    return (text.trimmed, mean.isNaN ? nil : min(1, max(0, exponential(mean))))
  }
}

extension String {
  fileprivate var trimmed: String {
    let start = drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
