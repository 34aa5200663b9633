internal import RouterCore

/// Signed webhooks: a token of HS256 in `Authorization`, with the hash of what was sent
/// (https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks).
enum VonageSignature {
  /// How old, or how far ahead of our clock, a token may be.
  static let toleranceSeconds = 300

  /// Why a webhook is not believed; the words are for the log.
  enum Verdict: Hashable, Sendable {
    case right(account: Int)
    case unsigned, forged, tampered, stale
  }

  /// Which of the accounts signed the request.
  /// - Parameter now: Seconds since 1970.
  static func verdict(_ request: HTTPServerRequest, _ accounts: [VonageAccount], now: Int) -> Verdict {
    guard let token = token(of: request) else { return .unsigned }
    for (index, account) in accounts.enumerated() {
      guard let claims = claims(of: token, account) else { continue }
      guard let hash = claims["payload_hash"]?.string?.lowercased(),
        hashes(of: request).contains(where: { Digest.isEqual(Array($0.utf8), Array(hash.utf8)) })
      else { return .tampered }
      let (now, tolerance) = (Double(now), Double(toleranceSeconds))
      guard let issued = claims["iat"]?.number, abs(issued - now) <= tolerance,
        claims["exp"]?.number ?? .infinity >= now - tolerance,  // RFC 7519 sections 4.1.4 and 4.1.5
        claims["nbf"]?.number ?? 0 <= now + tolerance
      else { return .stale }
      return .right(account: index)
    }
    return .forged
  }

  static func token(of request: HTTPServerRequest) -> String? {
    guard let header = request.header("Authorization"), header.lowercased().hasPrefix("bearer ") else {
      return nil
    }
    return String(header.dropFirst(7).drop { $0 == " " })
  }

  private static func claims(of token: String, _ account: VonageAccount) -> JSONValue? {
    for secret in account.secrets {
      // Another account's, or nobody's: the next secret may fit.
      guard let claims = try? JSONWebToken.verified(token, by: .hs256(Array(secret.utf8))) else { continue }
      let isOurs =
        account.apiKey.map { claims["api_key"]?.string == $0 } ?? true
        && account.applicationId.map { claims["application_id"]?.string == $0 } ?? true
      if isOurs { return claims }
    }
    return nil
  }

  /// What the hash may have been made over: the body; of a GET, its query as a JSON object in the order of its fields.
  private static func hashes(of request: HTTPServerRequest) -> [String] {
    let content = request.body.isEmpty ? Array(json(FormFields(parsing: request.query)).utf8) : request.body
    return [Digest.hexadecimal(Digest.hash(content))]
  }

  static func json(_ fields: FormFields) -> String {
    func quoted(_ text: String) -> String { JSONValue.string(text).text }
    return "{" + fields.all.map { "\(quoted($0.name)):\(quoted($0.value))" }.joined(separator: ",") + "}"
  }
}
