internal import RouterCore

/// `routerd rollback`: puts an earlier version of the routes in force.
enum RollbackCommand {
  static let spec = CommandSpec(
    name: "rollback", summary: "Put an earlier version of the routes in force",
    operands: [OperandSpec("VERSION", optional: true)],
    options: [CommonOption.socket, CommonOption.config, CommonOption.json],
    notes: """
      Without VERSION: the one that was in force before; its first digits are enough. It stays in force, also across a
      restart, until the files on disk change or somebody asks for a reload.
      """
  ) { arguments in
    await Program.attempt {
      let version = arguments.operands.first.map { JSONValue.string($0) } ?? .null
      let result = try await ControlClient.ask(
        "rollback", ["version": version], at: ControlPath.client(arguments))
      Terminal.print(
        arguments.has("--json")
          ? try JSON.encode(result, pretty: true)
          : "routes version \(result["version"]?.string ?? "?") are in force, in the place of \(result["from"]?.string ?? "?")"
      )
      return .success
    }
  }
}

/// `routerd versions`: what a rollback can go back to.
enum VersionsCommand {
  static let spec = CommandSpec(
    name: "versions", summary: "The versions of the routes that were in force, newest first",
    options: [CommonOption.socket, CommonOption.config, CommonOption.json]
  ) { arguments in
    await Program.attempt {
      let answer = try await ControlClient.ask("versions", at: ControlPath.client(arguments))
      if arguments.has("--json") {
        Terminal.print(try JSON.encode(answer, pretty: true))
        return .success
      }
      let rows = (answer["versions"]?.array ?? []).map { version in
        [
          version["version"]?.string ?? "", version["at"]?.string ?? "", version["because"]?.string ?? "",
          CallText.count(version["files"]?.integer ?? 0, "file"),
          "\(((version["bytes"]?.integer ?? 0) + 1023) >> 10) KiB",
          version["isInForce"]?.bool == true ? "in force" : "",
        ]
      }
      Terminal.print(
        rows.isEmpty
          ? "no versions are kept" : CallText.table(rows).map(LogLine.escaped).joined(separator: "\n"))
      return .success
    }
  }
}

/// `routerd why`: the decision of a real call.
enum WhyCommand {
  static let spec = CommandSpec(
    name: "why", summary: "Why a real call went where it went, from its record",
    operands: [OperandSpec("CALL-ID")],
    options: [CommonOption.socket, CommonOption.config, CommonOption.json]
  ) { arguments in
    await Program.attempt {
      let id = arguments.operands[0]
      let answer = try await StoredCalls.ask("why", ["id": .string(id)], arguments) { records in
        try WhyCommand.answer(await StoredCalls.record(id, in: records))
      }
      if arguments.has("--json") {
        Terminal.print(try JSON.encode(answer, pretty: true))
        return .success
      }
      Terminal.print(try lines(answer).map(LogLine.escaped).joined(separator: "\n"))
      return .success
    }
  }

  /// The answer to `why`, for people.
  static func lines(_ answer: JSONValue) throws -> [String] {
    let decision = answer["decision"] ?? .null
    var lines = decision["trace"].flatMap(Explanation.init)?.lines ?? []
    if lines.isEmpty {
      lines = [decision["summary"]?.string ?? "this call was refused before it was routed"]
    }
    if let limit = decision["limitReached"]?.string { lines.append("  limit reached: \(limit)") }
    let attempts = try JSON.decode([AgentAttempt].self, JSON.encode(answer["attempts"] ?? []).utf8)
    let timings = try JSON.decode([TurnTiming].self, JSON.encode(answer["timings"] ?? []).utf8)
    lines += CallSteps.attempts(attempts) + CallSteps.timings(timings)
    if let end = answer["end"], let reason = end["reason"]?.string {
      let (text, status) = (end["text"]?.string ?? "", end["sipStatus"]?.integer ?? 0)
      lines.append("  ended with \(status), \(reason)\(text.isEmpty ? "" : ": \(text)")")
    }
    return lines
  }
}

extension WhyCommand {
  /// What a record tells of its decision.
  static func answer(_ record: CallRecord) throws -> JSONValue {
    [
      "call": .string(record.id.text), "decision": record.decision?.value ?? .null,
      "decisionID": record.decisionID.map(JSONValue.string) ?? .null,
      "version": record.snapshotVersion.map(JSONValue.string) ?? .null,
      "attempts": try JSON.value(record.attempts), "timings": try JSON.value(record.timings),
      "end": try JSON.value(record.end),
    ]
  }
}

/// `routerd diff`: what a reload would change.
enum DiffCommand {
  static let spec = CommandSpec(
    name: "diff", summary: "What a reload would change, or a rollback to VERSION",
    operands: [OperandSpec("VERSION", optional: true)],
    options: [
      OptionSpec("--against", value: "WHAT", "calls: which of the last recorded calls would go elsewhere"),
      OptionSpec("--limit", value: "N", "How many calls; 1000"), CommonOption.socket, CommonOption.config,
      CommonOption.json,
    ],
    notes: "Exit status 0 when nothing would change, 1 when something would, or when the files are wrong."
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    var request: [String: JSONValue] = [:]
    request["version"] = arguments.operands.first.map(JSONValue.string)
    if try arguments.choice("--against", ["calls"]) != nil {
      request["calls"] = .integer(try arguments.integer("--limit", 1...10_000) ?? 1000)
    }
    let answer = try await ControlClient.ask("diff", .object(request), at: ControlPath.client(arguments))
    if arguments.has("--json") {
      Terminal.print(try JSON.encode(answer, pretty: true))
    } else {
      let lines = (answer["lines"]?.array ?? []) + (answer["replayLines"]?.array ?? [])
      Terminal.print(lines.compactMap(\.string).map(LogLine.escaped).joined(separator: "\n"))
    }
    return answer["isEmpty"]?.bool == true ? .success : .failure
  }
}

/// `routerd routes`: the routes in force.
enum RoutesCommand {
  static let spec = CommandSpec(
    name: "routes", summary: "The routes in force, in the order of the files",
    options: [
      OptionSpec("--limit", value: "N", "How many; 1000"), CommonOption.socket, CommonOption.config,
      CommonOption.json,
    ]
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    let limit = try arguments.integer("--limit", 1...10_000) ?? 1000
    let answer = try await ControlClient.ask(
      "routes", ["limit": .integer(limit)], at: ControlPath.client(arguments))
    if arguments.has("--json") {
      Terminal.print(try JSON.encode(answer, pretty: true))
      return .success
    }
    let routes = answer["routes"]?.array ?? []
    let rows = CallText.table(routes.map(row))
    let more = (answer["count"]?.integer ?? 0) - routes.count
    Terminal.print(
      (rows + (more > 0 ? ["… and \(more) more"] : [])).map(LogLine.escaped).joined(separator: "\n"))
    return .success
  }

  private static func row(_ route: JSONValue) -> [String] {
    func list(_ key: String) -> [String] { route[key]?.array?.compactMap(\.string) ?? [] }
    let to = list("to").isEmpty ? "any number" : "to " + list("to").joined(separator: ", ")
    let priority = route["priority"]?.integer ?? 0
    return [
      route["name"]?.string ?? "", ([to] + list("conditions")).joined(separator: "; "),
      "→ " + list("targets").joined(separator: ", then "), route["limit"]?.string ?? "",
      priority == 0 ? "" : "priority \(priority)", route["location"]?.string ?? "",
    ]
  }
}

/// `routerd schema`: the language of route files, for editors.
enum SchemaCommand {
  static let spec = CommandSpec(
    name: "schema", summary: "The JSON Schema of route files, for editors",
    notes: "# yaml-language-server: $schema=FILE at the top of a route file tells editors where it is."
  ) { _ in
    await Program.attempt {
      Terminal.print(try JSON.encode(JSONSchema.routeFile(types: .ofPlugins), pretty: true))
      return .success
    }
  }
}
