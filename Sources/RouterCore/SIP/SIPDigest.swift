/// Digest access authentication (RFC 7616; RFC 3261 section 22), the arithmetic of it.
enum SIPDigest {
  /// A hash that challenges name.
  enum Algorithm: String, Sendable, CaseIterable {
    case md5 = "MD5"
    case sha256 = "SHA-256"

    var digest: Digest.Algorithm { self == .md5 ? .md5 : .sha256 }

    func hex(_ text: String) -> String { Digest.hexadecimal(Digest.hash(text.utf8, digest)) }
  }

  /// A challenge of a server.
  struct Challenge: Hashable, Sendable {
    var realm: String
    var nonce: String
    var opaque: String?
    var algorithm: Algorithm
    /// Whether `qop=auth` is offered; without it, the form of RFC 2069.
    var hasQuality: Bool
    var isStale: Bool

    /// Reads one challenge; `nil` for another scheme, an algorithm that we do not have, or only `auth-int`.
    init?(_ value: String) {
      guard let fields = SIPDigest.fields(value), let realm = fields["realm"], let nonce = fields["nonce"]
      else { return nil }
      let name = fields["algorithm"] ?? "MD5"
      guard let algorithm = Algorithm.allCases.first(where: { $0.rawValue.equalsFolded(name) }) else {
        return nil
      }
      let qualities = fields["qop"].map { $0.split(separator: ",").map { $0.trimmingBlanks().lowercased() } }
      if let qualities, !qualities.contains("auth") { return nil }
      self.realm = realm
      self.nonce = nonce
      opaque = fields["opaque"]
      self.algorithm = algorithm
      hasQuality = qualities != nil
      isStale = fields["stale"]?.equalsFolded("true") ?? false
    }
  }

  /// What is hashed besides the password.
  struct Context: Hashable, Sendable {
    var method: String
    /// As it stands in `uri=`.
    var uri: String
    var nonce: String
    /// Absent without `qop`.
    var count: String?
    var clientNonce: String?
  }

  /// The `response` value (RFC 7616 section 3.4.1).
  static func response(
    _ algorithm: Algorithm, username: String, realm: String, password: String, _ context: Context
  ) -> String {
    let secret = algorithm.hex("\(username):\(realm):\(password)")
    let request = algorithm.hex("\(context.method):\(context.uri)")
    guard let count = context.count, let clientNonce = context.clientNonce else {
      return algorithm.hex("\(secret):\(context.nonce):\(request)")
    }
    return algorithm.hex("\(secret):\(context.nonce):\(count):\(clientNonce):auth:\(request)")
  }

  /// The credentials for one request: the value of `Authorization`.
  static func authorization(
    _ challenge: Challenge, _ credentials: SIPCredentials, method: String, uri: String, count: Int,
    clientNonce: String
  ) -> String {
    let digits = String(count, radix: 16)
    let number = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    let context = Context(
      method: method, uri: uri, nonce: challenge.nonce, count: challenge.hasQuality ? number : nil,
      clientNonce: challenge.hasQuality ? clientNonce : nil)
    let response = response(
      challenge.algorithm, username: credentials.username, realm: challenge.realm,
      password: credentials.password, context)
    var value =
      "Digest username=\(SIPAddress.quoted(credentials.username)), realm=\(SIPAddress.quoted(challenge.realm)), "
      + "nonce=\(SIPAddress.quoted(challenge.nonce)), uri=\(SIPAddress.quoted(uri)), response=\"\(response)\", "
      + "algorithm=\(challenge.algorithm.rawValue)"
    if challenge.hasQuality { value += ", qop=auth, nc=\(number), cnonce=\"\(clientNonce)\"" }
    if let opaque = challenge.opaque { value += ", opaque=\(SIPAddress.quoted(opaque))" }
    return value
  }

  /// The fields of `Digest a=b, c="d"`, names in lower case; `nil` for another scheme.
  static func fields(_ value: String) -> [String: String]? {
    let value = value.trimmingBlanks()
    guard let blank = value.firstIndex(where: { $0 == " " || $0 == "\t" }),
      value[..<blank].equalsFolded("Digest")
    else { return nil }
    var fields: [String: String] = [:]
    for element in SIPHeaders.split(String(value[blank...])) {
      guard let equals = element.firstIndex(of: "=") else { continue }
      let name = element[..<equals].trimmingBlanks().lowercased()
      let text = element[element.index(after: equals)...].withRawUTF8 { SIPAddress.unquoted($0.trimmed()) }
      // The first one counts: a second must not change what was checked.
      if fields[name] == nil { fields[name] = text }
    }
    return fields
  }
}
