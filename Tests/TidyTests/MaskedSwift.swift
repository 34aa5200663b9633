/// Swift text of the same number of bytes and lines, in which comments and the insides of string literals are blanks, so that
/// rules can look at code alone. Interpolations are blanked with their string; that is good enough for rules.
func maskedSwift(_ text: String) -> String {
  var masker = SwiftMasker(Array(text.utf8))
  return String(decoding: masker.run(), as: UTF8.self)
}

private struct SwiftMasker {
  private let text: [UInt8]
  private var output: [UInt8] = []
  private var at = 0

  private static let newline = UInt8(ascii: "\n")
  private static let space = UInt8(ascii: " ")
  private static let quote = UInt8(ascii: "\"")
  private static let pound = UInt8(ascii: "#")
  private static let opening = UInt8(ascii: "(")
  private static let closing = UInt8(ascii: ")")

  init(_ text: [UInt8]) { self.text = text }

  mutating func run() -> [UInt8] {
    output.reserveCapacity(text.count)
    while at < text.count {
      if starts(with: "//") {
        while at < text.count, text[at] != Self.newline { blank() }
      } else if starts(with: "/*") {
        maskBlockComment()
      } else if let hashes = stringStart() {
        maskString(hashes: hashes)
      } else {
        keep()
      }
    }
    return output
  }

  private func starts(with prefix: String) -> Bool {
    let prefix = prefix.utf8
    return at + prefix.count <= text.count && text[at..<at + prefix.count].elementsEqual(prefix)
  }

  /// How many `#` stand before a string's quote here; `nil` when no string begins here.
  private func stringStart() -> Int? {
    var index = at
    while index < text.count, text[index] == Self.pound { index += 1 }
    return index < text.count && text[index] == Self.quote ? index - at : nil
  }

  private mutating func keep() {
    output.append(text[at])
    at += 1
  }

  private mutating func blank() {
    output.append(text[at] == Self.newline ? Self.newline : Self.space)
    at += 1
  }

  private mutating func maskBlockComment() {
    var depth = 0
    repeat {
      if starts(with: "/*") { depth += 1 }
      if starts(with: "*/") { depth -= 1 }
      blank()
    } while at < text.count && depth > 0
    if at < text.count { blank() }  // the slash of `*/`
  }

  private mutating func maskString(hashes: Int) {
    for _ in 0..<hashes { keep() }
    let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
    for _ in quote.utf8 { keep() }
    let pounds = String(repeating: "#", count: hashes)
    while at < text.count, !starts(with: quote + pounds) {
      if quote == "\"", text[at] == Self.newline { return }  // no string after all
      if starts(with: "\\" + pounds + "(") {
        maskInterpolation()
      } else {
        let isEscape = starts(with: "\\" + pounds)
        blank()
        if isEscape, at < text.count { blank() }
      }
    }
    for _ in 0..<quote.utf8.count + hashes where at < text.count { keep() }
  }

  private mutating func maskInterpolation() {
    var depth = 0
    while at < text.count {
      if text[at] == Self.opening { depth += 1 }
      if text[at] == Self.closing { depth -= 1 }
      let isEnd = text[at] == Self.closing && depth == 0
      blank()
      if isEnd { return }
      if at < text.count, stringStart() != nil, text[at] != Self.opening { maskInnerString() }
    }
  }

  /// A string inside an interpolation, which may hold parentheses.
  private mutating func maskInnerString() {
    let before = output.count
    maskString(hashes: stringStart() ?? 0)
    for index in before..<output.count where output[index] != Self.newline { output[index] = Self.space }
  }
}
