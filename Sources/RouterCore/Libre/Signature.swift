internal import CLibreShim

/// Signatures with private and public keys, by OpenSSL.
public enum Signature {
  /// Whether an Ed25519 signature (64 bytes) on `bytes` is that of the owner of the public key (32 bytes), RFC 8032.
  /// Anything of another length is wrong.
  public static func isEd25519(_ signature: [UInt8], of bytes: [UInt8], by publicKey: [UInt8]) -> Bool {
    guard signature.count == 64, publicKey.count == 32 else { return false }
    return shim_ed25519_verify(publicKey, signature, bytes, bytes.count)
  }

  /// The Ed25519 signature of `bytes` by the private key (32 bytes); `nil` when that is no key.
  public static func ed25519(_ bytes: [UInt8], privateKey: [UInt8]) -> [UInt8]? {
    guard privateKey.count == 32 else { return nil }
    return fill(64) { shim_ed25519_sign(privateKey, bytes, bytes.count, $0) }
  }

  /// The public key that belongs to a private one (32 bytes each); `nil` when that is no key.
  public static func ed25519PublicKey(of privateKey: [UInt8]) -> [UInt8]? {
    guard privateKey.count == 32 else { return nil }
    return fill(32) { shim_ed25519_public(privateKey, $0) }
  }

  /// The RS256 signature of `bytes` (RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 section 3.3).
  /// - Parameter privateKey: PEM, PKCS #1 or #8, without a pass phrase, at most 8192 bits.
  /// - Returns: `nil` when it is not such a key.
  public static func rs256(_ bytes: [UInt8], privateKey: String) -> [UInt8]? {
    let room = 1024
    return fill(room) {
      shim_rs256_sign(privateKey, privateKey.utf8.count, bytes, bytes.count, $0, room)
    }
  }

  /// Whether an RS256 signature on `bytes` is that of the owner of the public key (PEM).
  public static func isRS256(_ signature: [UInt8], of bytes: [UInt8], by publicKey: String) -> Bool {
    shim_rs256_verify(
      publicKey, publicKey.utf8.count, signature, signature.count, bytes, bytes.count)
  }

  private static func fill(_ room: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) -> [UInt8]? {
    let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      count = body(start)
    }
    return bytes.isEmpty ? nil : bytes
  }
}
