internal import CFlite
internal import Dispatch
internal import RouterCore

/// flite's voices. All of them speak on one queue, one request after the other: flite counts references to what its voices
/// share without atomics, and speaks a hundred times faster than anybody listens.
final class FliteVoices: Sendable {
  /// Voices of this build.
  static let names = ["slt", "rms", "kal", "kal16"]
  /// Requests that may wait; one more fails.
  private static let maximumWaiting = 500

  private let preferred: String
  private let waiting = Lock(0)

  init(preferred: String) { self.preferred = preferred }

  /// Speaks the sentences, one frame or more for each. A voice that flite does not have becomes the preferred one.
  func speak(_ sentences: [String], voice: String?) -> AsyncThrowingStream<AudioFrame, any Error> {
    let name = voice.flatMap { FliteVoices.names.contains($0) ? $0 : nil } ?? preferred
    let isFull = waiting.withLock { waiting in
      if waiting < FliteVoices.maximumWaiting { waiting += 1 } else { return true }
      return false
    }
    return AsyncThrowingStream { continuation in
      guard !isFull else {
        return continuation.finish(
          throwing: VoiceFailure(.rateLimited, "too many texts wait for flite"))
      }
      let isWanted = Lock(true)
      continuation.onTermination = { _ in isWanted.withLock { $0 = false } }
      Flite.queue.async { [self] in
        for sentence in sentences where isWanted.withLock({ $0 }) {
          if let frame = Flite.speak(sentence, voice: name) { continuation.yield(frame) }
        }
        waiting.withLock { $0 -= 1 }
        continuation.finish()
      }
    }
  }
}

/// The library itself. Everything in it runs on ``queue``.
enum Flite {
  static let queue = DispatchQueue(label: "flite", qos: .userInitiated)

  /// Called once a process: flite's lists of voices and languages are globals.
  private nonisolated(unsafe) static let voices: [String: UnsafeMutablePointer<cst_voice>] = {
    flite_init()
    let all = [
      ("slt", register_cmu_us_slt(nil)), ("rms", register_cmu_us_rms(nil)), ("kal", register_cmu_us_kal(nil)),
      ("kal16", register_cmu_us_kal16(nil)),
    ]
    return Dictionary(uniqueKeysWithValues: all.compactMap { name, voice in voice.map { (name, $0) } })
  }()

  /// The English lexicon; its rules make a pronunciation of any word.
  private nonisolated(unsafe) static let lexicon = cmu_lex_init()

  /// One sentence as linear samples at the voice's own rate (kal 8 kHz, the others 16 kHz).
  static func speak(_ sentence: String, voice: String) -> AudioFrame? {
    guard let voice = voices[voice], let wave = flite_text_to_wave(sentence, voice) else { return nil }
    defer { delete_wave(wave) }
    let sound = wave.pointee
    guard sound.num_samples > 0, let samples = sound.samples else { return nil }
    let bytes = UnsafeRawBufferPointer(start: samples, count: Int(sound.num_samples) * 2)
    return AudioFrame(.linear16(Int(sound.sample_rate)), bytes: Array(bytes))
  }

  /// How a word is said, in the phones of the CMU dictionary: by the lexicon, or by its letter-to-sound rules. Waits for
  /// the queue: for threads of our own.
  static func pronounce(_ word: String) -> String? {
    queue.sync {
      guard let list = lex_lookup(lexicon, word, nil, nil) else { return nil }
      defer { delete_val(list) }
      var phones: [String] = []
      var item: OpaquePointer? = OpaquePointer(list)
      while let current = item {
        guard let value = val_car(UnsafePointer(current)), let text = val_string(value) else { break }
        phones.append(cmu(String(cString: text)))
        item = val_cdr(UnsafePointer(current)).map { OpaquePointer($0) }
      }
      return phones.isEmpty ? nil : phones.joined(separator: " ")
    }
  }

  /// flite writes stress as a digit and the schwa as `ax`; the acoustic model has neither.
  private static func cmu(_ phone: String) -> String {
    let plain = phone.filter(\.isLetter).uppercased()
    return plain == "AX" ? "AH" : plain
  }
}
