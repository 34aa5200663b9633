/// Whom a VoIP provider is asked to call for a caller that is handed over.
public enum TransferDestination: Hashable, Sendable {
  /// A number in E.164, with its `+`.
  case number(String)
  /// A `sip:` or `sips:` address.
  case sip(String)

  /// Reads what an agent's `transferExtension` or a route's `transfer` says: a SIP address, a number in E.164 (also as
  /// `tel:` URI, RFC 3966), or an extension, which lives in `domain`.
  /// - Returns: `nil` when it is none of these, or an extension without a domain.
  public init?(_ text: String, domain: String?) {
    // It becomes part of documents and requests.
    if text.holdsControlCharacters { return nil }
    let lower = text.lowercased()
    if lower.hasPrefix("sip:") || lower.hasPrefix("sips:") {
      self = .sip(text)
      return
    }
    let number = lower.hasPrefix("tel:") ? String(text.dropFirst(4).prefix { $0 != ";" }) : text
    let digits = number.filter { !"-.() ".contains($0) }
    if digits.hasPrefix("+"), (7...15).contains(digits.count - 1),
      digits.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber })
    {
      self = .number(digits)
      return
    }
    guard let domain, !domain.isEmpty, !number.isEmpty,
      number.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "*#._-+".contains($0)) })
    else { return nil }
    self = .sip("sip:\(number)@\(domain)")
  }
}
