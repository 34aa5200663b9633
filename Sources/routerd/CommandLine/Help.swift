/// Writes the help from the table of commands.
enum Help {
  /// `routerd --help`.
  static func overview(_ commands: [CommandSpec]) -> String {
    var lines = [
      "routerd gives AI agents a phone number: it answers calls and routes each one to an agent.", "",
      "routerd [COMMAND] [OPTIONS]", "",
    ]
    lines += columns(commands.map { ($0.name, $0.summary) })
    lines += [
      "",
      "routerd COMMAND --help shows a command's options. Without a command, \(commands[0].name) is meant.",
      "",
      "Exit status:",
    ]
    return (lines + columns(exitCodes)).joined(separator: "\n")
  }

  /// `routerd COMMAND --help`.
  static func command(_ command: CommandSpec) -> String {
    var usage = "routerd \(command.name)"
    for operand in command.operands {
      usage += operand.isOptional ? " [\(operand.name)]" : " \(operand.name)"
    }
    if !command.options.isEmpty { usage += " [OPTIONS]" }
    var lines = [usage, "", command.summary + "."]
    if !command.options.isEmpty {
      lines.append("")
      lines += columns(
        command.options.map { option in
          let left = option.value.map { "\(option.name) \($0)" } ?? option.name
          return (left, option.help + (option.isRepeatable ? " (may be repeated)" : ""))
        })
    }
    if !command.notes.isEmpty { lines += ["", command.notes] }
    return lines.joined(separator: "\n")
  }

  static let exitCodes: [(String, String)] = [
    (0, "done; for call: answered, and ended normally"),
    (1, "settings, routes or the answer are wrong: the errors say where"),
    (2, "call: busy"), (3, "call: refused"), (4, "call: nobody answered"),
    (5, "call: the other side failed or is overloaded"), (6, "call: answered, but no sound came"),
    (64, "the command line makes no sense"), (66, "there is no such call, file or version"),
    (69, "nobody answers: no routerd runs here, or the called address is silent"),
    (70, "a mistake of routerd's own"), (71, "the system refused, e.g. a port that is in use"),
    (130, "Ctrl-C came before there was a result"),
  ].map { ("\($0.0)", $0.1) }

  /// Two columns, the right one wrapped to the width of a terminal.
  static func columns(_ rows: [(String, String)], width: Int = 100) -> [String] {
    let left = min(24, rows.map(\.0.count).max() ?? 0)
    let indent = String(repeating: " ", count: left + 4)
    return rows.flatMap { name, text -> [String] in
      let wrapped = wrap(text, to: width - indent.count)
      let first = wrapped.first ?? ""
      let rest = wrapped.dropFirst().map { indent + $0 }
      if name.count > left { return ["  " + name, indent + first] + rest }
      return ["  " + name + String(repeating: " ", count: left - name.count + 2) + first] + rest
    }
  }

  private static func wrap(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + word.count < width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
