/// Why a session description was not accepted.
public enum SDPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// More than ``SDPLimit`` allows of what is named.
  case tooLarge(String)
  /// Line number from 1, and what was wrong with it. Nothing of the line itself: it may hold a key.
  case malformed(line: Int, String)
  /// No `m=audio` that could be used, for the reason named.
  case noAudio(String)
  case noCommonCodec
  /// The peer demands encryption in a way that we do not have, or we demand it and it was not offered.
  case encryption(String)
  /// The peer's address is of a family (4 or 6) that we have no address for.
  case addressFamily(Int)
  /// An answer that does not fit our offer.
  case answer(String)

  /// The SIP status that says so: 400 for text that is no SDP, else 488.
  public var sipStatus: Int {
    switch self {
    case .tooLarge, .malformed: 400
    default: 488
    }
  }

  public var description: String {
    switch self {
    case .tooLarge(let what): "session description with too many or too long \(what)"
    case .malformed(let line, let what): "session description, line \(line): \(what)"
    case .noAudio(let why): "no usable audio: \(why)"
    case .noCommonCodec: "no common audio codec"
    case .encryption(let why): "encryption: \(why)"
    case .addressFamily(let family): "no IPv\(family) address of ours for the media"
    case .answer(let why): "the answer does not fit the offer: \(why)"
    }
  }
}

/// What a session description may hold at most; a longer one is an error, not work.
public enum SDPLimit {
  public static let bytes = 32_768
  public static let lines = 1024
  public static let lineBytes = 4096
  public static let media = 16
  /// Payload types of one `m=` line.
  public static let formats = 64
}
