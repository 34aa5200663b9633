/// Makes RTP payloads of one codec from audio in its ``AudioCodec/wireFormat``.
enum AudioEncoder {
  case g711
  case l16
  case g722(G722Encoder)
  case opus(OpusSpeechEncoder)

  /// `nil` when a codec's library has no memory.
  init?(_ codec: AudioCodec) {
    switch codec {
    case .pcmu, .pcma: self = .g711
    case .l16: self = .l16
    case .g722:
      guard let encoder = G722Encoder() else { return nil }
      self = .g722(encoder)
    case .opus:
      guard let encoder = OpusSpeechEncoder() else { return nil }
      self = .opus(encoder)
    }
  }

  /// Writes a payload and returns its length; 0 when it did not work. `output` has room for as many bytes as `audio`.
  func encode(_ audio: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    switch self {
    case .g711:
      output.copyMemory(from: audio)
      return audio.count
    case .l16:
      for index in stride(from: 0, to: audio.count & ~1, by: 2) {
        output[index] = audio[index + 1]
        output[index + 1] = audio[index]
      }
      return audio.count & ~1
    case .g722(let encoder): return withSamples(audio) { encoder.encode($0, into: output) }
    case .opus(let encoder): return withSamples(audio) { encoder.encode($0, into: output) }
    }
  }
}

/// The other way.
enum AudioDecoder {
  case g711
  case l16
  case g722(G722Decoder)
  case opus(OpusSpeechDecoder)

  /// `nil` when a codec's library has no memory.
  init?(_ codec: AudioCodec) {
    switch codec {
    case .pcmu, .pcma: self = .g711
    case .l16: self = .l16
    case .g722:
      guard let decoder = G722Decoder() else { return nil }
      self = .g722(decoder)
    case .opus:
      guard let decoder = OpusSpeechDecoder() else { return nil }
      self = .opus(decoder)
    }
  }

  /// Appends a payload's audio.
  func decode(_ payload: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    switch self {
    case .g711: output.append(contentsOf: payload)
    case .l16:
      for index in stride(from: 0, to: payload.count & ~1, by: 2) {
        output.append(payload[index + 1])
        output.append(payload[index])
      }
    case .g722(let decoder): decoder.decode(payload, into: &output)
    case .opus(let decoder): decoder.decode(payload, into: &output)
    }
  }
}

extension AudioCodec {
  /// How long a payload sounds, in timestamp units; 0 when it is no audio.
  func duration(of payload: UnsafeRawBufferPointer) -> Int {
    switch self {
    case .pcmu, .pcma, .g722: payload.count
    case .l16: payload.count / 2
    case .opus: OpusSpeechDecoder.duration(of: payload)
    }
  }
}
