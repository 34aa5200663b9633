/// Covers a gap in the audio: the last period of the voice goes on and fades out, then there is silence.
///
/// One value for each gap. The idea is that of ITU-T G.711 appendix I, for any sample rate and made only when needed.
struct Concealment {
  /// A gap is audible as silence after this.
  static let milliseconds = 60

  private let period: [Int16]
  private let length: Int
  private var position = 0

  /// - Parameter history: What was played last, 20 ms or more of it.
  init(after history: UnsafeBufferPointer<Int16>, sampleRate: Int) {
    length = sampleRate * Concealment.milliseconds / 1000
    let lag = Concealment.lag(history, sampleRate)
    period = Array(history.suffix(lag))
  }

  /// Appends the next `count` samples, as bytes.
  mutating func fill(_ count: Int, into output: inout [UInt8]) {
    for _ in 0..<count {
      var sample: Int16 = 0
      if position < length, !period.isEmpty {
        sample = Int16(Int(period[position % period.count]) * (length - position) / length)
      }
      withUnsafeBytes(of: sample) { output.append(contentsOf: $0) }
      position += 1
    }
  }

  /// The distance, 2.5 to 12.5 ms, at which the end of the history repeats itself best.
  private static func lag(_ history: UnsafeBufferPointer<Int16>, _ sampleRate: Int) -> Int {
    let shortest = sampleRate / 400
    let longest = min(sampleRate / 80, history.count / 2)
    guard shortest < longest else { return history.count }
    let compared = history.count - longest
    var best = (lag: longest, difference: Int.max)
    for lag in shortest...longest {
      var difference = 0
      for index in stride(from: history.count - compared + 0, to: history.count, by: 2) where index >= lag {
        difference += abs(Int(history[index]) - Int(history[index - lag]))
      }
      if difference < best.difference { best = (lag, difference) }
    }
    return best.lag
  }
}
