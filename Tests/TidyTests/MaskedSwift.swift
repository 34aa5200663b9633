/// Swift text of the same length and lines, in which comments and the insides of string literals are blanks, so that
/// rules can look at code alone. Interpolations are blanked with their string; that is good enough for rules.
func maskedSwift(_ text: String) -> String {
  var masker = SwiftMasker(Array(text))
  return masker.run()
}

private struct SwiftMasker {
  private let text: [Character]
  private var output: [Character] = []
  private var at = 0

  init(_ text: [Character]) { self.text = text }

  mutating func run() -> String {
    output.reserveCapacity(text.count)
    while at < text.count {
      if starts(with: "//") {
        while at < text.count, text[at] != "\n" { blank() }
      } else if starts(with: "/*") {
        maskBlockComment()
      } else if let hashes = stringStart() {
        maskString(hashes: hashes)
      } else {
        keep()
      }
    }
    return String(output)
  }

  private func starts(with prefix: String) -> Bool {
    let prefix = Array(prefix)
    return at + prefix.count <= text.count && Array(text[at..<at + prefix.count]) == prefix
  }

  /// How many `#` stand before a string's quote here; `nil` when no string begins here.
  private func stringStart() -> Int? {
    var index = at
    while index < text.count, text[index] == "#" { index += 1 }
    return index < text.count && text[index] == "\"" ? index - at : nil
  }

  private mutating func keep() {
    output.append(text[at])
    at += 1
  }

  private mutating func blank() {
    output.append(text[at] == "\n" ? "\n" : " ")
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
    for _ in quote { keep() }
    let pounds = String(repeating: "#", count: hashes)
    while at < text.count, !starts(with: quote + pounds) {
      if quote == "\"", text[at] == "\n" { return }  // not a string after all, e.g. a regular expression
      if starts(with: "\\" + pounds + "(") {
        maskInterpolation()
      } else {
        let isEscape = starts(with: "\\" + pounds)
        blank()
        if isEscape, at < text.count { blank() }
      }
    }
    for _ in 0..<quote.count + hashes where at < text.count { keep() }
  }

  private mutating func maskInterpolation() {
    var depth = 0
    while at < text.count {
      if text[at] == "(" { depth += 1 }
      if text[at] == ")" { depth -= 1 }
      let isEnd = text[at] == ")" && depth == 0
      blank()
      if isEnd { return }
      if at < text.count, stringStart() != nil, text[at] != "(" { maskInnerString() }
    }
  }

  /// A string inside an interpolation, which may hold parentheses.
  private mutating func maskInnerString() {
    let before = output.count
    maskString(hashes: stringStart() ?? 0)
    for index in before..<output.count where output[index] != "\n" { output[index] = " " }
  }
}
