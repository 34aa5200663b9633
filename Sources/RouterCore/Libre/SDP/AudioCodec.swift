/// A way to write audio into RTP packets. The raw value is the word for it in settings.
public enum AudioCodec: String, Sendable, Hashable, Codable, CaseIterable {
  /// G.711 µ-law, 8 kHz (RFC 3551 section 4.5.14).
  case pcmu
  /// G.711 A-law, 8 kHz (RFC 3551 section 4.5.14).
  case pcma
  /// G.722, 16 kHz; its RTP clock is 8 kHz by an old mistake (RFC 3551 section 4.5.2).
  case g722
  /// Opus, always 48 kHz and two channels in SDP, whatever is inside (RFC 7587).
  case opus
  /// Linear samples in network byte order, 16 kHz, one channel (RFC 3551 section 4.5.11).
  case l16

  /// The encoding name in `a=rtpmap`; compared without case.
  public var name: String {
    switch self {
    case .pcmu: "PCMU"
    case .pcma: "PCMA"
    case .g722: "G722"
    case .opus: "opus"
    case .l16: "L16"
    }
  }

  /// The same in capitals.
  var upperCaseName: String { self == .opus ? "OPUS" : name }

  /// RTP timestamp units a second.
  public var clockRate: Int {
    switch self {
    case .pcmu, .pcma, .g722: 8000
    case .opus: 48000
    case .l16: 16000
    }
  }

  /// The channel count in `a=rtpmap`.
  public var channels: Int { self == .opus ? 2 : 1 }

  /// The payload type that needs no `a=rtpmap` (RFC 3551 section 6).
  public var staticPayloadType: UInt8? {
    switch self {
    case .pcmu: 0
    case .pcma: 8
    case .g722: 9
    case .opus, .l16: nil
    }
  }

  /// What the wire carries, as a voice model sees it: G.711 as it is, everything else as linear samples.
  public var wireFormat: AudioFormat {
    switch self {
    case .pcmu: .muLaw
    case .pcma: .aLaw
    case .g722, .l16: .linear16(16000)
    case .opus: .linear16(24000)
    }
  }

  /// What we say about it in `a=fmtp`, if anything.
  var formatParameters: String? {
    self == .opus ? "useinbandfec=1;maxplaybackrate=24000;sprop-maxcapturerate=24000" : nil
  }
}
