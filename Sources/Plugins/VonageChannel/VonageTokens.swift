internal import FoundationEssentials
internal import RouterCore

/// Tokens of applications, for REST: a signature costs a millisecond, so each serves until shortly before its end.
final class VonageTokens: Sendable {
  private struct Kept {
    var token: String
    var end: Int
  }

  /// How long a token serves, and how long before its end it is replaced: what was sent with it may be on its way.
  static let seconds = 900
  static let margin = 60
  /// Accounts whose token is kept; with more, all are signed anew.
  private static let maximumKept = 1000

  private let kept = Lock<[[UInt8]: Kept]>([:])

  /// The application's token; `nil` when the account has no key that can sign one.
  /// - Parameter now: Seconds since 1970.
  func token(_ account: VonageAccount, now: Int) -> String? {
    guard let key = account.privateKey, let application = account.applicationId else { return nil }
    // A reload may bring another key under the same name.
    let name = Digest.hash("\(application)\n\(key)".utf8)
    if let found = kept.withLock({ $0[name] }), found.end - VonageTokens.margin > now,
      found.end - VonageTokens.seconds <= now
    {
      return found.token
    }
    guard let token = VonageTokens.sign(application, key, now: now) else { return nil }
    kept.withLock { kept in
      if kept.count >= VonageTokens.maximumKept { kept = [:] }
      kept[name] = Kept(token: token, end: now + VonageTokens.seconds)
    }
    return token
  }

  /// https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens
  private static func sign(_ application: String, _ key: String, now: Int) -> String? {
    let claims: JSONValue = [
      "application_id": .string(application), "iat": .integer(now), "exp": .integer(now + seconds),
      "jti": .string(UUID().uuidString.lowercased()),
    ]
    return JSONWebToken.signed(claims, by: .rs256(key))
  }
}
