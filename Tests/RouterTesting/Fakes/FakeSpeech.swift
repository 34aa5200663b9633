internal import FoundationEssentials
public import RouterCore

/// A recogniser whose results a test gives.
public final class FakeRecognizer: SpeechRecognizer {
  /// The sessions that were opened, in order.
  public let sessions = Journal<FakeRecognition>()
  private let format: AudioFormat
  private let failure: VoiceFailure?

  /// - Parameter failure: Thrown by every opening.
  public init(_ format: AudioFormat = .linear16(8000), failure: VoiceFailure? = nil) {
    self.format = format
    self.failure = failure
  }

  public func open(_ request: RecognitionRequest) async throws -> any RecognitionSession {
    if let failure { throw failure }
    let session = FakeRecognition(request, format)
    sessions.note(session)
    return session
  }
}

/// One conversation of a ``FakeRecognizer``.
public final class FakeRecognition: RecognitionSession {
  /// What it was told.
  public enum Deed: Hashable, Sendable { case heard(milliseconds: Int), ended, closed }

  public let request: RecognitionRequest
  public let hearingFormat: AudioFormat
  public let events: AsyncStream<RecognitionEvent>
  /// Everything in order.
  public let deeds = Journal<Deed>()
  private let reports: AsyncStream<RecognitionEvent>.Continuation
  private let next = Lock<[RecognitionEvent]>([])

  init(_ request: RecognitionRequest, _ format: AudioFormat) {
    self.request = request
    hearingFormat = format
    (events, reports) = AsyncStream.makeStream()
  }

  public func hear(_ audio: AudioFrame) { deeds.note(.heard(milliseconds: audio.milliseconds)) }

  public func endUtterance() {
    deeds.note(.ended)
    if let result = next.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { reports.yield(result) }
  }

  public func close() async {
    deeds.note(.closed)
    reports.finish()
  }

  /// What comes of the next utterances, at once when they end.
  public func understands(_ results: RecognitionEvent...) { next.withLock { $0 += results } }

  /// Reports something now.
  public func report(_ event: RecognitionEvent) { reports.yield(event) }
}

/// A text model that answers by rule.
public final class FakeTextModel: TextModel {
  /// Everything that it was asked.
  public let requests = Journal<TextRequest>()
  private let rule: @Sendable (TextRequest) -> AsyncThrowingStream<TextEvent, any Error>

  /// - Parameter rule: The answer's events; throwing fails the turn.
  public init(_ rule: @escaping @Sendable (TextRequest) throws -> [TextEvent]) {
    self.rule = { request in
      AsyncThrowingStream { continuation in
        do {
          for event in try rule(request) { continuation.yield(event) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
    }
  }

  /// - Parameter stream: The whole answer, in its own time.
  public init(stream: @escaping @Sendable (TextRequest) -> AsyncThrowingStream<TextEvent, any Error>) {
    rule = stream
  }

  public func respond(to request: TextRequest) -> AsyncThrowingStream<TextEvent, any Error> {
    requests.note(request)
    return rule(request)
  }
}

/// A synthesiser whose voice is a buzz, at once or when the latch opens.
public struct FakeSynthesizer: SpeechSynthesizer {
  private let latch: Latch?
  private let failure: VoiceFailure?
  private let pieces: Int

  public init(after latch: Latch? = nil, failure: VoiceFailure? = nil, millisecondsPerCharacter: Int = 10) {
    self.latch = latch
    self.failure = failure
    pieces = millisecondsPerCharacter / 10
  }

  public func speak(_ request: SynthesisRequest) -> AsyncThrowingStream<AudioFrame, any Error> {
    AsyncThrowingStream { continuation in
      let work = Task {
        if let latch, await !latch.wait() { return continuation.finish() }
        if let failure { return continuation.finish(throwing: failure) }
        for _ in 0..<request.text.count * pieces {
          continuation.yield(AudioFrame(.muLaw, bytes: (0..<80).map { $0 % 16 < 8 ? 0x10 : 0x90 }))
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in work.cancel() }
    }
  }
}

extension AudioFrame {
  /// 20 ms frames of a buzz that a turn detector takes for speech, and then of silence.
  public static func buzz(_ format: AudioFormat, milliseconds: Int, silence: Int = 0) -> [AudioFrame] {
    func frame(_ isLoud: Bool) -> AudioFrame {
      let count = format.sampleRate / 50
      let period = format.sampleRate / 200
      switch format.encoding {
      case .linear16:
        let samples = (0..<count).map { Int16(isLoud ? ($0 % period < period / 2 ? 4000 : -4000) : 0) }
        return AudioFrame(samples: samples, sampleRate: format.sampleRate)
      case .muLaw, .aLaw:
        let quiet: UInt8 = format.encoding == .muLaw ? 0xFF : 0xD5
        let bytes = (0..<count).map { isLoud ? ($0 % period < period / 2 ? 0x20 : 0xA0) : quiet }
        return AudioFrame(format, bytes: bytes)
      }
    }
    return Array(repeating: frame(true), count: milliseconds / 20)
      + Array(repeating: frame(false), count: silence / 20)
  }
}
