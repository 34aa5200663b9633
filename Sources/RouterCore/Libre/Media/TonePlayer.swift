/// Keys as tones in the audio, frame by frame.
struct TonePlayer {
  private var tones: [UInt8] = []
  private var start = 0

  var isPlaying: Bool { start < tones.count }

  /// Begins to press keys; `,` waits half a second. At most ``TelephoneEventSender/maximumKeys`` characters.
  mutating func play(_ digits: String, as format: AudioFormat) {
    var samples: [Int16] = []
    for key in digits.prefix(TelephoneEventSender.maximumKeys) {
      samples += key == "," ? Array(repeating: 0, count: 4000) : KeyTones.samples(of: String(key))
    }
    tones.removeAll(keepingCapacity: true)
    start = 0
    var converter = AudioConverter(from: .linear16(8000), to: format)
    samples.withUnsafeBytes { converter?.convert($0, into: &tones) }
  }

  /// Lays the next piece over a frame, if there is any.
  mutating func fill(_ frame: UnsafeMutableRawBufferPointer) {
    guard isPlaying else { return }
    let count = min(frame.count, tones.count - start)
    tones.withUnsafeBytes {
      frame.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
    }
    start += count
    if !isPlaying { self = TonePlayer() }
  }
}
