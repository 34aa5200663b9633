/// Which numbers a `to:` or `from:` takes.
enum NumberPattern: Hashable, Sendable {
  /// One international number.
  case number(PhoneNumber)
  /// One extension or SIP user, compared as it is.
  case text(String)
  /// International numbers that begin with these digits (a packed value).
  case numberPrefix(UInt64)
  /// Extensions and SIP users that begin so; with an empty text, every call.
  case textPrefix(String)
  /// `?` stands for one digit; a `*` at the end for anything. With a `+` it looks at the international number, else at
  /// the user as it was sent.
  case digits(DigitPattern)
  /// Looks at the international number where there is one, else at the user as it was sent.
  case expression(LinearExpression)
  case anonymous
  /// A list of callerLists.
  case list(String)

  /// Reads a pattern. National numbers become international by `numbering`.
  init(_ text: String, _ numbering: Numbering) throws(TextFault) {
    if text.utf8.first == UInt8(ascii: "+"), let number = PhoneNumber(text) {  // nearly all of a big table
      self = .number(number)
      return
    }
    if text.hasPrefix("/") {
      self = .expression(try LinearExpression(delimited: text))
      return
    }
    try NumberPattern.refuseOddities(text)
    if text == "anonymous" {
      self = .anonymous
    } else if text.utf8.contains(UInt8(ascii: "?")) {
      self = .digits(DigitPattern(text))
    } else if text.hasSuffix("*") {
      self = try NumberPattern.prefix(String(text.dropLast()))
    } else if let number = numbering.normalize(text) {
      self = .number(number)
    } else {
      if text.hasPrefix("+") {
        throw TextFault(
          "\(text) is no international number",
          hint: "write + and \(PhoneNumber.minimumDigits) to \(PhoneNumber.maximumDigits) digits")
      }
      self = .text(text)
    }
  }

  private static func prefix(_ text: String) throws(TextFault) -> NumberPattern {
    if text == "+" { return .digits(DigitPattern("+?*")) }
    guard text.hasPrefix("+") else { return .textPrefix(text) }
    guard let packed = PhoneNumber.pack(text.utf8) else {
      throw TextFault(
        "\(text) begins no international number", hint: "write + and 1 to 15 digits before the *")
    }
    return .numberPrefix(packed.value)
  }

  private static func refuseOddities(_ text: String) throws(TextFault) {
    if text.isEmpty {
      throw TextFault("a number cannot be empty", hint: "leave the key out, or write \"*\" for any number")
    }
    if SecretReference.occurs(in: text) {
      throw TextFault.secret("conditions show in traces", hint: "write the number itself")
    }
    // Made for a million of them: nearly all are ASCII.
    if text.utf8.contains(where: { $0 >= 0x80 }), text.contains(where: { "“”„«»‘’".contains($0) }) {
      throw TextFault("typographic quotes do not quote: they are part of this text", hint: "write \"…\"")
    }
    if text.holdsControlCharacters { throw TextFault("a number cannot hold control characters") }
    if text.utf8.count > 128 { throw TextFault("a number cannot have more than 128 characters") }
    if text.utf8.dropLast().contains(UInt8(ascii: "*")) {
      throw TextFault(
        "a * can only stand at the end of a number", hint: "use ? for one digit, or /a regular expression/")
    }
    for scheme in ["sip:", "sips:", "tel:"] where text.lowercased().hasPrefix(scheme) {
      throw TextFault("a number is wanted, not a URI", hint: "write the part between \(scheme) and @")
    }
    if text.utf8.contains(UInt8(ascii: "@")) {
      throw TextFault("a number is wanted, not an address", hint: "write the part before the @")
    }
  }

  /// Whether a caller or a called party fits.
  func matches(_ dialed: DialedNumber, _ lists: (String) -> NumberSet?) -> Bool {
    switch self {
    case .number(let number): return dialed.number == number
    case .text(let text): return dialed.raw == text
    case .numberPrefix(let prefix):
      guard let number = dialed.number else { return false }
      let length = PhoneNumber.digits(in: prefix)
      let digits = PhoneNumber.digits(in: number.packed)
      return digits >= length && number.packed / PhoneNumber.powers[digits - length] == prefix
    case .textPrefix(let prefix): return dialed.raw.hasPrefix(prefix)
    case .digits(let pattern): return pattern.matches(dialed)
    case .expression(let expression): return expression.matches(dialed.text)
    case .anonymous: return dialed.isAnonymous
    case .list(let name): return lists(name)?.contains(dialed) ?? false
    }
  }
}

extension NumberPattern: CustomStringConvertible {
  /// As it would be written, in canonical form.
  var description: String {
    switch self {
    case .number(let number): number.description
    case .text(let text): text
    case .numberPrefix(let prefix): PhoneNumber.text(of: prefix) + "*"
    case .textPrefix(let prefix): prefix + "*"
    case .digits(let pattern): pattern.text
    case .expression(let expression): expression.description
    case .anonymous: "anonymous"
    case .list(let name): "{list: \(name)}"
    }
  }
}

/// `+1555???0001`: digits left open.
struct DigitPattern: Hashable, Sendable {
  let text: String
  let isInternational: Bool
  let isOpenEnded: Bool
  let bytes: [UInt8]

  init(_ text: String) {
    self.text = text
    isInternational = text.hasPrefix("+")
    isOpenEnded = text.hasSuffix("*")
    bytes = text.utf8.filter {
      $0 != UInt8(ascii: "*") && !(text.hasPrefix("+") && PhoneNumber.isSeparator($0))
    }
  }

  func matches(_ dialed: DialedNumber) -> Bool {
    if !isInternational { return matches(dialed.raw.utf8) }
    guard let number = dialed.number else { return false }
    return matches(number.description.utf8)
  }

  private func matches(_ number: String.UTF8View) -> Bool {
    guard isOpenEnded ? number.count >= bytes.count : number.count == bytes.count else { return false }
    return zip(bytes, number).allSatisfy { pattern, byte in
      pattern == byte || pattern == UInt8(ascii: "?") && byte >= 0x30 && byte <= 0x39
    }
  }
}

/// A number of a call, as it came and as it was understood.
struct DialedNumber: Hashable, Sendable {
  /// The user part as the network sent it.
  let raw: String
  /// In the international form, where it could be read as a number.
  let number: PhoneNumber?
  let isAnonymous: Bool
  /// How it was found in `raw`, for a trace, where that was work: nobody has to find it again.
  let steps: [String]?

  init(_ party: Party, _ numbering: Numbering) {
    raw = party.user
    isAnonymous = party.isAnonymous || party.user.isEmpty || party.user == "anonymous"
    if let plain = PhoneNumber(party.user) {
      (number, steps) = (plain, nil)
    } else {
      let reading = numbering.read(party.user)
      (number, steps) = (reading?.number, reading?.steps)
    }
  }

  /// The international form where there is one, else as it came.
  var text: String { number?.description ?? raw }
}
