internal import Glibc
internal import RouterCore

/// `routerd run`: serves calls until it is told to end.
enum RunCommand {
  static let spec = CommandSpec(
    name: "run", summary: "Serve calls",
    options: [
      CommonOption.config, CommonOption.routes,
      OptionSpec("--socket", value: "PATH", "Where the command line finds this routerd; routerd.sock"),
      OptionSpec("--log", value: "FORM", "text for people, json for programs"),
      OptionSpec("--log-level", value: "LEVEL", "debug, info, notice, warning or error"),
    ],
    notes: """
      SIGTERM and Ctrl-C drain: new calls are refused with 503 and Retry-After, live ones may finish; a second one ends
      them at once. SIGHUP reads the routes anew, and so does a change of the files, unless routes: {watch: false}.
      """
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    var settings = try Settings.load(arguments.value("--config"), plugins: plugins)
    let form = try arguments.choice("--log", LogForm.allCases.map(\.rawValue))
    let level = try arguments.choice("--log-level", LogLevel.allCases.map(LogLine.name))
    settings.log.format = form.flatMap(LogForm.init) ?? settings.log.format
    settings.log.level = level.flatMap(LogLine.level) ?? settings.log.level
    let obstacles = settings.obstacles(socket: arguments.value("--socket"))
    if obstacles.hasErrors { throw obstacles }
    let directory = arguments.value("--routes") ?? settings.routes.directory
    let routes = try RoutesInForce(directory: directory, versions: settings.routes.kept(for: directory))
    let signals = Signals.stream()
    let files = ProcessLimits.raiseOpenFiles()
    ProcessLimits.makeRoom(forFiles: files)
    let writer = LogWriter(settings.log.format, limiter: LogLimiter(lines: settings.log.linesOfOneKind))
    defer { writer.flush() }
    let log = writer.log(level: settings.log.level)
    log.notice("routerd \(routerdVersion) starts", ("openFiles", "\(files)"))
    let daemon = try await Daemon(settings, routes: routes, log: log)
    let path = ControlPath.server(arguments, settings)
    let control = try ControlServer(path, log: log.labelled("control")) { request, reply in
      try await daemon.control(request, reply)
    }
    defer { control.stop() }
    return await daemon.serve(signals)
  }
}
