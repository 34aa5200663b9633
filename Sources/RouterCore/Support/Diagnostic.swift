/// A place in a file that a person wrote.
public struct SourceLocation: Hashable, Sendable, Codable, CustomStringConvertible {
  /// As the person would name it, e.g. `routes/main.yaml`.
  public var file: String
  /// From 1.
  public var line: Int
  /// In characters, from 1.
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  /// `routes/main.yaml:14:7`.
  public var description: String { "\(file):\(line):\(column)" }
  /// `routes/main.yaml:14`.
  public var fileAndLine: String { "\(file):\(line)" }
}

/// Something wrong in a file: what, where, and what to write instead. Never holds a secret.
public struct Diagnostic: Error, Hashable, Sendable {
  public enum Severity: String, Sendable {
    case error, warning
  }

  /// Another place that has to do with it: `first defined here`.
  public struct Note: Hashable, Sendable {
    public var message: String
    public var location: SourceLocation
    public init(_ message: String, at location: SourceLocation) {
      self.message = message
      self.location = location
    }
  }

  public var severity: Severity
  /// What is wrong, in one line.
  public var message: String
  /// What to write instead, in one line.
  public var hint: String?
  /// `nil` when no file is to blame (a directory that is not there).
  public var location: SourceLocation?
  /// The line as it was written, for the caret, but for the secrets in it; empty where it is not known.
  public var sourceLine: String { didSet { sourceLine = SecretLine.hidden(sourceLine) } }
  /// How many characters the caret line marks.
  public var length: Int
  public var notes: [Note]

  public init(
    _ severity: Severity = .error, _ message: String, hint: String? = nil, at location: SourceLocation? = nil,
    sourceLine: String = "", length: Int = 1, notes: [Note] = []
  ) {
    self.severity = severity
    self.message = message
    self.hint = hint
    self.location = location
    self.sourceLine = SecretLine.hidden(sourceLine)
    self.length = length
    self.notes = notes
  }

  /// Longer lines are cut around the mark.
  static let maximumLineWidth = 120

  /// As a compiler would print it: place and message, the line with a caret below it, the hint, other places.
  public var rendered: String {
    var lines = [(location.map { "\($0): " } ?? "") + "\(severity.rawValue): \(message)"]
    if let location, !sourceLine.isEmpty {
      let number = String(location.line)
      let margin = String(repeating: " ", count: number.count)
      let (text, mark) = excerpt(column: location.column)
      lines.append("  \(number) | \(text)")
      lines.append("  \(margin) | \(mark)")
    }
    if let hint { lines.append("  hint: \(hint)") }
    lines += notes.map { "  note: \($0.location): \($0.message)" }
    return lines.joined(separator: "\n")
  }

  /// The part of the line around the mark, and the line of carets below it.
  private func excerpt(column: Int) -> (text: String, mark: String) {
    // Control characters would move the caret, or the terminal's cursor.
    var characters = sourceLine.unicodeScalars.map {
      $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0)
    }
    var start = max(0, min(column - 1, characters.count))
    if characters.count > Diagnostic.maximumLineWidth {
      let first = max(0, min(start - 60, characters.count - Diagnostic.maximumLineWidth))
      characters = Array(characters[first...].prefix(Diagnostic.maximumLineWidth))
      start -= first
    }
    let width = max(1, min(length, characters.count - start))
    return (String(characters), String(repeating: " ", count: start) + String(repeating: "^", count: width))
  }
}

/// All that is wrong with some files, in the order of the files; errors before warnings at the same place.
public struct DiagnosticList: Error, Hashable, Sendable, CustomStringConvertible {
  /// How many are kept: a person mends some and asks again.
  public static let maximum = 50

  public private(set) var all: [Diagnostic] = []
  /// How many more there were than are kept.
  public private(set) var dropped = 0

  public init(_ all: [Diagnostic] = []) { all.forEach { append($0) } }

  /// Adds one; what is there already (of a value that stands in several places by an alias) is not said twice.
  public mutating func append(_ diagnostic: Diagnostic) {
    if isFull { dropped += 1 } else if !all.contains(diagnostic) { all.append(diagnostic) }
  }

  public mutating func append(contentsOf other: DiagnosticList) {
    other.all.forEach { append($0) }
    dropped += other.dropped
  }

  /// The same list in the order of the files, lines and columns.
  public var sorted: DiagnosticList {
    var list = self
    let places = all.enumerated().map { index, entry in
      (entry.location?.file ?? "", entry.location?.line ?? 0, entry.location?.column ?? 0, index)
    }
    list.all = places.sorted { $0 < $1 }.map { all[$0.3] }
    return list
  }

  /// Changes the one that was added last.
  mutating func changeLast(_ change: (inout Diagnostic) -> Void) {
    if let last = all.indices.last { change(&all[last]) }
  }

  /// The same list with each of them changed.
  func map(_ change: (Diagnostic) -> Diagnostic) -> DiagnosticList {
    var list = self
    list.all = all.map(change)
    return list
  }

  public var isEmpty: Bool { all.isEmpty }
  /// Whether anything in it is more than a warning.
  public var hasErrors: Bool { all.contains { $0.severity == .error } }
  /// Whether there is no room for more.
  public var isFull: Bool { all.count >= DiagnosticList.maximum }

  /// All of it, as for a terminal.
  public var rendered: String {
    var parts = all.map(\.rendered)
    if dropped > 0 { parts.append("… and \(dropped) more") }
    return parts.joined(separator: "\n")
  }

  public var description: String { rendered }
}
