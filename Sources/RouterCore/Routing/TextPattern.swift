/// What a header must hold: a text, a text with `*` for anything, or a regular expression.
enum TextPattern: Hashable, Sendable, CustomStringConvertible {
  case exact(String)
  case glob(String, LinearExpression)
  case expression(LinearExpression)

  init(_ text: String) throws(TextFault) {
    if text.hasPrefix("/"), text.count > 1 {
      self = .expression(try LinearExpression(delimited: text))
    } else if text.contains("*") {
      let escaped = text.unicodeScalars.map { scalar -> String in
        if scalar == "*" { return ".*" }
        let isPlain =
          !scalar.isASCII || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        return isPlain ? String(scalar) : "\\\(scalar)"
      }
      self = .glob(text, try LinearExpression("^\(escaped.joined())$"))
    } else {
      self = .exact(text)
    }
  }

  static func fault(in text: String) -> TextFault? {
    do {
      _ = try TextPattern(text)
      return nil
    } catch {
      return error
    }
  }

  func matches(_ text: String) -> Bool {
    switch self {
    case .exact(let wanted): text == wanted
    case .glob(_, let expression), .expression(let expression): expression.matches(text)
    }
  }

  var description: String {
    switch self {
    case .exact(let text), .glob(let text, _): text
    case .expression(let expression): expression.description
    }
  }
}

extension AddressPrefix {
  /// What is wrong with a text as a prefix; `nil` when nothing is.
  static func fault(in text: String) -> TextFault? {
    if AddressPrefix(text) != nil { return nil }
    return TextFault(
      "'\(text)' is no IP address or prefix", hint: "write e.g. 203.0.113.7, 203.0.113.0/28 or 2001:db8::/32")
  }
}

extension TextFault {
  /// A check for URLs of some schemes.
  static func url(_ schemes: String...) -> @Sendable (String) -> TextFault? { url(schemes) }

  static func url(_ schemes: [String]) -> @Sendable (String) -> TextFault? {
    { text in
      let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
      let isGood =
        parts.count == 2 && schemes.contains(parts[0].lowercased()) && !parts[1].isEmpty
        && !text.contains(" ")
      if isGood { return nil }
      return TextFault(
        "'\(text)' is no URL for this place",
        hint: "write \(schemes.map { "\($0)://…" }.joined(separator: " or "))")
    }
  }
}
