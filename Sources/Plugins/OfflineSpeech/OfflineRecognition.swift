internal import RouterCore

/// One conversation's recognition: gathers an utterance and has it decoded when it is over.
final class OfflineRecognition: RecognitionSession {
  /// Sound beyond this much of one utterance is not looked at: 20 seconds.
  private static let maximumSamples = 20 * 16000

  let hearingFormat = AudioFormat.linear16(16000)
  let events: AsyncStream<RecognitionEvent>

  private let continuation: AsyncStream<RecognitionEvent>.Continuation
  private let grammar: Grammar
  private let decoders: DecoderPool
  private let utterance = Lock<[Int16]>([])
  private let isClosed = Lock(false)

  init(_ grammar: Grammar, _ decoders: DecoderPool) {
    self.grammar = grammar
    self.decoders = decoders
    (events, continuation) = AsyncStream.makeStream(
      of: RecognitionEvent.self, bufferingPolicy: .bufferingNewest(64))
  }

  func hear(_ audio: AudioFrame) {
    guard audio.format == hearingFormat else { return }
    utterance.withLock { utterance in
      guard utterance.count < OfflineRecognition.maximumSamples else { return }
      audio.withSamples { utterance.append(contentsOf: $0) }
    }
  }

  func endUtterance() {
    let samples = utterance.withLock { utterance in
      defer { utterance = [] }
      return utterance
    }
    guard !samples.isEmpty, !grammar.phrases.isEmpty else {
      continuation.yield(.final("", confidence: nil))
      return
    }
    decoders.recognise(samples, grammar) { [self] result in
      guard !isClosed.withLock({ $0 }) else { return }
      switch result {
      case .success(let heard):
        let confidence = heard.words.isEmpty ? nil : Confidence.of(score: heard.score)
        continuation.yield(.final(heard.words, confidence: confidence))
      case .failure(let failure):
        continuation.yield(.failed(failure))
        continuation.finish()
      }
    }
  }

  func close() async {
    isClosed.withLock { $0 = true }
    continuation.finish()
  }
}

/// How sure a recognition is, from how well its words explain the sound.
enum Confidence {
  /// Where words of the grammar and words that are none divide best, and how sharply; measured, see the decision record.
  static let middle = -7.5
  static let width = 3.125

  /// 0…1; one half at the dividing line.
  static func of(score: Double) -> Double {
    let x = max(-1, min(1, (score - middle) / (2 * width)))
    return 0.5 + x / 2
  }
}
