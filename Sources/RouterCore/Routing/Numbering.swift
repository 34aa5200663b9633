/// Reads numbers as they are dialled or sent, and brings them into the international form of E.164.
///
/// It does not judge whether a number exists: a wrong guess must not keep a call from its route, and an extension must not
/// become a number. What it cannot read for certain stays as it is. See docs/decisions/0041-numbers.md.
public struct Numbering: Hashable, Sendable {
  /// ISO 3166, e.g. `GB`; `nil`: only numbers with a `+` are international.
  public let region: String?

  public init(region: String? = nil) { self.region = region }

  /// Longer texts are no numbers.
  private static let maximumLength = 64

  /// The international number that a text stands for; `nil` for extensions, names and what cannot be read.
  public func normalize(_ text: String) -> PhoneNumber? {
    PhoneNumber(text) ?? read(text)?.number  // the first is the usual case, without making a string
  }

  /// How a text was read, for a trace; empty when nothing had to be done.
  func steps(_ text: String) -> [String] {
    if let number = PhoneNumber(text), number.description == text { return [] }
    guard let reading = read(text) else {
      let digits = text.utf8.count { $0 >= 0x30 && $0 <= 0x39 }
      let isNumber = text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || PhoneNumber.isSeparator($0) }
      return region == nil && isNumber && digits >= 7 ? ["not read as a number: there is no region"] : []
    }
    return reading.steps
  }

  /// A number, and what was done to find it in a text.
  struct Reading {
    var number: PhoneNumber
    var steps: [String]
  }

  func read(_ text: String) -> Reading? {
    guard text.utf8.count <= Numbering.maximumLength else { return nil }
    var steps: [String] = []
    var rest = Numbering.withoutScheme(text, &steps)
    let context = Numbering.takeContext(&rest)
    if rest.hasPrefix("%2B") || rest.hasPrefix("%2b") {
      rest = "+" + rest.dropFirst(3)
      steps.append("%2B is a +")
    }
    guard let digits = Numbering.digits(rest, &steps) else { return nil }
    if digits.hasPrefix("+") { return Numbering.reading(digits, steps) }
    // RFC 3966 section 5.1.5: a local number belongs to the network that its context names.
    if let context { return Numbering.reading(context + digits, steps + ["in the context \(context)"]) }
    guard let region, let plan = NumberingRegion.all[region] else { return nil }
    return plan.international(digits).flatMap { found in
      Numbering.reading("+" + found.digits, steps + ["\(found.step) (region \(region))"])
    }
  }

  private static func reading(_ text: String, _ steps: [String]) -> Reading? {
    PhoneNumber(text).map { Reading(number: $0, steps: steps) }
  }

  private static func withoutScheme(_ text: String, _ steps: inout [String]) -> String {
    guard text.utf8.contains(UInt8(ascii: ":")) else { return text }
    for scheme in ["tel:", "sip:", "sips:"] where text.lowercased().hasPrefix(scheme) {
      steps.append("\(scheme) taken off")
      return String(text.dropFirst(scheme.count).prefix { $0 != "@" })
    }
    return text
  }

  /// Takes parameters off; returns a `phone-context` that is itself international.
  private static func takeContext(_ text: inout String) -> String? {
    guard text.utf8.contains(UInt8(ascii: ";")) else { return nil }
    let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1 else { return nil }
    text = parts[0]
    let name = "phone-context="
    let context = parts.dropFirst().first { $0.lowercased().hasPrefix(name) }?.dropFirst(name.count)
    guard let context, context.hasPrefix("+") else { return nil }
    return String(context.filter { $0 == "+" || $0.isASCII && $0.isNumber })
  }

  /// Digits, with a `+` before them or not; `nil` when there is anything but separators between them.
  private static func digits(_ text: String, _ steps: inout [String]) -> String? {
    var digits: [UInt8] = []
    for byte in text.utf8 {
      let isDigit = byte >= 0x30 && byte <= 0x39
      if isDigit || (byte == UInt8(ascii: "+") && digits.isEmpty) {
        digits.append(byte)
      } else if !PhoneNumber.isSeparator(byte) {
        return nil
      }
    }
    guard digits.contains(where: { $0 != UInt8(ascii: "+") }) else { return nil }
    if digits.count != text.utf8.count { steps.append("separators taken out") }
    return String(decoding: digits, as: UTF8.self)
  }

  /// What is wrong with a region; `nil` when nothing is.
  static func fault(inRegion text: String) -> TextFault? {
    if NumberingRegion.all[text] != nil { return nil }
    let upper = text.uppercased()
    let hint =
      NumberingRegion.all[upper] != nil
      ? "write \(upper)" : upper == "UK" ? "write GB" : "write two capital letters of ISO 3166, e.g. US or GB"
    return TextFault("'\(text)' is no region", hint: hint)
  }
}

extension NumberingRegion {
  /// The digits of the international form of what was dialled in this region, and how it was recognised.
  func international(_ digits: String) -> (digits: String, step: String)? {
    for prefix in internationalPrefixes where digits.hasPrefix(prefix) {
      let rest = String(digits.dropFirst(prefix.count))
      if rest.utf8.count >= 7, !rest.hasPrefix("0") {
        return (rest, "\(prefix) before an international number")
      }
    }
    for prefix in trunkPrefixes where digits.hasPrefix(prefix) {
      let rest = String(digits.dropFirst(prefix.count))
      if has(length: rest.utf8.count) { return (code + rest, "\(prefix) before a national number") }
    }
    let count = digits.utf8.count
    let rest = count - code.utf8.count
    if digits.hasPrefix(code), rest >= (longest >= 10 ? 7 : min(6, longest)), has(length: rest) {
      return (digits, "an international number without its +")
    }
    // Where national numbers have no prefix, seven digits are enough to tell them from extensions.
    guard has(length: count), count >= (isTrunkPrefixOptional ? min(7, longest) : 9) else { return nil }
    guard let prefix = trunkPrefixes.first else { return (code + digits, "a national number") }
    return digits.hasPrefix("0") ? nil : (code + digits, "a national number without its \(prefix)")
  }
}
