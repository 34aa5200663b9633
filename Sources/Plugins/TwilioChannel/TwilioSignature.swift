internal import RouterCore

/// `X-Twilio-Signature`: an HMAC over the address and the fields that Twilio sent, with the account's auth token.
///
/// https://www.twilio.com/docs/usage/security#validating-requests; the variants are those that Twilio's own validators try.
enum TwilioSignature {
  /// What Twilio would write for an address and its fields.
  static func make(
    _ url: String, _ fields: [FormFields.Field], token: String, _ algorithm: Digest.Algorithm = .sha1
  ) -> String {
    Base64.encode(Digest.authenticate(content(url, fields), key: token.utf8, algorithm))
  }

  /// The signature of a request and how it was made: `X-Twilio-Webhooks-Signature-Settings: key=…,algorithm=…` comes with
  /// those that a shared key signed.
  private struct Given {
    var signature: [UInt8]
    var algorithm: Digest.Algorithm

    init?(_ request: HTTPServerRequest) {
      guard let header = request.header("X-Twilio-Signature") else { return nil }
      signature = Array(header.utf8)
      var name = "HMAC_SHA1"
      for part in request.header("X-Twilio-Webhooks-Signature-Settings")?.split(separator: ",") ?? [] {
        let words = part.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
        if words.count == 2, words[0] == "algorithm" { name = words[1].uppercased() }
      }
      switch name {
      case "HMAC_SHA1": algorithm = .sha1
      case "HMAC_SHA256": algorithm = .sha256
      default: return nil
      }
    }
  }

  /// The address, then each name with each of its values, sorted bytewise, doubles once.
  private static func content(_ url: String, _ fields: [FormFields.Field]) -> [UInt8] {
    let pairs = Set(fields.map { [Array($0.name.utf8), Array($0.value.utf8)] })
    let sorted = pairs.sorted { a, b in
      a[0] == b[0] ? a[1].lexicographicallyPrecedes(b[1]) : a[0].lexicographicallyPrecedes(b[0])
    }
    return Array(url.utf8) + sorted.flatMap { $0[0] + $0[1] }
  }

  /// Whether a webhook was signed with one of these tokens.
  static func isValid(_ request: HTTPServerRequest, tokens: [String]) -> Bool {
    guard let signature = Given(request) else { return false }
    // A JSON body is vouched for by its hash in the address, a form by its fields.
    if let hash = FormFields(parsing: request.query)["bodySHA256"], !isForm(request) {
      guard
        Digest.isEqual(
          Array(hash.lowercased().utf8), Array(Digest.hexadecimal(Digest.hash(request.body)).utf8))
      else { return false }
      return matches(signature, addresses(request.url), [], tokens)
    }
    guard isForm(request) || request.body.isEmpty else { return false }
    return matches(signature, addresses(request.url), FormFields(parsing: request.body).all, tokens)
  }

  /// Whether the request that opens a media socket was signed with one of these tokens. Twilio signs the `wss:` address;
  /// some of its generators add a slash, and a query becomes fields.
  static func isValidSocket(_ request: HTTPServerRequest, tokens: [String]) -> Bool {
    guard let signature = Given(request) else { return false }
    let http = request.url
    let plain = String(http.prefix { $0 != "?" })
    let fields = FormFields(parsing: request.query).all
    for form in [http, "ws" + http.dropFirst(4)] {
      if matches(signature, addresses(form), [], tokens) { return true }
    }
    let socket = "ws" + plain.dropFirst(4)
    return matches(signature, addresses(socket) + addresses(socket + "/"), fields, tokens)
  }

  static func isForm(_ request: HTTPServerRequest) -> Bool {
    request.header("Content-Type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false
  }

  private static func matches(
    _ given: Given, _ urls: [String], _ fields: [FormFields.Field], _ tokens: [String]
  ) -> Bool {
    var isMatch = false
    for token in tokens where !token.isEmpty {
      for url in urls {
        let right = Array(make(url, fields, token: token, given.algorithm).utf8)
        if Digest.isEqual(given.signature, right) { isMatch = true }
      }
    }
    return isMatch
  }

  /// The forms that an address may have been signed in: as it is, without its port, with the scheme's own; and its query
  /// in the way that older generators wrote it.
  static func addresses(_ url: String) -> [String] {
    guard let scheme = url.firstRange(of: "://") else { return [url] }
    let rest = url[scheme.upperBound...]
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    let authority = rest[..<end]
    let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    let isSecure = url.hasPrefix("https:") || url.hasPrefix("wss:")
    var authorities = [String(authority)]
    // The colon of a port stands behind the bracket of an IPv6 address.
    if let colon = host.lastIndex(of: ":"), host[colon...].dropFirst().allSatisfy(\.isNumber) {
      authorities.append(String(authority[..<colon]))
    } else {
      // Some of Twilio's libraries take everything but https: for port 80.
      authorities += (isSecure ? [":443", ":80"] : [":80"]).map { String(authority) + $0 }
    }
    let tail = rest[end...]
    var tails = [String(tail)]
    if let legacy = legacyQuery(tail) { tails.append(legacy) }
    return authorities.flatMap { authority in tails.map { String(url[..<scheme.upperBound]) + authority + $0 }
    }
  }

  /// A query, decoded and written again as Node's `querystring` does.
  private static func legacyQuery(_ tail: Substring) -> String? {
    guard let mark = tail.firstIndex(of: "?") else { return nil }
    let fields = FormFields(parsing: tail[tail.index(after: mark)...]).all
    let written = fields.map { "\(legacy($0.name))=\(legacy($0.value))" }.joined(separator: "&")
    let whole = tail[...mark] + written
    return whole == tail ? nil : String(whole)
  }

  private static func legacy(_ text: String) -> String {
    // Node leaves these as they are.
    FormFields.encode(text).replacing("%21", with: "!").replacing("%27", with: "'").replacing(
      "%28", with: "("
    )
    .replacing("%29", with: ")").replacing("%2A", with: "*")
  }
}
