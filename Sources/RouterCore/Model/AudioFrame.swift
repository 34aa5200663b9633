/// How samples are written, and how many there are a second.
public struct AudioFormat: Hashable, Sendable, Codable {
  /// How one sample is written. Always one channel.
  public enum Encoding: String, Sendable, Codable {
    /// 16-bit signed, the machine's byte order (little-endian).
    case linear16
    /// G.711 µ-law, one byte.
    case muLaw
    /// G.711 A-law, one byte.
    case aLaw
  }

  public let encoding: Encoding
  /// Samples a second: 8000, 16000, 24000 or 48000.
  public let sampleRate: Int

  public init(_ encoding: Encoding, sampleRate: Int) {
    self.encoding = encoding
    self.sampleRate = sampleRate
  }

  /// Telephone audio of North America and Japan.
  public static let muLaw = AudioFormat(.muLaw, sampleRate: 8000)
  /// Telephone audio of the rest of the world.
  public static let aLaw = AudioFormat(.aLaw, sampleRate: 8000)
  /// Linear samples at `sampleRate`.
  public static func linear16(_ sampleRate: Int) -> AudioFormat {
    AudioFormat(.linear16, sampleRate: sampleRate)
  }

  /// 2 for linear samples, 1 for G.711.
  public var bytesPerSample: Int { encoding == .linear16 ? 2 : 1 }
}

/// A piece of sound. Frames from a call are 20 ms long; frames to a call may have any length.
///
/// The bytes are an array, so passing a frame on copies nothing; whoever made it may reuse the storage when nobody
/// kept it.
public struct AudioFrame: Sendable, Hashable {
  public let format: AudioFormat
  public var bytes: [UInt8]

  public init(_ format: AudioFormat, bytes: [UInt8]) {
    self.format = format
    self.bytes = bytes
  }

  /// A frame of linear samples.
  public init(samples: [Int16], sampleRate: Int) {
    self.init(.linear16(sampleRate), bytes: samples.withUnsafeBytes { Array($0) })
  }

  /// How many samples there are.
  public var sampleCount: Int { bytes.count / format.bytesPerSample }

  /// How long it sounds, in milliseconds.
  public var milliseconds: Int { sampleCount * 1000 / format.sampleRate }

  /// Reads linear samples in place. Only for ``AudioFormat/Encoding/linear16``.
  public func withSamples<Result>(_ body: (UnsafeBufferPointer<Int16>) throws -> Result) rethrows -> Result {
    precondition(format.encoding == .linear16, "not linear samples")
    return try bytes.withUnsafeBytes { try body($0.bindMemory(to: Int16.self)) }
  }
}
