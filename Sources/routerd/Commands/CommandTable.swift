internal import Glibc
internal import RouterCore

/// Every command, the usual one first. The help and the parser are made from this table.
let commands: [CommandSpec] = [
  RunCommand.spec, CheckCommand.spec, ExplainCommand.spec, ExplainCommand.resolve, SchemaCommand.spec,
  CallsCommand.spec,
  WhyCommand.spec, StatusCommand.spec, EndpointsCommand.spec, RoutesCommand.spec, DiffCommand.spec,
  ReloadCommand.spec,
  RollbackCommand.spec, VersionsCommand.spec,
  DrainCommand.spec, FunctionOutputCommand.spec, ForgetCommand.spec, CallCommand.spec, EmulateCommand.spec,
]

/// Options that several commands share.
enum CommonOption {
  static let config = OptionSpec("--config", value: "FILE", "Settings; routerd.yaml here, else the defaults")
  static let routes = OptionSpec(
    "--routes", value: "DIR", "Route files; routes here, else a built-in example")
  static let socket = OptionSpec("--socket", value: "PATH", "The control socket of the routerd to ask")
  static let json = OptionSpec("--json", "JSON for programs")
}

/// Runs the program: takes the command line apart, does what it says, and gives the exit code.
enum Program {
  static func run(_ words: [String]) async -> ExitCode {
    do throws(UsageError) {
      switch try Arguments.parse(words, commands) {
      case .help(let command?): Terminal.print(Help.command(command))
      case .help(nil): Terminal.print(Help.overview(commands))
      case .version: Terminal.print("routerd \(routerdVersion)")
      case .run(let arguments): return await arguments.command.run(arguments)
      }
      return .success
    } catch {
      Terminal.complain(error.text)
      return .usage
    }
  }

  /// Ends the process. Not by `exit`: that takes libraries down (OpenSSL its locks) while other threads may be in them.
  static func end(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  /// Runs a command's body and says what went wrong.
  static func attempt(_ body: () async throws -> ExitCode) async -> ExitCode {
    do {
      return try await body()
    } catch let error as UsageError {
      Terminal.complain(error.text)
      return .usage
    } catch let error as ControlFailure {
      Terminal.complain("routerd: \(error.message)")
      return ExitCode(rawValue: error.code)
    } catch let error as DiagnosticList {
      Terminal.complain(error.rendered)
      return .failure
    } catch {
      Terminal.complain("routerd: \(error)")
      return .failure
    }
  }
}

/// Finds the control socket.
enum ControlPath {
  static let file = "routerd.sock"
  /// Where the unit in dist/ has it.
  static let ofTheSystem = "/run/routerd/\(file)"

  /// Where a routerd with these settings listens: as it was told, in the folder that systemd gives
  /// (`RuntimeDirectory=`), or in the working directory.
  static func server(_ arguments: Arguments, _ settings: Settings) -> String {
    let given = getenv("RUNTIME_DIRECTORY").map { String(cString: $0) + "/" + file }
    return arguments.value("--socket") ?? settings.control.socket ?? given ?? file
  }

  /// Where the routerd is that a command is meant for: as it was told, as the settings say, here, or the system's.
  static func client(_ arguments: Arguments) throws(DiagnosticList) -> String {
    if let path = arguments.value("--socket") { return path }
    let settings = try Settings.load(arguments.value("--config"), plugins: plugins)
    if let path = settings.control.socket { return path }
    return Files.exists(file) || !Files.exists(ofTheSystem) ? file : ofTheSystem
  }
}
