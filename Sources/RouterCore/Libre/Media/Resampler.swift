internal import CSpeexDSP

/// Changes the sample rate of one stream with a band-limiting filter (speexdsp).
///
/// librem's has a filter for 48 kHz alone and loses 21 dB at 1.5 kHz between 8 and 16 kHz.
/// (docs/decisions/0021-audio-libraries.md)
final class Resampler {
  private let state: OpaquePointer
  private let ratio: Double

  /// Quality 3 of 10: flat within 0.1 dB to 3 kHz for telephone audio, at 4 to 5 µs for 20 ms.
  private static let quality: Int32 = 3

  /// `nil` for a rate that is no audio's, or without memory.
  init?(from: Int, to: Int) {
    guard (4000...192_000).contains(from), (4000...192_000).contains(to) else { return nil }
    guard let state = speex_resampler_init(1, UInt32(from), UInt32(to), Resampler.quality, nil) else {
      return nil
    }
    self.state = state
    ratio = Double(to) / Double(from)
  }

  deinit { speex_resampler_destroy(state) }

  /// Appends what `input` becomes. The filter delays the stream by a millisecond or two.
  func process(_ input: UnsafeBufferPointer<Int16>, into output: inout [Int16]) {
    var rest = input[...]
    let most = Int(Double(input.count) * ratio) + 16
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: most))
    var written = start
    output.withUnsafeMutableBufferPointer { output in
      while !rest.isEmpty, written < output.count {
        var taken = UInt32(rest.count)
        var made = UInt32(output.count - written)
        let from = UnsafeBufferPointer(rebasing: rest).baseAddress
        let to = UnsafeMutableBufferPointer(rebasing: output[written...]).baseAddress
        guard speex_resampler_process_int(state, 0, from, &taken, to, &made) == 0, taken + made > 0 else {
          return
        }
        rest = rest.dropFirst(Int(taken))
        written += Int(made)
      }
    }
    output.removeLast(output.count - written)
  }
}
