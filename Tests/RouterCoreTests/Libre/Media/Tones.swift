import Foundation

/// Sine waves and what is left of them.
enum Tone {
  static func samples(_ frequency: Double, rate: Int, milliseconds: Int, amplitude: Double = 8000) -> [Int16]
  {
    (0..<rate * milliseconds / 1000).map {
      Int16(amplitude * sin(2 * .pi * frequency * Double($0) / Double(rate)))
    }
  }

  /// Amplitude of a frequency in these samples.
  static func amplitude(of frequency: Double, in samples: some Collection<Int16>, rate: Int) -> Double {
    let (a, b) = fit(frequency, samples, rate)
    return (a * a + b * b).squareRoot()
  }

  /// Decibels between a tone and everything else.
  static func signalToNoise(of frequency: Double, in samples: some Collection<Int16>, rate: Int) -> Double {
    let (a, b) = fit(frequency, samples, rate)
    var noise = 0.0
    for (index, sample) in samples.enumerated() {
      let phase = 2 * .pi * frequency * Double(index) / Double(rate)
      let rest = Double(sample) - a * cos(phase) - b * sin(phase)
      noise += rest * rest
    }
    let signal = (a * a + b * b) / 2 * Double(samples.count)
    return 10 * log10(signal / max(noise, 1e-9))
  }

  static func decibels(_ ratio: Double) -> Double { 20 * log10(max(ratio, 1e-9)) }

  static func rms(_ samples: some Collection<Int16>) -> Double {
    (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(samples.count, 1))).squareRoot()
  }

  /// Least squares, so that a piece of any length will do.
  private static func fit(
    _ frequency: Double, _ samples: some Collection<Int16>, _ rate: Int
  ) -> (cosine: Double, sine: Double) {
    var (cc, cs, ss, cx, sx) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for (index, sample) in samples.enumerated() {
      let phase = 2 * .pi * frequency * Double(index) / Double(rate)
      let (c, s, x) = (cos(phase), sin(phase), Double(sample))
      cc += c * c
      cs += c * s
      ss += s * s
      cx += c * x
      sx += s * x
    }
    let determinant = cc * ss - cs * cs
    guard abs(determinant) > 1e-6 else { return (0, 0) }
    return ((cx * ss - sx * cs) / determinant, (sx * cc - cx * cs) / determinant)
  }
}

extension [UInt8] {
  /// Linear samples of these bytes.
  var linear: [Int16] { withUnsafeBytes { Array<Int16>($0.bindMemory(to: Int16.self)) } }
}

extension [Int16] {
  var bytes: [UInt8] { withUnsafeBytes { Array<UInt8>($0) } }
}
