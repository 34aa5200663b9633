internal import Glibc

/// How loud a piece of sound is.
enum SpeechLevel {
  /// What silence counts as: below the smallest step of 16 bits.
  static let silence = -100.0

  /// The power of a frame in decibels below full scale (0 is a square wave of full swing), without its constant
  /// part: cheap gateways shift the zero line.
  static func decibels(_ audio: AudioFrame) -> Double {
    switch audio.format.encoding {
    case .linear16: return audio.withSamples { decibels($0, count: $0.count) { Int($0) } }
    case .muLaw, .aLaw:
      let table = G711.linear(of: audio.format.encoding)
      return decibels(audio.bytes, count: audio.bytes.count) { Int(table[Int($0)]) }
    }
  }

  @inline(__always)
  private static func decibels<Samples: Sequence>(
    _ samples: Samples, count: Int, _ linear: (Samples.Element) -> Int
  ) -> Double {
    guard count > 0 else { return silence }
    var sum = 0
    var squares = 0
    for sample in samples {
      let value = linear(sample)
      sum &+= value  // a frame is far too short for either to overflow
      squares &+= value &* value
    }
    let mean = Double(sum) / Double(count)
    let power = Double(squares) / Double(count) - mean * mean
    guard power > 0.1 else { return silence }
    return max(silence, 10 * log10(power / (32768 * 32768)))
  }
}
