internal import Emulators
internal import OfflineSpeech
internal import RouterCore

/// `routerd emulate KIND`: somebody's service on this machine, to try routerd without an account.
enum EmulateCommand {
  static let spec = CommandSpec(
    name: "emulate", summary: "Play a service that agents use, to try routerd without an account",
    operands: [OperandSpec("KIND")], options: options(of: emulators), notes: notes(of: emulators)
  ) { arguments in await Program.attempt { try await run(arguments) } }

  /// The options of all kinds; one that several have stands once.
  static func options(of kinds: [any Emulator.Type]) -> [OptionSpec] {
    var specs = [
      OptionSpec("--port", value: "N", "Where to listen on 127.0.0.1; a free port"),
      OptionSpec("--quiet", "Print violations only"),
    ]
    for kind in kinds {
      for option in kind.options {
        let owners = kinds.filter { $0.options.contains { $0.name == option.name } }.map { $0.name }
        guard !specs.contains(where: { $0.name == option.name }) else { continue }
        specs.append(
          OptionSpec(
            option.name, value: option.value, repeatable: option.isRepeatable,
            "\(owners.joined(separator: ", ")): \(option.help)"))
      }
    }
    return specs
  }

  static func notes(of kinds: [any Emulator.Type]) -> String {
    var lines = ["Kinds:"] + Help.columns(kinds.map { ($0.name, $0.summary) })
    for kind in kinds where !kind.notes.isEmpty { lines += ["", kind.notes] }
    lines += ["", "Ctrl-C ends it; the exit status is 1 when something broke the service's rules."]
    return lines.joined(separator: "\n")
  }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    let name = arguments.operands[0]
    guard let kind = emulators.first(where: { $0.name == name }) else {
      throw UsageError(
        "there is no emulator '\(name)'"
          + UsageError.hint(Nearest.word(to: name, among: emulators.map { $0.name })),
        command: "emulate")
    }
    return try await serve(kind, arguments)
  }

  private static func serve<Kind: Emulator>(_ kind: Kind.Type, _ arguments: Arguments) async throws
    -> ExitCode
  {
    let given = arguments.steps(arguments.command.options.map(\.name)).filter {
      $0.name != "--port" && $0.name != "--quiet"
    }
    if let foreign = given.first(where: { step in !kind.options.contains { $0.name == step.name } }) {
      throw UsageError("\(foreign.name) is no option of \(kind.name)", command: "emulate")
    }
    let port = try arguments.integer("--port", 0...65535) ?? 0
    let isQuiet = arguments.has("--quiet")
    let signals = Signals.stream()
    let wire = WirePrinter()
    let running: RunningEmulator<Kind>
    do {
      running = try await RunningEmulator(
        kind, given.map { ($0.name, $0.value) }, port: UInt16(port), synthesizer: OfflineSpeech()
      ) {
        line in
        switch line {
        case .saw(let text): if !isQuiet { for line in wire.flush() + [text] { Terminal.print(line) } }
        case .wire(let text): if !isQuiet { for line in wire.lines(text) { Terminal.print(line) } }
        case .violation(let text): Terminal.complain("VIOLATION: \(text)")
        }
      }
    } catch let error as EmulatorError {
      throw UsageError(error.description, command: "emulate")
    }
    Terminal.print("\(kind.name) serves on \(running.address)")
    let watcher = Task {
      for await signal in signals where signal == .terminate { running.report.isDone.resolve(()) }
    }
    await running.report.isDone.value(cancelled: ())
    watcher.cancel()
    await running.close()
    return running.report.violations.isEmpty ? .success : .failure
  }
}
