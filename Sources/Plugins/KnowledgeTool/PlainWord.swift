/// The text of a Word document's main part (WordprocessingML, ECMA-376 part 1, section 17): headings as Markdown has
/// them, a line for each paragraph, cells of a table side by side. Pure. It reads no DTD and resolves nothing, so there
/// is nothing in it that could grow.
enum PlainWord {
  /// What stands between the tags is text only here; deleted words and field codes have elements of their own.
  private static let text = "t"

  static func text(_ xml: String) -> String {
    var result = ""
    var paragraph = ""
    var heading = 0
    var isText = false
    var rest = Substring(xml)
    while let open = rest.firstIndex(of: "<") {
      if isText { paragraph += PlainHTML.entities(rest[..<open]) }
      let after = rest[rest.index(after: open)...]
      guard let close = after.firstIndex(of: ">") else { break }
      let tag = after[..<close]
      rest = after[after.index(after: close)...]
      let isEnd = tag.hasPrefix("/")
      let name = localName(tag)
      switch name {
      case text: isText = !isEnd && !tag.hasSuffix("/")
      case "tab", "tc": paragraph += isEnd || name == "tab" ? "\t" : ""
      case "br", "cr": paragraph += "\n"
      case "pStyle": heading = level(of: tag)
      case "p" where isEnd:
        end(&paragraph, heading, in: &result)
        heading = 0
      case "tr" where isEnd: result += result.last == "\n" ? "" : "\n"
      default: break
      }
    }
    end(&paragraph, heading, in: &result)
    return result
  }

  private static func localName(_ tag: Substring) -> Substring {
    let name = tag.drop { $0 == "/" }.prefix { !$0.isWhitespace && $0 != "/" }
    return name.lastIndex(of: ":").map { name[name.index(after: $0)...] } ?? name
  }

  /// `<w:pStyle w:val="Heading2"/>`: the names of styles are the same in every language of the program.
  private static func level(of tag: Substring) -> Int {
    guard let value = tag.firstRange(of: "val=\"") else { return 0 }
    let style = tag[value.upperBound...].prefix { $0 != "\"" }.lowercased()
    if style == "title" { return 1 }
    guard style.hasPrefix("heading"), let level = Int(style.dropFirst("heading".count)) else { return 0 }
    return (1...6).contains(level) ? level : 0
  }

  private static func end(_ paragraph: inout String, _ heading: Int, in result: inout String) {
    while paragraph.last?.isWhitespace == true { paragraph.removeLast() }
    if !paragraph.isEmpty {
      if !result.isEmpty { result += "\n\n" }
      result += (heading > 0 ? String(repeating: "#", count: heading) + " " : "") + paragraph
    }
    paragraph = ""
  }
}
