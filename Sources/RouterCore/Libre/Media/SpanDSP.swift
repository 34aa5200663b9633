internal import CSpanDSP

/// G.722 at 64 kbit/s: 16 kHz samples to half as many bytes.
final class G722Encoder {
  private let state: OpaquePointer

  init?() {
    guard let state = g722_encode_init(nil, 64000, 0) else { return nil }
    self.state = state
  }

  deinit { g722_encode_free(state) }

  /// Writes the bytes of an even number of samples; returns how many. `output` has room for half of `samples`.
  func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int {
    precondition(output.count >= samples.count / 2, "no room for G.722")
    let bytes = output.assumingMemoryBound(to: UInt8.self).baseAddress
    return Int(g722_encode(state, bytes, samples.baseAddress, Int32(samples.count & ~1)))
  }
}

/// The other way.
final class G722Decoder {
  private let state: OpaquePointer
  private var samples: [Int16] = []

  init?() {
    guard let state = g722_decode_init(nil, 64000, 0) else { return nil }
    self.state = state
  }

  deinit { g722_decode_free(state) }

  /// Appends the samples, as bytes.
  func decode(_ payload: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    if samples.count < payload.count * 2 { samples = Array(repeating: 0, count: payload.count * 2) }
    let bytes = payload.assumingMemoryBound(to: UInt8.self).baseAddress
    let made = samples.withUnsafeMutableBufferPointer {
      g722_decode(state, $0.baseAddress, bytes, Int32(payload.count))
    }
    samples.withUnsafeBytes { output.append(contentsOf: $0.prefix(Int(made) * 2)) }
  }
}

/// Hears key tones in telephone audio (Goertzel filters, ITU-T Q.24).
final class KeyToneDetector {
  private let state: OpaquePointer

  init?() {
    guard let state = dtmf_rx_init(nil, nil, nil) else { return nil }
    self.state = state
  }

  deinit { dtmf_rx_free(state) }

  /// Keys that were recognised in these 8 kHz samples; each once, when its tone has lasted 40 ms or so.
  func keys(in samples: UnsafeBufferPointer<Int16>) -> [Character] {
    _ = dtmf_rx(state, samples.baseAddress, Int32(samples.count))
    var found = [CChar](repeating: 0, count: 16)
    let count = dtmf_rx_get(state, &found, Int32(found.count - 1))
    return found.prefix(count).map { Character(UnicodeScalar(UInt8(bitPattern: $0))) }
  }
}

/// Makes key tones.
enum KeyTones {
  /// 8 kHz samples of `keys` pressed one after the other, with a pause after each. Only `0-9*#A-D`, at most 64.
  static func samples(of keys: String, press: Int = 100, pause: Int = 80) -> [Int16] {
    guard let state = dtmf_tx_init(nil) else { return [] }
    defer { dtmf_tx_free(state) }
    dtmf_tx_set_timing(state, Int32(press), Int32(pause))
    let keys = keys.uppercased().filter { "0123456789*#ABCD".contains($0) }.prefix(64)
    _ = dtmf_tx_put(state, String(keys), -1)
    var samples = [Int16](repeating: 0, count: keys.count * (press + pause) * 8)
    let made = dtmf_tx(state, &samples, Int32(samples.count))
    return Array(samples.prefix(Int(made)))
  }
}
