internal import Dispatch
internal import RouterCore

/// A few decoders, each on a thread of its own, that take utterances in turn.
final class DecoderPool: Sendable {
  /// Utterances that may wait; one more fails at once.
  static let maximumWaiting = 200

  private struct State {
    var free: [Int]
    var waiting: [@Sendable (Int) -> Void] = []
  }

  private let modelDirectory: String
  private let queues: [DispatchQueue]
  private let decoders: [Lock<PocketSphinx?>]
  private let state: Lock<State>

  init(count: Int, modelDirectory: String) {
    self.modelDirectory = modelDirectory
    queues = (0..<count).map { DispatchQueue(label: "pocketsphinx.\($0)", qos: .userInitiated) }
    decoders = (0..<count).map { _ in Lock(nil) }
    state = Lock(State(free: Array(0..<count)))
  }

  /// Recognises an utterance; `done` is called on a thread of the pool.
  func recognise(
    _ samples: [Int16], _ grammar: Grammar,
    _ done: @escaping @Sendable (Result<PocketSphinx.Heard, VoiceFailure>) -> Void
  ) {
    let work: @Sendable (Int) -> Void = { [self] number in
      queues[number].async { [self] in
        done(decoders[number].withLock { run(&$0, samples, grammar) })
        release(number)
      }
    }
    let (free, isFull) = state.withLock { state -> (Int?, Bool) in
      if let free = state.free.popLast() { return (free, false) }
      guard state.waiting.count < DecoderPool.maximumWaiting else { return (nil, true) }
      state.waiting.append(work)
      return (nil, false)
    }
    if isFull { done(.failure(VoiceFailure(.rateLimited, "too many utterances wait for a decoder"))) }
    if let free { work(free) }
  }

  /// A decoder is made for its first utterance: it takes some tenths of a second.
  private func run(
    _ decoder: inout PocketSphinx?, _ samples: [Int16], _ grammar: Grammar
  ) -> Result<PocketSphinx.Heard, VoiceFailure> {
    decoder = decoder ?? PocketSphinx(modelDirectory: modelDirectory)
    guard let decoder else {
      return .failure(
        VoiceFailure(
          .unreachable, "no acoustic model in \(modelDirectory): install the package pocketsphinx-en-us"))
    }
    return .success(decoder.recognise(samples, grammar))
  }

  private func release(_ number: Int) {
    let next = state.withLock { state -> (@Sendable (Int) -> Void)? in
      if state.waiting.isEmpty {
        state.free.append(number)
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?(number)
  }
}
