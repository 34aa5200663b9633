/// The server's side of digest authentication (RFC 7616, RFC 3261 section 22): makes challenges and checks what comes
/// back. Nonces are signed with their time, so nothing is kept for a challenge that nobody answers; of those that
/// were used the highest count is remembered. May be shared between threads.
public final class SIPAuthenticator: Sendable {
  public enum Verdict: Sendable, Hashable {
    /// The password was right.
    case accepted(username: String)
    /// Nothing for this realm was presented, or the nonce is too old (`stale`): refuse with ``challenge(stale:)``.
    case challenge(stale: Bool)
    /// Wrong password, unknown user, a nonce that is not ours, a count that was used before.
    case refused
  }

  /// Nonces whose counts are remembered; beyond them the oldest are forgotten, and asked for anew as stale.
  public static let maximumNonces = 16_384

  private struct Counts {
    var highest: [String: UInt32] = [:]
    /// A ring: the nonce and when it was made.
    var order: [(nonce: String, made: UInt64)] = []
    var oldest = 0
    /// Nonces made up to then may have been forgotten.
    var forgotten: UInt64?
  }

  public let realm: String
  private let lifetime: Duration
  private let key: [UInt8]
  private let counts = Lock(Counts())
  private let start = ContinuousClock.now

  /// - Parameter nonceLifetime: How long a challenge may be answered, and its nonce be used again.
  public init(realm: String, nonceLifetime: Duration = .seconds(60)) {
    self.realm = realm
    lifetime = nonceLifetime
    var random = SystemRandomNumberGenerator()
    key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  private var now: UInt64 { (ContinuousClock.now - start).wholeMilliseconds }

  /// What to refuse with: 401 with `WWW-Authenticate` (we are an endpoint, section 22.2). MD5 stands first,
  /// although it is the weaker one: much equipment reads one challenge only, and gives up at an algorithm that it does
  /// not know (decision 72). Who knows both is free to take SHA-256.
  public func challenge(stale: Bool = false) -> SIPReply {
    let nonce = nonce(at: now)
    let headers = [SIPDigest.Algorithm.md5, .sha256].map { algorithm in
      Header(
        "WWW-Authenticate",
        "Digest realm=\(SIPAddress.quoted(realm)), nonce=\"\(nonce)\", algorithm=\(algorithm.rawValue), "
          + "qop=\"auth\"" + (stale ? ", stale=true" : ""))
    }
    return SIPReply(401, headers: headers)
  }

  /// Checks a request. `password` gives the password of a user of this realm, `nil` when there is no such user.
  public func verify(_ request: SIPRequest, password: (_ username: String) -> String?) -> Verdict {
    verify(
      request.headers.values(.authorization) + request.headers.values(.proxyAuthorization),
      method: request.method.name, uri: request.uriText, at: now, password: password)
  }

  /// The same with everything given.
  func verify(
    _ values: [String], method: String, uri: String, at now: UInt64, password: (String) -> String?
  ) -> Verdict {
    let presented = values.lazy.compactMap { SIPDigest.fields($0) }.first { $0["realm"] == self.realm }
    guard let presented else { return .challenge(stale: false) }
    guard let nonce = presented["nonce"], let made = time(of: nonce) else { return .challenge(stale: true) }
    guard let username = presented["username"], let response = presented["response"],
      let digestURI = presented["uri"], SIPAuthenticator.isSameTarget(digestURI, uri),
      let algorithm = SIPDigest.Algorithm.allCases.first(where: {
        $0.rawValue.equalsFolded(presented["algorithm"] ?? "MD5")
      }), presented["qop"]?.equalsFolded("auth") == true, let count = presented["nc"],
      let clientNonce = presented["cnonce"], let number = UInt32(count, radix: 16), count.utf8.count == 8,
      let password = password(username)
    else { return .refused }
    let expected = SIPDigest.response(
      algorithm, username: username, realm: realm, password: password,
      SIPDigest.Context(
        method: method, uri: digestURI, nonce: nonce, count: count, clientNonce: clientNonce))
    guard Digest.isEqual(Array(expected.utf8), Array(response.lowercased().utf8)) else { return .refused }
    // Only who knows the password learns that the nonce was too old.
    guard now &- made <= lifetime.wholeMilliseconds else { return .challenge(stale: true) }
    return use(nonce, made, number) ?? .accepted(username: username)
  }

  // MARK: Nonces

  /// The time, and a signature over it.
  func nonce(at milliseconds: UInt64) -> String {
    let salt = UInt32.random(in: .min ... .max)
    let time = String(milliseconds, radix: 16) + "." + String(salt, radix: 16)
    return time + "." + signature(time)
  }

  private func signature(_ text: String) -> String {
    Digest.hexadecimal(Digest.authenticate((realm + "\n" + text).utf8, key: key).prefix(16))
  }

  private func time(of nonce: String) -> UInt64? {
    let parts = nonce.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let made = UInt64(parts[0], radix: 16),
      Digest.isEqual(Array(signature("\(parts[0]).\(parts[1])").utf8), Array(parts[2].utf8))
    else { return nil }
    return made
  }

  /// Counts must grow: the same credentials twice are somebody else's (RFC 7616 section 3.4.3). `nil` when all is well.
  private func use(_ nonce: String, _ made: UInt64, _ number: UInt32) -> Verdict? {
    counts.withLock { counts in
      if let highest = counts.highest[nonce] {
        guard number > highest else { return .refused }
        counts.highest[nonce] = number
        return nil
      }
      if let forgotten = counts.forgotten, made <= forgotten { return .challenge(stale: true) }
      counts.highest[nonce] = number
      if counts.order.count < SIPAuthenticator.maximumNonces {
        counts.order.append((nonce, made))
      } else {
        let old = counts.order[counts.oldest]
        counts.highest[old.nonce] = nil
        counts.forgotten = max(counts.forgotten ?? 0, old.made)
        counts.order[counts.oldest] = (nonce, made)
        counts.oldest = (counts.oldest + 1) % SIPAuthenticator.maximumNonces
      }
      return nil
    }
  }

  /// `uri=` must be the Request-URI; proxies on the way may have changed its parameters or host, not the user.
  private static func isSameTarget(_ digest: String, _ request: String) -> Bool {
    if digest == request { return true }
    guard let a = SIPURI(digest), let b = SIPURI(request) else { return false }
    return a.user == b.user
  }
}
