/// What may be written as the target of a transfer.
enum TransferTarget {
  static let shape = TextShape(
    "an extension, a number or a SIP URI", shows: "targets of transfers show in logs and records",
    fault: fault)

  private static let hint =
    "write an extension (0200), a number (+442079460001), sip:alice@example.com or tel:+442079460001"

  /// What is wrong with a target; `nil` when it can be called.
  static func fault(_ text: String) -> TextFault? {
    // They would end a header or a line of whoever asks for the transfer.
    if text.holdsControlCharacters {
      return TextFault("a line end or another control character in the target of a transfer", hint: hint)
    }
    return isCallable(text) ? nil : TextFault("'\(text)' is nobody who can be called", hint: hint)
  }

  private static func isCallable(_ text: String) -> Bool {
    guard let colon = text.firstIndex(of: ":") else {
      // As people write numbers, or the name of an extension, perhaps with its domain.
      let signs = text.contains(where: \.isLetter) ? "*#._-+@" : "*#._-+() "
      return text.first != " " && text.last != " " && text.contains { $0.isLetter || $0.isNumber }
        && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || signs.contains($0)) }
    }
    let rest = text[text.index(after: colon)...]
    switch text[..<colon].lowercased() {
    case "tel":
      let number = rest.prefix { $0 != ";" }
      return number.contains { $0.isASCII && $0.isNumber }
        && number.allSatisfy { $0.isASCII && ($0.isHexDigit || "*#.-+()".contains($0)) }
    case "sip", "sips":
      guard !text.contains(where: \.isWhitespace), let uri = SIPURI(text) else { return false }
      return !uri.host.isEmpty
    default: return false
    }
  }
}
