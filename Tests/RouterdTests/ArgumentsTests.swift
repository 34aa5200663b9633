import Testing

@testable import routerd

@Suite struct ArgumentsTests {
  private static let commands = [
    CommandSpec(
      name: "run", summary: "Serve calls",
      options: [OptionSpec("--config", value: "FILE", "Settings"), OptionSpec("--json", "JSON")]
    ) { _ in .success },
    CommandSpec(
      name: "call", summary: "Place a call",
      operands: [OperandSpec("URI"), OperandSpec("NOTE", optional: true)],
      options: [
        OptionSpec("--say", value: "TEXT", repeatable: true, "Speak"),
        OptionSpec("--digits", value: "KEYS", repeatable: true, "Press keys"),
        OptionSpec("--seconds", value: "N", "At most"), OptionSpec("--transport", value: "NAME", "How"),
      ]
    ) { _ in .success },
    CommandSpec(
      name: "explain", summary: "Where a call would go",
      options: [OptionSpec("--to", value: "WHO", "The called number")]
    ) { _ in .success },
    CommandSpec(
      name: "check", summary: "Check files", options: [OptionSpec("--routes", value: "DIR", "Where they are")]
    ) { _ in .success },
  ]

  private func parse(_ line: String) throws -> Arguments.Request {
    try Arguments.parse(line.split(separator: " ").map(String.init), Self.commands)
  }

  private func arguments(_ line: String) throws -> Arguments {
    guard case .run(let arguments) = try parse(line) else {
      throw UsageError("not a command: \(line)")
    }
    return arguments
  }

  @Test func theFirstCommandIsMeantWithoutAName() throws {
    #expect(try arguments("").command.name == "run")
    #expect(try arguments("--config a.yaml").value("--config") == "a.yaml")
    #expect(try arguments("run --config=a=b.yaml --json").value("--config") == "a=b.yaml")
    #expect(try arguments("--json").has("--json"))
  }

  @Test func optionsMayStandAnywhere() throws {
    let call = try arguments("call --say hello sip:a@b --say=--dash --digits -1 note")
    #expect(call.operands == ["sip:a@b", "note"])
    #expect(call.all("--say") == ["hello", "--dash"])
    #expect(call.steps(["--say", "--digits"]).map(\.value) == ["hello", "--dash", "-1"])
    #expect(call.steps(["--say", "--digits"]).map(\.name) == ["--say", "--say", "--digits"])
    #expect(try arguments("call -- --odd").operands == ["--odd"])
  }

  @Test func helpAndVersion() throws {
    for line in ["--help", "-h", "help"] {
      guard case .help(nil) = try parse(line) else { Issue.record("\(line)"); continue }
    }
    for line in ["help call", "call --help", "call sip:a -h"] {
      guard case .help(let command?) = try parse(line) else { Issue.record("\(line)"); continue }
      #expect(command.name == "call")
    }
    for line in ["--version", "version"] {
      guard case .version = try parse(line) else { Issue.record("\(line)"); continue }
    }
  }

  @Test(arguments: [
    ("cal sip:a", "there is no command 'cal'; did you mean call?"),
    ("frobnicate", "there is no command 'frobnicate'"),
    ("--confg x", "there is no option --confg; did you mean --config?"),
    ("call sip:a --sya x", "there is no option --sya; did you mean --say?"),
    ("call", "URI is missing"),
    ("call a b c", "'c' is too much"), ("explain +4420", "'+4420' is too much; did you mean --to +4420?"),
    ("check routes", "'routes' is too much; did you mean --routes routes?"),
    ("run --config", "--config wants a value: --config FILE"),
    ("run --config --json", "--config wants a value: --config FILE"),
    ("run --json=1", "--json takes no value"),
    ("run --json --json", "--json stands twice"),
  ])
  func mistakesAreNamed(_ line: String, _ message: String) {
    #expect { try parse(line) } throws: { ($0 as? UsageError)?.message == message }
  }

  @Test func valuesAreChecked() throws {
    let call = try arguments("call a --seconds 30 --transport ucp")
    #expect(try call.integer("--seconds", 1...60) == 30)
    #expect { try call.integer("--seconds", 1...20) } throws: {
      ($0 as? UsageError)?.message == "--seconds wants a whole number from 1 to 20, not '30'"
    }
    #expect { try call.choice("--transport", ["udp", "tcp"]) } throws: {
      ($0 as? UsageError)?.message == "--transport is one of udp, tcp, not 'ucp'; did you mean udp?"
    }
  }

  @Test func helpNamesEverything() {
    let overview = Help.overview(Self.commands)
    for command in Self.commands {
      #expect(overview.contains(command.summary))
      let help = Help.command(command)
      for option in command.options { #expect(help.contains(option.name)) }
    }
    #expect(Help.command(Self.commands[1]).hasPrefix("routerd call URI [NOTE] [OPTIONS]"))
    #expect(overview.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }

  @Test func columnsAreWrapped() {
    let lines = Help.columns([("a", "one two three"), ("long-name", "four")], width: 21)
    #expect(lines == ["  a          one two", "             three", "  long-name  four"])
  }
}
