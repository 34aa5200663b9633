/// The text of a web page: headings as Markdown has them, blocks as paragraphs, no scripts, no styles. Pure. It reads
/// what people write into files, not what the web invents: an unknown tag is a space.
enum PlainHTML {
  private static let skipped: Set<String> = ["script", "style", "template", "noscript", "svg", "nav", "head"]
  private static let blocks: Set<String> = [
    "p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "table", "blockquote", "pre",
    "dl",
    "figure", "form",
  ]
  private static let lines: Set<String> = ["br", "li", "tr", "dt", "dd", "hr", "option"]

  static func text(_ html: String) -> String {
    var result = ""
    var rest = Substring(html)
    while let open = rest.firstIndex(of: "<") {
      append(entities(rest[..<open]), to: &result)
      rest = rest[open...]
      if rest.hasPrefix("<!--") {
        rest = rest.firstRange(of: "-->").map { rest[$0.upperBound...] } ?? rest[rest.endIndex...]
        continue
      }
      let after = rest.dropFirst()
      guard let next = after.first, next.isLetter || next == "/" || next == "!" || next == "?" else {
        append("<", to: &result)
        rest = after
        continue
      }
      let end = closing(of: after)
      let tag = after[..<end]
      rest = end < after.endIndex ? after[after.index(after: end)...] : after[after.endIndex...]
      let isEnd = tag.hasPrefix("/")
      let name = tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }.lowercased()
      if !isEnd, skipped.contains(name), !tag.hasSuffix("/") {
        rest = skip(name, in: rest)
      } else {
        mark(name, isEnd: isEnd, in: &result)
      }
    }
    append(entities(rest), to: &result)
    return result
  }

  /// The `>` of a tag; one inside of quotes is none.
  private static func closing(of tag: Substring) -> Substring.Index {
    var quote: Character?
    var index = tag.startIndex
    while index < tag.endIndex {
      let character = tag[index]
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == ">" {
        return index
      }
      index = tag.index(after: index)
    }
    return tag.endIndex
  }

  /// Behind the end tag of an element whose content is no text.
  private static func skip(_ name: String, in text: Substring) -> Substring {
    var rest = text
    while let range = rest.firstRange(of: "</") {
      rest = rest[range.upperBound...]
      if rest.prefix(name.count).lowercased() == name {
        return rest.firstIndex(of: ">").map { rest[rest.index(after: $0)...] } ?? rest[rest.endIndex...]
      }
    }
    return rest[rest.endIndex...]
  }

  private static func mark(_ name: String, isEnd: Bool, in result: inout String) {
    if name.count == 2, name.first == "h", let level = name.last?.wholeNumberValue, (1...6).contains(level) {
      endParagraph(in: &result)
      if !isEnd { result += String(repeating: "#", count: level) + " " }
    } else if blocks.contains(name) {
      endParagraph(in: &result)
    } else if lines.contains(name) {
      result += isEnd ? "" : "\n"
    } else if name == "td" || name == "th" {
      append(" ", to: &result)
    }
  }

  /// One empty line, however many blocks begin and end here.
  private static func endParagraph(in result: inout String) {
    while result.last?.isWhitespace == true { result.removeLast() }
    if !result.isEmpty { result += "\n\n" }
  }

  /// Adds text with its white space as browsers show it.
  private static func append(_ text: String, to result: inout String) {
    for character in text {
      if character.isWhitespace {
        if let last = result.last, !last.isWhitespace { result.append(" ") }
      } else {
        result.append(character)
      }
    }
  }

  private static let named: [String: String] = [
    "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "copy": "©", "reg": "®",
    "euro": "€", "pound": "£", "ndash": "–", "mdash": "—", "hellip": "…", "lsquo": "‘", "rsquo": "’",
    "ldquo": "“", "rdquo": "”", "auml": "ä", "ouml": "ö", "uuml": "ü", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü",
    "szlig": "ß", "eacute": "é", "egrave": "è", "agrave": "à", "ccedil": "ç", "deg": "°", "middot": "·",
  ]

  /// The text with characters in the place of references; what is none stays.
  static func entities(_ text: Substring) -> String {
    guard text.contains("&") else { return String(text) }
    var result = ""
    var rest = text
    while let start = rest.firstIndex(of: "&") {
      result += rest[..<start]
      let after = rest[rest.index(after: start)...]
      let name = after.prefix(10).prefix { $0 != ";" && !$0.isWhitespace && $0 != "&" }
      guard after[name.endIndex...].first == ";", let character = character(name) else {
        result += "&"
        rest = after
        continue
      }
      result += character
      rest = after[name.endIndex...].dropFirst()
    }
    return result + rest
  }

  private static func character(_ name: Substring) -> String? {
    guard name.hasPrefix("#") else { return named[String(name)] }
    let digits = name.dropFirst()
    let isHex = digits.first == "x" || digits.first == "X"
    let number = UInt32(isHex ? digits.dropFirst() : digits, radix: isHex ? 16 : 10)
    return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
  }
}
