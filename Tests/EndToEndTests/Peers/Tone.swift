import Foundation

/// Sine tones: what tests send, and how they know that it arrived.
enum Tone {
  /// Samples of a tone at a quarter of full scale.
  static func samples(_ frequency: Double, sampleRate: Int = 8000, milliseconds: Int) -> [Int16] {
    (0..<(sampleRate * milliseconds / 1000)).map {
      Int16(8000 * sin(2 * .pi * frequency * Double($0) / Double(sampleRate)))
    }
  }

  /// Which share of a sound's energy is at a frequency, 0…1: the median over pieces of 100 ms, so that a lost packet
  /// somewhere does not matter. 0 for silence.
  static func share(of frequency: Double, in samples: some Collection<Int16>, sampleRate: Int = 8000)
    -> Double
  {
    let samples = Array(samples)
    let length = sampleRate / 10
    let shares = stride(from: 0, through: samples.count - length, by: length).map {
      pieceShare(of: frequency, in: samples[$0..<($0 + length)], sampleRate)
    }
    return shares.isEmpty ? 0 : shares.sorted()[shares.count / 2]
  }

  /// Goertzel's algorithm.
  private static func pieceShare(of frequency: Double, in samples: ArraySlice<Int16>, _ sampleRate: Int)
    -> Double
  {
    let energy = samples.reduce(0.0) { $0 + Double($1) * Double($1) }
    guard energy > Double(samples.count) * 100 else { return 0 }  // below -70 dB of full scale
    let step = 2 * cos(2 * .pi * frequency / Double(sampleRate))
    var last = 0.0
    var beforeLast = 0.0
    for sample in samples {
      (last, beforeLast) = (Double(sample) + step * last - beforeLast, last)
    }
    let power = last * last + beforeLast * beforeLast - step * last * beforeLast
    return min(1, 2 * power / (energy * Double(samples.count)))
  }

  /// Decodes G.711 µ-law (ITU-T G.711).
  static func samples(muLaw bytes: [UInt8]) -> [Int16] {
    bytes.map { byte in
      let code = ~byte
      let magnitude = ((Int(code & 0x0f) << 3) + 0x84) << Int(code >> 4 & 7)
      return Int16(code & 0x80 == 0 ? magnitude - 0x84 : 0x84 - magnitude)
    }
  }

  /// Encodes G.711 µ-law.
  static func muLaw(_ samples: [Int16]) -> [UInt8] {
    samples.map { sample in
      let magnitude = min(abs(Int(sample)), 32635) + 0x84
      let exponent = 7 - (magnitude << 1 & 0xff00 == 0 ? 8 : (UInt8(magnitude >> 7)).leadingZeroBitCount)
      let mantissa = UInt8(magnitude >> (exponent + 3) & 0x0f)
      return ~((sample < 0 ? 0x80 : 0) | UInt8(exponent) << 4 | mantissa)
    }
  }

  /// A WAV file (16 bit, one channel).
  static func wav(_ samples: [Int16], sampleRate: Int = 8000) -> Data {
    var data = Data()
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
    data.append(contentsOf: "RIFF".utf8)
    append(UInt32(36 + samples.count * 2))
    data.append(contentsOf: "WAVEfmt ".utf8)
    append(UInt32(16))
    append(UInt16(1))
    append(UInt16(1))
    append(UInt32(sampleRate))
    append(UInt32(sampleRate * 2))
    append(UInt16(2))
    append(UInt16(16))
    data.append(contentsOf: "data".utf8)
    append(UInt32(samples.count * 2))
    for sample in samples { append(sample) }
    return data
  }

  /// Such a file with a hum where it says so, to interrupt with.
  static func wav(_ parts: [(seconds: Double, isLoud: Bool)]) -> Data {
    wav(
      parts.flatMap { part in
        let milliseconds = Int(part.seconds * 1000)
        return part.isLoud
          ? samples(300, milliseconds: milliseconds) : [Int16](repeating: 0, count: milliseconds * 8)
      })
  }

  /// The samples of such a file; a header that was never finished does not matter.
  static func samples(wav: Data) -> [Int16] {
    let body = Array(wav.dropFirst(44))
    return stride(from: 0, to: body.count - 1, by: 2).map {
      Int16(bitPattern: UInt16(body[$0]) | UInt16(body[$0 + 1]) << 8)
    }
  }
}
