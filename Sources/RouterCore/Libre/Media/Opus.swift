internal import COpus

/// Opus for speech, 24 kHz mono (RFC 6716).
final class OpusSpeechEncoder {
  private let state: OpaquePointer

  init?() {
    var error: Int32 = 0
    guard let state = opus_encoder_create(24000, 1, OPUS_APPLICATION_VOIP, &error), error == OPUS_OK else {
      return nil
    }
    self.state = state
    // Enough for clear wideband speech; complexity 5 halves the cost of 10 and is not told apart on a telephone.
    for (request, value) in [
      (OPUS_SET_BITRATE_REQUEST, 28000), (OPUS_SET_COMPLEXITY_REQUEST, 5), (OPUS_SET_INBAND_FEC_REQUEST, 1),
      (OPUS_SET_PACKET_LOSS_PERC_REQUEST, 5), (OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE),
    ] {
      _ = shim_opus_encoder_set(state, request, Int32(value))
    }
  }

  deinit { opus_encoder_destroy(state) }

  /// Encodes 10, 20, 40 or 60 ms; returns the length of the packet, 0 when it failed.
  func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int {
    guard let from = samples.baseAddress, let to = output.assumingMemoryBound(to: UInt8.self).baseAddress
    else {
      return 0
    }
    return max(0, Int(opus_encode(state, from, Int32(samples.count), to, Int32(output.count))))
  }
}

/// The other way; takes any Opus stream, stereo too.
final class OpusSpeechDecoder {
  private let state: OpaquePointer
  private var samples: [Int16] = []

  init?() {
    var error: Int32 = 0
    guard let state = opus_decoder_create(24000, 1, &error), error == OPUS_OK else { return nil }
    self.state = state
  }

  deinit { opus_decoder_destroy(state) }

  /// Appends the samples of a packet, as bytes; nothing when it cannot be read.
  func decode(_ payload: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    if payload.isEmpty { return }  // would mean concealment
    decode(payload, samples: 24 * 120, recovering: 0, into: &output)
  }

  /// Appends `count` samples in the place of a lost packet: from what the packet after it repeats of it (forward error
  /// correction), or, without that packet, from what was said before.
  func conceal(_ count: Int, following: UnsafeRawBufferPointer?, into output: inout [UInt8]) {
    let following = following ?? UnsafeRawBufferPointer(start: nil, count: 0)
    decode(following, samples: count, recovering: following.isEmpty ? 0 : 1, into: &output)
  }

  private func decode(
    _ payload: UnsafeRawBufferPointer, samples count: Int, recovering: Int32, into output: inout [UInt8]
  ) {
    if samples.count < count { samples = Array(repeating: 0, count: count) }
    let bytes = payload.assumingMemoryBound(to: UInt8.self).baseAddress
    let made = samples.withUnsafeMutableBufferPointer { samples in
      guard let base = samples.baseAddress else { return Int32(0) }
      return opus_decode(state, bytes, Int32(payload.count), base, Int32(count), recovering)
    }
    guard made > 0 else { return }
    samples.withUnsafeBytes { output.append(contentsOf: $0.prefix(Int(made) * 2)) }
  }

  /// How long a packet sounds, in RTP units (48 kHz, RFC 7587 section 4.1); 0 when it is none.
  static func duration(of payload: UnsafeRawBufferPointer) -> Int {
    guard let bytes = payload.assumingMemoryBound(to: UInt8.self).baseAddress, !payload.isEmpty else {
      return 0
    }
    return max(0, Int(opus_packet_get_nb_samples(bytes, Int32(payload.count), 48000)))
  }
}
