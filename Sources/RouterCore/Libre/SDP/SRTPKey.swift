/// How SRTP encrypts and authenticates.
public enum SRTPSuite: String, Sendable, Hashable, CaseIterable {
  /// RFC 4568 section 6.2.1.
  case aes128sha80 = "AES_CM_128_HMAC_SHA1_80"
  /// RFC 4568 section 6.2.2.
  case aes128sha32 = "AES_CM_128_HMAC_SHA1_32"
  /// RFC 6188; `AES_CM_256_…` is met as well.
  case aes256sha80 = "AES_256_CM_HMAC_SHA1_80"
  case aes256sha32 = "AES_256_CM_HMAC_SHA1_32"
  /// RFC 7714.
  case gcm128 = "AEAD_AES_128_GCM"
  case gcm256 = "AEAD_AES_256_GCM"

  /// Length of master key and master salt together, in bytes.
  public var keyLength: Int {
    switch self {
    case .aes128sha80, .aes128sha32: 30
    case .aes256sha80, .aes256sha32: 46
    case .gcm128: 28
    case .gcm256: 44
    }
  }
}

/// A master key with its salt. Never printed.
public struct SRTPKey: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  public let suite: SRTPSuite
  /// Key, then salt; ``SRTPSuite/keyLength`` bytes.
  let bytes: [UInt8]

  /// `nil` when the length does not fit the suite.
  public init?(_ suite: SRTPSuite, bytes: [UInt8]) {
    guard bytes.count == suite.keyLength else { return nil }
    self.suite = suite
    self.bytes = bytes
  }

  /// A new random key.
  public static func random(_ suite: SRTPSuite) -> SRTPKey {
    var system = SystemRandomNumberGenerator()
    let bytes = (0..<suite.keyLength).map { _ in UInt8.random(in: .min ... .max, using: &system) }
    return SRTPKey(suite, unchecked: bytes)
  }

  private init(_ suite: SRTPSuite, unchecked bytes: [UInt8]) {
    self.suite = suite
    self.bytes = bytes
  }

  public var description: String { "\(suite.rawValue) key" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
