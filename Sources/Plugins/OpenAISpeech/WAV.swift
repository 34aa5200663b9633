internal import Glibc

/// A WAV file in memory: one channel of 16-bit PCM, the only thing that every server takes.
enum WAV {
  static func file(_ samples: [Int16], sampleRate: Int) -> [UInt8] {
    func bytes(_ number: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    let size = samples.count * 2
    var file = Array("RIFF".utf8) + bytes(36 + size, 4) + Array("WAVEfmt ".utf8) + bytes(16, 4)
    file +=
      bytes(1, 2) + bytes(1, 2) + bytes(sampleRate, 4) + bytes(sampleRate * 2, 4) + bytes(2, 2) + bytes(16, 2)
    file += Array("data".utf8) + bytes(size, 4)
    samples.withUnsafeBytes { file += $0 }
    return file
  }
}

/// e to the power of `x`.
func exponential(_ x: Double) -> Double { exp(x) }
