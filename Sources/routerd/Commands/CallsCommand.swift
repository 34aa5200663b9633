internal import FoundationEssentials
internal import RouterCore

/// `routerd calls`: the live calls and the last records.
enum CallsCommand {
  static let spec = CommandSpec(
    name: "calls", summary: "The live calls and the last records; one call with its transcript",
    operands: [OperandSpec("CALL-ID", optional: true)],
    options: [
      OptionSpec("--limit", value: "N", "How many records; 20"),
      OptionSpec("--follow", "Print what happens, as it happens"),
      OptionSpec("--hang-up", "Hang the call up"), CommonOption.socket, CommonOption.config,
      CommonOption.json,
    ]
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    let path = try ControlPath.client(arguments)
    let isJSON = arguments.has("--json")
    if arguments.has("--hang-up") {
      guard let id = arguments.operands.first else {
        throw UsageError("CALL-ID is missing", command: "calls")
      }
      _ = try await ControlClient.ask("hangup", ["id": .string(id)], at: path)
      return .success
    }
    if arguments.has("--follow") {
      let request: JSONValue = arguments.operands.first.map { ["id": .string($0)] } ?? [:]
      _ = try await ControlClient.ask("follow", request, at: path, isOpenEnded: true) { event in
        if event["type"] != "following" {
          Terminal.print(isJSON ? EventText.json(event) : EventText.line(event))
        }
        return true
      }
      return .success
    }
    if let id = arguments.operands.first {
      let answer = try await StoredCalls.ask("call", ["id": .string(id)], arguments) { records in
        ["record": try JSON.value(try await StoredCalls.record(id, in: records))]
      }
      Terminal.print(isJSON ? try JSON.encode(answer, pretty: true) : try CallText.call(answer))
      return .success
    }
    let limit = try arguments.integer("--limit", 0...1000) ?? 20
    let answer = try await StoredCalls.ask("calls", ["limit": .integer(limit)], arguments) { records in
      ["live": [], "records": try JSON.value(try await records.records(CallQuery(limit: limit)))]
    }
    Terminal.print(isJSON ? try JSON.encode(answer, pretty: true) : try CallText.list(answer))
    return .success
  }
}

/// Call records, also when no routerd runs.
enum StoredCalls {
  /// Asks the running routerd. When there is none, and none was named, `stored` answers from the records themselves.
  static func ask(
    _ command: String, _ request: JSONValue, _ arguments: Arguments,
    stored: (any CallRecords) async throws -> JSONValue
  ) async throws -> JSONValue {
    do throws(ControlFailure) {
      return try await ControlClient.ask(command, request, at: try path(arguments))
    } catch {
      let settings = try Settings.load(arguments.value("--config"), plugins: plugins)
      guard error.code == ExitCode.unavailable.rawValue, arguments.value("--socket") == nil,
        let open = settings.openRecords
      else { throw error }
      let records: any CallRecords
      // Without records, what to say is that no routerd runs.
      do { records = try open() } catch {
        throw ControlFailure("no routerd runs, and \(error)", .unavailable)
      }
      Terminal.complain("routerd: none runs; this is from the records")
      return try await stored(records)
    }
  }

  private static func path(_ arguments: Arguments) throws(ControlFailure) -> String {
    do throws(DiagnosticList) { return try ControlPath.client(arguments) } catch {
      throw ControlFailure(error.rendered)
    }
  }

  /// A record by its identifier. Throws when there is none.
  static func record(_ id: String, in records: any CallRecords) async throws -> CallRecord {
    guard let record = try await records.record(CallID(id)) else {
      throw ControlFailure("there is no record of a call \(id)", .notFound)
    }
    return record
  }
}

/// Events of ``EventJSON`` for people.
enum EventText {
  static func json(_ event: JSONValue) -> String {
    (try? JSON.encode(event)) ?? "{}"  // it came as JSON a moment ago
  }

  static func line(_ event: JSONValue) -> String {
    let words = words(event)
    return LogLine.escaped("\(event["call"]?.string ?? "")  \(words)")
  }

  private static func words(_ event: JSONValue) -> String {
    func text(_ key: String) -> String { event[key]?.string ?? "" }
    switch event["type"]?.string {
    case "received": return "call from \(text("from")) to \(text("to"))"
    case "decided": return text("summary")
    case "changed": return text("state")
    case "agent": return "agent \(text("agent"))"
    case "transcript": return transcript(event["entry"] ?? .null)
    case "functionCalled":
      return
        "the function \(text("name")) is wanted, call \(text("call_id")): \(event["arguments"]?.text ?? "")"
    case "functionTimedOut": return "the function call \(text("call_id")) took too long"
    case "functionUpdate": return "\(text("function")) shows \(event["data"]?.text ?? "")"
    case "partial": return "… " + transcript(event["entry"] ?? .null)
    case "interrupted":
      return "the caller cut turn \(event["turn"]?["number"]?.integer ?? 0) off, after "
        + "\(event["playedMilliseconds"]?.integer ?? 0) ms of it"
    case "timing": return timing(event).map(CallSteps.line) ?? ""
    case "ended": return "ended: \(event["end"]?["reason"]?.string ?? "")"
    default: return text("type")
    }
  }

  static func timing(_ event: JSONValue) -> TurnTiming? {
    // It was encoded from one a moment ago.
    try? JSON.decode(TurnTiming.self, JSON.encode(event["timing"] ?? .null).utf8)
  }

  /// `agent: "Good day."`, `caller: pressed 1`.
  static func transcript(_ entry: JSONValue) -> String {
    let speaker = entry["speaker"]?.string ?? ""
    let text = entry["text"]?.string ?? ""
    return switch entry["kind"]?.string {
    case "speech": "\(speaker): \"\(text)\"\(entry["wasInterrupted"]?.bool == true ? " (cut off)" : "")"
    case "digits": "\(speaker): pressed \(text)"
    default: "\(speaker): \(entry["kind"]?.string ?? "") \(text)"
    }
  }
}
