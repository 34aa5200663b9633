internal import RouterCore

/// A `sip:`, `sips:` or `tel:` URI, taken apart (RFC 3261 section 19.1, RFC 3966 section 3).
struct URIParts: Hashable {
  /// In lower case.
  var scheme: String
  /// Percent-decoded, without password and without parameters such as `;npdi` or `;phone-context=`.
  var user: String
  /// Empty for `tel:`; an IPv6 address keeps its brackets.
  var host: String
  var port: UInt16?
  /// Of the user part and of the URI together: carriers write `;verstat=` into either.
  var parameters: Parameters
  /// What stands behind `?`, as it is.
  var headers: String

  /// `nil` when there is no scheme that we know.
  init?(_ text: some StringProtocol) {
    let text = Substring(text)
    guard let colon = text.first(":") else { return nil }
    scheme = text[..<colon].lowercased()
    guard scheme == "sip" || scheme == "sips" || scheme == "tel" else { return nil }
    var rest = text[text.index(after: colon)...]
    headers = ""
    parameters = Parameters("")
    // Before `?` is looked for, the user part goes: it may hold a question mark (RFC 3261 section 25.1, user-unreserved).
    var userPart = Substring()
    if scheme == "tel" {
      userPart = rest
      rest = ""
    } else if let at = rest.first("@") {
      userPart = rest[..<at]
      rest = rest[rest.index(after: at)...]
    }
    if let question = rest.first("?") {
      headers = String(rest[rest.index(after: question)...])
      rest = rest[..<question]
    }
    let userEnd = userPart.first(";") ?? userPart.endIndex
    if userEnd != userPart.endIndex { parameters.append(userPart[userPart.index(after: userEnd)...]) }
    let passwordStart = userPart[..<userEnd].first(":") ?? userEnd
    user = userPart[..<passwordStart].percentDecoded
    let hostEnd = rest.first(";") ?? rest.endIndex
    if hostEnd != rest.endIndex { parameters.append(rest[rest.index(after: hostEnd)...]) }
    (host, port) = rest[..<hostEnd].splitPort()
  }
}

/// Parameters in the form `;name=value;flag`; names compare without case.
struct Parameters: Hashable {
  /// More than this many are not kept: a header with thousands must not cost us.
  static let maximum = 32

  private var pairs: [Pair] = []

  private struct Pair: Hashable {
    var name: String
    var value: String
  }

  /// From the text behind the first semicolon.
  init(_ text: some StringProtocol) { append(Substring(text)) }

  mutating func append(_ text: Substring) {
    for part in text.splitOutsideQuotes(";", limit: Parameters.maximum - pairs.count) {
      let part = part.trimmed
      if part.isEmpty { continue }
      let equals = part.first("=")
      let name = part[..<(equals ?? part.endIndex)].trimmed.lowercased()
      let value = equals.map { part[part.index(after: $0)...].trimmed } ?? ""
      pairs.append(Pair(name: name, value: value.unquoted))
    }
  }

  /// The first value of that name; empty for a flag; `nil` when it is not there.
  subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }
}

/// One `name-addr` or `addr-spec` of a header with its parameters (RFC 3261 section 20.10).
struct NameAddress: Hashable {
  /// `nil` when there is none.
  var displayName: String?
  /// The whole URI as it was written.
  var text: String
  var uri: URIParts
  /// Those of the header, not of the URI.
  var parameters: Parameters

  /// `nil` when it holds no URI that we know.
  init?(_ value: some StringProtocol) {
    let value = Substring(value).trimmed
    if let open = value.firstOutsideQuotes("<") {
      guard let close = value[open...].first(">") else { return nil }
      let name = value[..<open].trimmed.unquoted
      displayName = name.isEmpty ? nil : name
      text = String(value[value.index(after: open)..<close].trimmed)
      let rest = value[value.index(after: close)...]
      parameters = Parameters(rest[(rest.first(";") ?? rest.endIndex)...].dropFirst())
    } else {
      // Without brackets, what follows a semicolon belongs to the header (RFC 3261 section 20.10).
      displayName = nil
      let end = value.first(";") ?? value.endIndex
      text = String(value[..<end].trimmed)
      parameters = Parameters(value[end...].dropFirst())
    }
    guard let uri = URIParts(text) else { return nil }
    self.uri = uri
  }

  /// All addresses of a header that may hold several, in order; unreadable ones are left out.
  static func list(_ values: [String], limit: Int = 20) -> [NameAddress] {
    var result: [NameAddress] = []
    for value in values {
      for part in Substring(value).splitOutsideQuotes(",", limit: limit - result.count) {
        if let address = NameAddress(part) { result.append(address) }
      }
    }
    return result
  }
}
