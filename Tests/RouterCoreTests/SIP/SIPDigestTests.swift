import Testing

@testable import RouterCore

@Suite struct SIPDigestTests {
  // The first is the example of RFC 2617 section 3.5 and RFC 7616 section 3.9.1 with MD5.
  @Test(
    arguments: [
      (
        SIPDigest.Algorithm.md5, "Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "/dir/index.html",
        "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b", "6629fae49393a05397450978507c4ef1"
      ),
      (
        .md5, "1001", "example.test", "secret", "REGISTER", "sip:example.test", "abc123", nil, nil,
        "49a26e5b15fe154d1e6ef1411d82b120"
      ),
      (
        .md5, "1001", "example.test", "secret", "REGISTER", "sip:example.test", "abc123", "00000001", "f00d",
        "da3cd1d957e6decc818d42e4a7c01695"
      ),
      (
        .sha256, "1001", "example.test", "secret", "REGISTER", "sip:example.test", "abc123", "00000001",
        "f00d",
        "5837aef6d3a6782cf3d1bd962e0893c6cdc982d38db41ab9cd27c6739af968c2"
      ),
    ] as [(SIPDigest.Algorithm, String, String, String, String, String, String, String?, String?, String)])
  func vectors(
    _ algorithm: SIPDigest.Algorithm, _ user: String, _ realm: String, _ password: String, _ method: String,
    _ uri: String, _ nonce: String, _ count: String?, _ clientNonce: String?, _ response: String
  ) {
    let context = SIPDigest.Context(
      method: method, uri: uri, nonce: nonce, count: count, clientNonce: clientNonce)
    #expect(
      SIPDigest.response(algorithm, username: user, realm: realm, password: password, context) == response)
  }

  @Test(
    arguments: [
      ("Digest realm=\"r\", nonce=\"n\"", true),
      ("digest realm=\"r\", nonce=\"n\", algorithm=sha-256, qop=\"auth,auth-int\"", true),
      ("Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", false), ("Basic realm=\"r\"", false),
      ("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", false), ("Digest realm=\"r\"", false),
      ("", false),
    ] as [(String, Bool)])
  func challenges(_ value: String, _ isUsable: Bool) {
    #expect((SIPDigest.Challenge(value) != nil) == isUsable)
  }

  /// A challenge of ours, answered by ourselves.
  private func answer(
    _ authenticator: SIPAuthenticator, _ number: Int, password: String = "secret", count: Int = 1,
    uri: String = "sip:h", nonce: String? = nil
  ) throws -> String {
    let header = authenticator.challenge().headers[number].value
    var challenge = try #require(SIPDigest.Challenge(header))
    if let nonce { challenge.nonce = nonce }
    return SIPDigest.authorization(
      challenge, SIPCredentials(username: "u", password: password), method: "INVITE", uri: uri, count: count,
      clientNonce: "c")
  }

  private func verdict(
    _ authenticator: SIPAuthenticator, _ value: String, uri: String = "sip:h", at now: UInt64 = 0
  ) -> SIPAuthenticator.Verdict {
    authenticator.verify([value], method: "INVITE", uri: uri, at: now) { $0 == "u" ? "secret" : nil }
  }

  @Test(arguments: [0, 1]) func rightPasswordIsAccepted(_ challenge: Int) throws {
    let authenticator = SIPAuthenticator(realm: "home \"1\"")
    #expect(
      verdict(authenticator, try answer(authenticator, challenge), at: 1) == .accepted(username: "u"))
  }

  @Test func whatIsNotAccepted() throws {
    let authenticator = SIPAuthenticator(realm: "home")
    #expect(verdict(authenticator, "") == .challenge(stale: false))
    let foreign = SIPAuthenticator(realm: "elsewhere")
    #expect(verdict(authenticator, try answer(foreign, 0)) == .challenge(stale: false))
    let stranger = SIPAuthenticator(realm: "home")
    #expect(verdict(authenticator, try answer(stranger, 0)) == .challenge(stale: true))
    #expect(verdict(authenticator, try answer(authenticator, 0, password: "guess")) == .refused)
    #expect(verdict(authenticator, try answer(authenticator, 0, uri: "sip:x@h")) == .refused)
    #expect(
      verdict(authenticator, try answer(authenticator, 0).replacing("qop=auth", with: "qop=none")) == .refused
    )
  }

  @Test func noncesGrowOld() throws {
    let authenticator = SIPAuthenticator(realm: "home", nonceLifetime: .seconds(60))
    let nonce = authenticator.nonce(at: 1000)
    let value = try answer(authenticator, 0, nonce: nonce)
    #expect(verdict(authenticator, value, at: 61_001) == .challenge(stale: true))
    #expect(verdict(authenticator, value, at: 61_000) == .accepted(username: "u"))
  }

  @Test func countsMustGrow() throws {
    let authenticator = SIPAuthenticator(realm: "home")
    let nonce = authenticator.nonce(at: 0)
    let outcomes = try [1, 1, 3, 2, 4].map { count in
      verdict(authenticator, try answer(authenticator, 0, count: count, nonce: nonce))
    }
    #expect(
      outcomes == [
        .accepted(username: "u"), .refused, .accepted(username: "u"), .refused, .accepted(username: "u"),
      ])
  }

  @Test func forgottenNoncesAreNotTakenAgain() throws {
    let authenticator = SIPAuthenticator(realm: "home")
    let first = try answer(authenticator, 1, nonce: authenticator.nonce(at: 0))
    #expect(verdict(authenticator, first) == .accepted(username: "u"))
    for time in 1...SIPAuthenticator.maximumNonces {
      let value = try answer(authenticator, 1, nonce: authenticator.nonce(at: UInt64(time)))
      #expect(verdict(authenticator, value, at: UInt64(time)) == .accepted(username: "u"))
    }
    #expect(verdict(authenticator, first) == .challenge(stale: true))
  }
}
