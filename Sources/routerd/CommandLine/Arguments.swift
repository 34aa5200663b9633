/// What was typed after `routerd`, taken apart.
struct Arguments: Sendable {
  let command: CommandSpec
  private var given: [(name: String, value: String)] = []
  private(set) var operands: [String] = []

  private init(_ command: CommandSpec) { self.command = command }

  /// Whether an option was given.
  func has(_ name: String) -> Bool { given.contains { $0.name == name } }
  /// The value of an option, the last one if there are several.
  func value(_ name: String) -> String? { all(name).last }
  /// All values of a repeatable option, in order.
  func all(_ name: String) -> [String] { steps([name]).map(\.value) }
  /// Some options with their values, in the order in which they were typed.
  func steps(_ names: [String]) -> [(name: String, value: String)] {
    given.filter { names.contains($0.name) }
  }

  /// A number option. Throws ``UsageError`` when it is none, or out of range.
  func integer(_ name: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        "\(name) wants a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'",
        command: command.name)
    }
    return number
  }

  /// An option with a fixed set of values.
  func choice(_ name: String, _ choices: [String]) throws(UsageError) -> String? {
    guard let text = value(name) else { return nil }
    guard choices.contains(text) else {
      throw UsageError(
        "\(name) is one of \(choices.joined(separator: ", ")), not '\(text)'"
          + UsageError.hint(Nearest.word(to: text, among: choices)), command: command.name)
    }
    return text
  }

  /// What a command line asks for.
  enum Request: Sendable {
    case run(Arguments)
    case help(CommandSpec?)
    case version
  }

  /// Takes a command line apart.
  ///
  /// - Parameters:
  ///   - words: Without the program's own name.
  ///   - commands: The first one is run when no command is named.
  static func parse(_ words: [String], _ commands: [CommandSpec]) throws(UsageError) -> Request {
    var words = words[...]
    let named = words.first.flatMap { word in commands.first { $0.name == word } }
    if named != nil { words.removeFirst() }
    switch words.first {
    case "--help", "-h",
      "help" where named == nil:
      let topic = words.dropFirst().first
      if let topic, let command = commands.first(where: { $0.name == topic }) { return .help(command) }
      return .help(named)
    case "--version" where named == nil, "version" where named == nil:
      return .version
    case .some(let word) where named == nil && !word.hasPrefix("-"):
      let nearest = Nearest.word(to: word, among: commands.map(\.name))
      throw UsageError("there is no command '\(word)'" + UsageError.hint(nearest))
    default: break
    }
    var arguments = Arguments(named ?? commands[0])
    return try arguments.fill(words) ? .help(arguments.command) : .run(arguments)
  }

  /// Reads options and operands. Returns whether help was asked for.
  private mutating func fill(_ words: ArraySlice<String>) throws(UsageError) -> Bool {
    var rest = words
    var onlyOperands = false
    while let word = rest.popFirst() {
      if onlyOperands || !word.hasPrefix("-") || word == "-" {
        operands.append(word)
      } else if word == "--" {
        onlyOperands = true
      } else if word == "--help" || word == "-h" {
        return true
      } else {
        try take(word, &rest)
      }
    }
    let required = command.operands.filter { !$0.isOptional }
    if operands.count < required.count {
      throw UsageError("\(required[operands.count].name) is missing", command: command.name)
    }
    if operands.count > command.operands.count {
      let word = operands[command.operands.count]
      // Who names a number or a directory alone means the option for it.
      let option =
        command.operands.isEmpty ? command.options.first { ["--to", "--routes"].contains($0.name) } : nil
      let hint = option.map { "; did you mean \($0.name) \(word)?" } ?? ""
      throw UsageError("'\(word)' is too much\(hint)", command: command.name)
    }
    return false
  }

  private mutating func take(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = command.options.first(where: { $0.name == parts[0] }) else {
      let nearest = Nearest.word(to: parts[0], among: command.options.map(\.name) + ["--help"])
      throw UsageError("there is no option \(parts[0])" + UsageError.hint(nearest), command: command.name)
    }
    if has(option.name), !option.isRepeatable {
      throw UsageError("\(option.name) stands twice", command: command.name)
    }
    guard let what = option.value else {
      if parts.count > 1 { throw UsageError("\(option.name) takes no value", command: command.name) }
      given.append((option.name, ""))
      return
    }
    // A value may begin with a dash only behind `=`: a forgotten value must not swallow the next option.
    let value = parts.count > 1 ? parts[1] : rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
    guard let value else {
      throw UsageError("\(option.name) wants a value: \(option.name) \(what)", command: command.name)
    }
    if parts.count == 1 { rest.removeFirst() }
    given.append((option.name, value))
  }
}

/// A command line that makes no sense; the program ends with ``ExitCode/usage``.
struct UsageError: Error, Equatable {
  var message: String
  /// Whose help to look at.
  var command: String?

  init(_ message: String, command: String? = nil) {
    self.message = message
    self.command = command
  }

  static func hint(_ nearest: String?) -> String { nearest.map { "; did you mean \($0)?" } ?? "" }

  /// Two lines for standard error.
  var text: String {
    let topic = command.map { " \($0)" } ?? ""
    return "routerd: \(message)\nTry: routerd\(topic) --help"
  }
}
