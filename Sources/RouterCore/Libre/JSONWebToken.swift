internal import FoundationEssentials

/// Signed claims in compact form (RFC 7519, RFC 7515 section 3.1).
public enum JSONWebToken {
  /// How a token is signed. The key decides the algorithm, never the token's own header (RFC 8725 section 3.1).
  public enum Key: Sendable {
    /// HMAC with SHA-256 and this secret.
    case hs256([UInt8])
    /// RSA with SHA-256; PEM. Signs with a private key, verifies with a public one.
    case rs256(String)
  }

  /// Why a token is not believed.
  public enum Fault: Error, Hashable, Sendable {
    /// Not three parts, or a part is not what it should be.
    case malformed
    /// Another algorithm than the key's.
    case algorithm(String)
    case signature
  }

  /// Longer tokens are not looked at.
  public static let maximumBytes = 16 << 10

  /// A signed token; `nil` when the key cannot sign.
  public static func signed(_ claims: JSONValue, by key: Key) -> String? {
    let header: JSONValue = ["alg": .string(key.algorithm), "typ": "JWT"]
    let head = "\(encode(Array(header.text.utf8))).\(encode(Array(claims.text.utf8)))"
    let signature: [UInt8]? =
      switch key {
      case .hs256(let secret): Digest.authenticate(head.utf8, key: secret)
      case .rs256(let pem): Signature.rs256(Array(head.utf8), privateKey: pem)
      }
    return signature.map { "\(head).\(encode($0))" }
  }

  /// The claims of a token that this key signed. Times in them (`iat`, `exp`, `nbf`) are for the caller to judge.
  public static func verified(_ token: String, by key: Key) throws(Fault) -> JSONValue {
    guard token.utf8.count <= maximumBytes else { throw .malformed }
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let header = json(parts[0]), let signature = decode(parts[2]),
      case .object = header
    else { throw .malformed }
    let algorithm = header["alg"]?.string ?? ""
    guard algorithm == key.algorithm else { throw .algorithm(String(algorithm.prefix(32))) }
    // An extension that must be understood, and we understand none (RFC 7515 section 4.1.11).
    guard header["crit"] == nil else { throw .malformed }
    let head = Array("\(parts[0]).\(parts[1])".utf8)
    let isRight =
      switch key {
      case .hs256(let secret): Digest.isEqual(Digest.authenticate(head, key: secret), signature)
      case .rs256(let pem): Signature.isRS256(signature, of: head, by: pem)
      }
    guard isRight else { throw .signature }
    guard let claims = json(parts[1]), case .object = claims else { throw .malformed }
    return claims
  }

  private static func json(_ part: Substring) -> JSONValue? {
    // What is not JSON is no token.
    decode(part).flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0)) }
  }

  /// Base64 with the alphabet for URLs, without padding (RFC 7515 section 2).
  private static func encode(_ bytes: [UInt8]) -> String {
    var text = Data(bytes).base64EncodedString()
    while text.hasSuffix("=") { text.removeLast() }
    return String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
  }

  private static func decode(_ text: Substring) -> [UInt8]? {
    // The other alphabet's signs and padding have no place here.
    guard
      !text.utf8.contains(where: { [UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "=")].contains($0) })
    else { return nil }
    var text = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    while text.utf8.count % 4 != 0 { text += "=" }
    return Data(base64Encoded: text).map(Array.init)
  }
}

extension JSONWebToken.Key {
  fileprivate var algorithm: String {
    switch self {
    case .hs256: "HS256"
    case .rs256: "RS256"
    }
  }
}
