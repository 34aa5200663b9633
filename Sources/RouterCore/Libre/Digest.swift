internal import CLibreShim

/// Message digests, by OpenSSL.
public enum Digest {
  /// Which digest.
  public enum Algorithm: Sendable {
    case md5, sha1, sha256
  }

  /// The digest of `bytes`: 16, 20 or 32 bytes.
  public static func hash(_ bytes: some Sequence<UInt8>, _ algorithm: Algorithm = .sha256) -> [UInt8] {
    let bytes = Array(bytes)
    return fill { shim_digest(algorithm.shim, bytes, bytes.count, $0) }
  }

  /// The keyed digest of `bytes` (HMAC, RFC 2104).
  public static func authenticate(
    _ bytes: some Sequence<UInt8>, key: some Sequence<UInt8>, _ algorithm: Algorithm = .sha256
  ) -> [UInt8] {
    let bytes = Array(bytes)
    let key = Array(key)
    return fill { shim_hmac(algorithm.shim, key, key.count, bytes, bytes.count, $0) }
  }

  /// Bytes as lower-case hexadecimal digits.
  public static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

  /// Whether two digests are the same, in a time that does not tell how far they agree.
  public static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func fill(_ body: (UnsafeMutablePointer<UInt8>) -> UInt32) -> [UInt8] {
    let digest = [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      count = Int(body(start))
    }
    precondition(!digest.isEmpty, "OpenSSL has no such digest")
    return digest
  }
}

extension Digest.Algorithm {
  fileprivate var shim: shim_hash {
    switch self {
    case .md5: SHIM_MD5
    case .sha1: SHIM_SHA1
    case .sha256: SHIM_SHA256
    }
  }
}
