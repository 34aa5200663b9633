/// Turns one stream's audio from one format into another: decoding, resampling, encoding, whatever is needed.
///
/// Keeps the filter's memory between frames, so each stream needs its own. Buffers are reused.
public struct AudioConverter {
  public let from: AudioFormat
  public let to: AudioFormat
  private let resampler: Resampler?
  private var decoded: [Int16] = []
  private var resampled: [Int16] = []

  /// `nil` for a sample rate that is no audio's.
  public init?(from: AudioFormat, to: AudioFormat) {
    self.from = from
    self.to = to
    if from.sampleRate == to.sampleRate {
      resampler = nil
    } else {
      guard let made = Resampler(from: from.sampleRate, to: to.sampleRate) else { return nil }
      resampler = made
    }
  }

  /// The same sound in the other format. `frame` has the format ``from``.
  public mutating func convert(_ frame: AudioFrame) -> AudioFrame {
    var bytes: [UInt8] = []
    frame.bytes.withUnsafeBytes { convert($0, into: &bytes) }
    return AudioFrame(to, bytes: bytes)
  }

  /// Appends the converted audio. Half a sample at the end is dropped.
  mutating func convert(_ input: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    if from == to {
      output.append(contentsOf: input)
      return
    }
    if resampler == nil, from.encoding == .linear16 {
      withSamples(input) { encode($0, into: &output) }
      return
    }
    decoded.removeAll(keepingCapacity: true)
    decode(input)
    guard let resampler else { return decoded.withUnsafeBufferPointer { encode($0, into: &output) } }
    resampled.removeAll(keepingCapacity: true)
    decoded.withUnsafeBufferPointer { resampler.process($0, into: &resampled) }
    resampled.withUnsafeBufferPointer { encode($0, into: &output) }
  }

  private mutating func decode(_ input: UnsafeRawBufferPointer) {
    if from.encoding == .linear16 {
      withSamples(input) { decoded.append(contentsOf: $0) }
    } else {
      G711.decode(input, from.encoding, into: &decoded)
    }
  }

  private func encode(_ samples: UnsafeBufferPointer<Int16>, into output: inout [UInt8]) {
    if to.encoding == .linear16 {
      output.append(contentsOf: UnsafeRawBufferPointer(samples))
    } else {
      G711.encode(samples, to.encoding, into: &output)
    }
  }
}

/// Reads bytes as samples; copies when they do not lie on a sample's boundary.
func withSamples<Result>(
  _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeBufferPointer<Int16>) -> Result
) -> Result {
  let whole = UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count & ~1))
  guard let start = whole.baseAddress else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
  if Int(bitPattern: start) % MemoryLayout<Int16>.alignment == 0 {
    return body(whole.assumingMemoryBound(to: Int16.self))
  }
  let copy = (0..<whole.count / 2).map { whole.loadUnaligned(fromByteOffset: $0 * 2, as: Int16.self) }
  return copy.withUnsafeBufferPointer(body)
}
