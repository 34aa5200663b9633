internal import RouterCore

/// `routerd status`: how the running routerd is.
enum StatusCommand {
  static let spec = CommandSpec(
    name: "status", summary: "How the running routerd is: versions, calls, loops, the last reload",
    options: [
      OptionSpec("--wait", value: "SECONDS", "Wait until it serves calls, at most so long"),
      CommonOption.socket,
      CommonOption.config, CommonOption.json,
    ]
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    let path = try ControlPath.client(arguments)
    let patience = try arguments.integer("--wait", 1...3600)
    let status = try await ask(path, until: patience.map { .now + .seconds($0) })
    Terminal.print(arguments.has("--json") ? try JSON.encode(status, pretty: true) : StatusText.text(status))
    return .success
  }

  /// Asks, again and again when there is a deadline, until calls can come in.
  private static func ask(_ path: String, until deadline: ContinuousClock.Instant?) async throws -> JSONValue
  {
    while true {
      do throws(ControlFailure) {
        let status = try await ControlClient.ask("status", at: path)
        if deadline == nil || status["listening"]?.array?.isEmpty == false { return status }
      } catch {
        guard let deadline, .now < deadline, error.code == ExitCode.unavailable.rawValue else { throw error }
      }
      if let deadline, .now >= deadline {
        throw ControlFailure("routerd does not serve calls yet", .unavailable)
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }
}

/// `routerd reload`: reads the routes anew.
enum ReloadCommand {
  static let spec = CommandSpec(
    name: "reload", summary: "Read the routes anew; wrong ones are refused and the old ones stay",
    options: [CommonOption.socket, CommonOption.config, CommonOption.json]
  ) { arguments in
    await Program.attempt {
      let result = try await ControlClient.ask("reload", at: ControlPath.client(arguments))
      Terminal.print(arguments.has("--json") ? try JSON.encode(result, pretty: true) : text(result))
      return .success
    }
  }

  private static func text(_ result: JSONValue) -> String {
    let version = result["version"]?.string ?? "?"
    if result["isSame"]?.bool == true { return "nothing changed, routes version \(version) are in force" }
    var text = "routes version \(version) are in force, in the place of \(result["from"]?.string ?? "?")"
    let warnings = result["warnings"]?.integer ?? 0
    if warnings > 0 { text += "; \(CallText.count(warnings, "warning")), see routerd check" }
    if let problem = result["notKept"]?.string { text += "\nthey cannot be kept for a rollback: \(problem)" }
    return text
  }
}

/// `routerd drain`: lets the live calls finish and ends.
enum DrainCommand {
  static let spec = CommandSpec(
    name: "drain", summary: "Refuse new calls, let the live ones finish, then end",
    options: [
      OptionSpec("--seconds", value: "N", "Hang up after so many seconds"), CommonOption.socket,
      CommonOption.config,
    ],
    notes: "A second drain hangs up at once."
  ) { arguments in
    await Program.attempt {
      var request: [String: JSONValue] = [:]
      if let seconds = try arguments.integer("--seconds", 0...86_400) {
        request["seconds"] = .integer(seconds)
      }
      let result = try await ControlClient.ask("drain", .object(request), at: ControlPath.client(arguments))
      Terminal.print("draining; \(result["live"]?.integer ?? 0) calls are up")
      return .success
    }
  }
}

/// The status for a person.
enum StatusText {
  static func text(_ status: JSONValue) -> String {
    func text(_ key: String) -> String { status[key]?.string ?? "" }
    func number(_ key: String) -> Int { status[key]?.integer ?? 0 }
    let listening = status["listening"]?.array?.compactMap(\.string) ?? []
    var rows: [(String, String)] = [
      ("routerd", "\(text("version")), process \(number("pid")), up \(duration(number("uptimeSeconds")))"),
      ("state", text("state")), ("listening", listening.joined(separator: ", ")),
      ("calls", "\(number("liveCalls")) live, at most \(number("maximumCalls"))"),
      ("memory", "\(number("residentBytes") >> 20) MiB"),
    ]
    rows += routeRows(status["routes"] ?? .null)
    for loop in status["loops"]?.array ?? [] {
      let last = (loop["last"]?.number ?? 0).rounded(toPlaces: 2)
      let longest = (loop["longest"]?.number ?? 0).rounded(toPlaces: 2)
      rows.append(("loop", "\(loop["name"]?.string ?? ""): \(last) ms late, \(longest) at most in a minute"))
    }
    for backend in status["backends"]?.array ?? [] {
      let state = backend["state"]?.string ?? ""
      let seconds = backend["seconds"]?.integer ?? 0
      let failures = CallText.count(backend["failures"]?.integer ?? 0, "failure")
      rows.append(
        (
          "backend",
          "\(backend["provider"]?.string ?? ""): \(state), \(failures) in a row"
            + (state == "open" ? ", tried again in \(seconds) s" : "")
        ))
    }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }.joined(
      separator: "\n")
  }

  private static func routeRows(_ routes: JSONValue) -> [(String, String)] {
    func number(_ word: String) -> String { CallText.count(routes["\(word)s"]?.integer ?? 0, word) }
    let place = routes["directory"]?.string ?? "built in"
    var rows = [
      (
        "routes",
        "\(place), version \(routes["version"]?.string ?? ""), \(number("route")), \(number("agent")), "
          + "in force since \(routes["loadedAt"]?.string ?? "")"
      )
    ]
    let errors = routes["errorsOnDisk"]?.string
    if routes["standsOn"]?.string == "rollback" {
      rows.append(("", "a rollback: it stays until the files on disk change, or routerd reload"))
    }
    if errors == nil, routes["isSameOnDisk"]?.bool == false {
      rows.append(("", "the files on disk are NOT what is in force: routerd diff shows the difference"))
    }
    func add(_ sentence: String, _ errors: String) {
      rows.append(("", sentence))
      rows += errors.split(separator: "\n").map { ("", "  \($0)") }
    }
    if let errors { add("the files on disk are NOT what is in force, because they are wrong:", errors) }
    if let last = routes["lastReload"], last["isAccepted"]?.bool == false,
      let refused = last["errors"]?.string, refused != errors
    {
      add("the reload of \(last["at"]?.string ?? "") was refused:", refused)
    }
    return rows
  }

  /// `3 d 4 h`, `4 h 5 min`, `5 min`, `6 s`.
  static func duration(_ seconds: Int) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60)
    if days > 0 { return "\(days) d \(hours) h" }
    if hours > 0 { return "\(hours) h \(minutes) min" }
    return minutes > 0 ? "\(minutes) min" : "\(seconds) s"
  }
}

extension Double {
  /// Cut to so many digits after the point.
  func rounded(toPlaces places: Int) -> Double {
    var factor = 1.0
    for _ in 0..<places { factor *= 10 }
    return (self * factor).rounded() / factor
  }
}
