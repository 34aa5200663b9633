internal import RouterCore

/// Sound that stands for speech: a hum that rises and falls with the letters of a text, so that it lasts as long as
/// the words would and has their gaps.
enum Babble {
  /// Milliseconds that one letter takes: a calm voice says some fourteen a second.
  static let letterMilliseconds = 70

  /// A text as sound, in one of the formats of ``AudioFormat``.
  static func sound(_ text: String, as format: AudioFormat) -> [UInt8] {
    let rate = format.sampleRate
    let count = rate * letterMilliseconds / 1000
    var samples: [Int16] = []
    samples.reserveCapacity(text.count * count)
    for letter in text.unicodeScalars {
      // A period of whole samples keeps it free of floating point: the same on every machine.
      let period = rate / (140 + Int(letter.value % 32) * 8)
      for index in 0..<count {
        let isGap = letter == " " || index > count * 4 / 5
        samples.append(isGap ? 0 : Int16(index % period * 12_000 / period - 6000))
      }
    }
    let frame = AudioFrame(samples: samples, sampleRate: rate)
    guard format.encoding != .linear16, var converter = AudioConverter(from: frame.format, to: format) else {
      return frame.bytes
    }
    return converter.convert(frame).bytes
  }
}
