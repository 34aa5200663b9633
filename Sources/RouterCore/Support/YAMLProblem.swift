/// libyaml's complaints, in words for a person.
struct YAMLProblem {
  /// Both from 1.
  struct Place {
    var line: Int
    var column: Int
  }

  let file: String
  let source: [UInt8]

  /// Something wrong at a place.
  func at(
    _ place: Place, _ message: String, hint: String? = nil, notes: [Diagnostic.Note] = []
  ) -> Diagnostic {
    Diagnostic(
      .error, message, hint: hint, at: location(place), sourceLine: YAMLDocument.line(place.line, of: source),
      notes: notes)
  }

  private func location(_ place: Place) -> SourceLocation {
    SourceLocation(file: file, line: place.line, column: place.column)
  }

  /// What the scanner or parser stumbled over, and what it was doing.
  func syntax(_ problem: String, at place: Place, context: String, from start: Place) -> Diagnostic {
    let line = YAMLDocument.line(place.line, of: source)
    let character = line.unicodeScalars.dropFirst(place.column - 1).first
    // What came before is to blame: the text for which there was no ':'.
    let place = problem == "could not find expected ':'" && start.line < place.line ? start : place
    var (message, hint) = YAMLProblem.words(problem, context, character)
    if let slip = slip(at: place) { (message, hint) = slip }
    var notes: [Diagnostic.Note] = []
    if start.line != place.line, let opened = YAMLProblem.opened[context] {
      notes = [.init("\(opened) begins here", at: location(start))]
    }
    return at(place, message, hint: hint, notes: notes)
  }

  private static let opened = [
    "while parsing a block collection": "the list",
    "while parsing a block mapping": "what this line belongs to",
    "while parsing a flow mapping": "the '{'", "while parsing a flow sequence": "the '['",
  ]

  /// What the line itself, or the one above it, shows to be the cause; `nil` when nothing is seen.
  private func slip(at place: Place) -> (message: String, hint: String?)? {
    let lines = [place.line, place.line - 1].filter { $0 > 0 }.map { YAMLDocument.line($0, of: source) }
    if lines[0].contains("\u{A0}") {
      return ("a no-break space stands here, which is no space to YAML", "write an ordinary space")
    }
    let before = String(String.UnicodeScalarView(lines[0].unicodeScalars.prefix(place.column)))
    if before.hasSuffix("${") {
      return ("a reference with { } cannot stand here without quotes", "put it in quotes: \"${env:NAME}\"")
    }
    let isGlued = lines.contains { line in
      let text = line.drop { $0 == " " }
      return text.first == "-" && text.dropFirst().first?.isLetter == true && text.contains(":")
    }
    if isGlued { return ("a '-' has no space behind it", "begin every element of a list with '- '") }
    let above = lines.dropFirst().first?.drop { $0 == " " || $0 == "-" } ?? ""
    let name = above.prefix { $0.isLetter || $0.isNumber }
    let behind = above.dropFirst(name.count)
    guard !name.isEmpty, behind.first == ":", !behind.contains(": "), let next = behind.dropFirst().first,
      next != "/"
    else { return nil }
    return ("the ':' in the line above has no space behind it", "write \(name): …")
  }

  private static func words(
    _ problem: String, _ context: String, _ character: Unicode.Scalar?
  ) -> (message: String, hint: String?) {
    if character == "\t" { return ("a tab cannot be used for indentation", "use spaces") }
    if context == "while scanning an alias" {
      return ("a value cannot begin with *", "put it in quotes: \"*…\"")
    }
    if let character, "}]".unicodeScalars.contains(character), !context.contains("flow") {
      return ("this '\(character)' closes nothing", "take it out, or open it before")
    }
    switch problem {
    case "mapping values are not allowed in this context":
      return (
        "a ':' with a space after it cannot stand here",
        "put text with ': ' in it in quotes, or check the indentation of this line"
      )
    case "found character that cannot start any token":
      let sign = character.map { "'\($0)'" } ?? "this character"
      return ("a value cannot begin with \(sign)", "put it in quotes")
    case "did not find expected key":
      return (
        "a key was expected here",
        "check the indentation of this line, and the quotes in it and above: an ' between '…' is written twice"
      )
    case "could not find expected ':'":
      return ("a ':' is missing after a key", "write 'key: value', with a space after the ':'")
    case "did not find expected '-' indicator":
      return character == "-"
        ? ("a '-' was expected in another column", "begin all elements of the list in one column")
        : (
          "a '-' was expected here",
          "begin every element of the list with '- ', and its other lines two columns further, under its first key"
        )
    case "did not find expected ',' or '}'":
      return (
        "a ',' or '}' is missing", "close every '{' and every quote, and put text with ',' or ': ' in quotes"
      )
    case "did not find expected ',' or ']'":
      return (
        "a ',' or ']' is missing", "close every '[' and every quote, and put text with ',' or ': ' in quotes"
      )
    case "found unknown escape character":
      return (
        "a \\ between \"…\" begins an escape, and there is none like this", "write '…' around this text"
      )
    case "block sequence entries are not allowed in this context":
      return ("a '- ' cannot stand here", "begin the list in the line below its key")
    case "did not find expected <document start>":
      return ("the text before this was over", "check the indentation, and the brackets and quotes above")
    case "found unexpected end of stream":
      return ("the file ends inside of a quoted text", "close the quotes")
    default:
      return (context.isEmpty ? problem : "\(problem) (\(context))", nil)
    }
  }

  /// Bytes that are no text: libyaml gives an offset, no line.
  func notText(_ problem: String, offset: Int) -> Diagnostic {
    let before = source.prefix(max(0, min(offset, source.count)))
    let lines = before.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let column = String(decoding: lines.last ?? [], as: UTF8.self).unicodeScalars.count + 1
    return at(
      Place(line: max(1, lines.count), column: column), "the file is not plain UTF-8 text here (\(problem))",
      hint: "save it as UTF-8, without control characters")
  }
}
