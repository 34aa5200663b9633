internal import RouterCore

/// A piece of a document, short enough to be read out of.
struct Passage: Hashable, Sendable {
  /// The headings above it, outermost first; or the document's name.
  var title: String
  var text: String
}

/// Cuts documents into passages. Pure.
enum Passages {
  /// Characters of a passage: about a minute of speech.
  static let maximumCharacters = 1200
  /// Passages of one document.
  static let maximumPassages = 20_000

  /// - Parameter name: The document's title where it has no headings.
  static func of(_ text: String, name: String) -> [Passage] {
    var passages: [Passage] = []
    var headings: [(level: Int, text: String)] = []
    var lines: [Substring] = []
    var isFenced = false

    func title() -> String { headings.isEmpty ? name : headings.map(\.text).joined(separator: " – ") }
    func close() {
      let body = trimmed(lines.joined(separator: "\n"))
      lines = []
      guard !body.isEmpty else { return }
      for piece in cut(body) where passages.count < maximumPassages {
        passages.append(Passage(title: title(), text: piece))
      }
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isFenced.toggle() }
      if !isFenced, let heading = heading(line) {
        close()
        headings.removeAll { $0.level >= heading.level }
        headings.append(heading)
      } else {
        lines.append(line)
      }
    }
    close()
    return passages
  }

  /// An ATX heading of Markdown; HTML's headings were turned into these before.
  private static func heading(_ line: Substring) -> (level: Int, text: String)? {
    let level = line.prefix { $0 == "#" }.count
    guard (1...6).contains(level), line.dropFirst(level).first == " " else { return nil }
    let text = trimmed(String(line.dropFirst(level).prefix(200)))
    return text.isEmpty ? nil : (level, text)
  }

  /// Pieces of a text at paragraphs, else at sentences, else at spaces.
  static func cut(_ text: String) -> [String] {
    var pieces: [String] = []
    var rest = text[...]
    while rest.count > maximumCharacters {
      let window = rest.prefix(maximumCharacters)
      let end =
        last(of: "\n\n", in: window) ?? last(of: "\n", in: window) ?? last(of: ". ", in: window)
        ?? last(of: " ", in: window) ?? window.endIndex
      pieces.append(trimmed(String(rest[..<end])))
      rest = rest[end...]
    }
    pieces.append(trimmed(String(rest)))
    return pieces.filter { !$0.isEmpty }
  }

  /// Behind the last occurrence, unless that would make a very short piece.
  private static func last(of separator: String, in text: Substring) -> Substring.Index? {
    let characters = Array(separator)
    var index = text.endIndex
    let least = text.index(text.startIndex, offsetBy: text.count / 3)
    while index > least {
      index = text.index(before: index)
      let tail = text[index...].prefix(characters.count)
      if tail.elementsEqual(characters) { return tail.endIndex }
    }
    return nil
  }

  static func trimmed(_ text: String) -> String {
    var text = text[...]
    while let first = text.first, first.isWhitespace { text = text.dropFirst() }
    while let last = text.last, last.isWhitespace { text = text.dropLast() }
    return String(text)
  }
}
