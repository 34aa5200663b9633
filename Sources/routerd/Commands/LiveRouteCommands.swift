internal import RouterCore

/// `routerd rollback`: puts an earlier version of the routes in force.
enum RollbackCommand {
  static let spec = CommandSpec(
    name: "rollback", summary: "Put an earlier version of the routes in force",
    operands: [OperandSpec("VERSION")],
    options: [CommonOption.socket, CommonOption.config, CommonOption.json]
  ) { arguments in
    await Program.attempt {
      let version = JSONValue.string(arguments.operands[0])
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

/// `routerd why`: the decision of a real call.
enum WhyCommand {
  static let spec = CommandSpec(
    name: "why", summary: "Why a real call went where it went, from its record",
    operands: [OperandSpec("CALL-ID")],
    options: [CommonOption.socket, CommonOption.config, CommonOption.json]
  ) { arguments in
    await Program.attempt {
      let id = JSONValue.string(arguments.operands[0])
      let answer = try await ControlClient.ask("why", ["id": id], at: ControlPath.client(arguments))
      if arguments.has("--json") {
        Terminal.print(try JSON.encode(answer, pretty: true))
        return .success
      }
      let decision = answer["decision"] ?? .null
      var lines = decision["trace"].flatMap(Explanation.init)?.lines ?? []
      if lines.isEmpty {
        lines = [decision["summary"]?.string ?? "this call was refused before it was routed"]
      }
      Terminal.print(lines.map(LogLine.escaped).joined(separator: "\n"))
      return .success
    }
  }
}

/// `routerd diff`: what a reload would change.
enum DiffCommand {
  static let spec = CommandSpec(
    name: "diff", summary: "What a reload would change",
    options: [
      OptionSpec("--against", value: "WHAT", "calls: which of the last recorded calls would go elsewhere"),
      OptionSpec("--limit", value: "N", "How many calls; 1000"), CommonOption.socket, CommonOption.config,
      CommonOption.json,
    ],
    notes: "Exit status 0 when nothing would change, 1 when something would, or when the files are wrong."
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    var request: [String: JSONValue] = [:]
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
      Terminal.print(try JSON.encode(JSONSchema.routeFile(), pretty: true))
      return .success
    }
  }
}
