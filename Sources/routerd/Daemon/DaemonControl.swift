internal import FoundationEssentials
internal import RouterCore

/// What the control socket and the admin API can ask of a running routerd.
extension Daemon {
  /// Carries out a request. Throws ``ControlFailure``.
  func control(_ request: ControlRequest, _ reply: ControlReply) async throws -> JSONValue {
    let arguments = request.arguments
    switch request.command {
    case "status": return try await status()
    case "endpoints": return web.endpoints(routes.snapshot)
    case "calls": return try await calls(limit: arguments["limit"]?.integer ?? 20)
    case "call": return try await record(arguments["id"]?.string ?? "")
    case "follow": return try await follow(arguments["id"]?.string, reply)
    case "hangup": return try hangUp(arguments["id"]?.string ?? "")
    case "functionOutput": return try await functionOutput(arguments)
    case "forget": return try await forget(request.arguments["person"]?.string ?? "")
    case "drain": return await drainByRequest(seconds: arguments["seconds"]?.integer)
    default: return try await routeControl(request)
    }
  }

  private func calls(limit: Int) async throws -> JSONValue {
    let live = engine.liveCalls
    let records = try await store?.records(CallQuery(limit: max(0, min(limit, 1000)))) ?? []
    return ["live": try JSON.value(live), "records": try JSON.value(records)]
  }

  private func record(_ id: String) async throws -> JSONValue {
    if let live = engine.liveCalls.first(where: { $0.id.text == id }) {
      return ["live": try JSON.value(live)]
    }
    guard let record = try await store?.record(CallID(id)) else {
      throw ControlFailure("there is no call \(id)", .notFound)
    }
    return ["record": try JSON.value(record)]
  }

  private func hangUp(_ id: String) throws -> JSONValue {
    guard engine.hangUp(CallID(id)) else { throw ControlFailure("no call \(id) is up", .notFound) }
    log.notice("hung up by request", ("call", id))
    return .null
  }

  /// The calling application answers an implicit function.
  private func functionOutput(_ arguments: JSONValue) async throws -> JSONValue {
    let call = arguments["id"]?.string ?? ""
    let id = arguments["call_id"]?.string ?? ""
    let result = ToolResult(
      callID: id, output: arguments["output"] ?? .null, isError: arguments["isError"]?.bool ?? false)
    guard await engine.functionOutput(CallID(call), result) else {
      throw ControlFailure("no call \(call) is up that waits for the output of \(id)", .notFound)
    }
    return .null
  }

  private func forget(_ person: String) async throws -> JSONValue {
    guard !person.isEmpty else {
      throw ControlFailure("whom? a number in E.164 or an externalClientId", .usage)
    }
    let conversations = try await memory?.forget(person) ?? 0
    let records = try await store?.eraseCaller(person) ?? 0
    log.notice(
      "a person was forgotten", ("conversations", "\(conversations)"), ("records", "\(records)"))
    return ["conversations": .integer(conversations), "records": .integer(records)]
  }

  /// Sends events until the client goes away; of one call, when it is named.
  private func follow(_ id: String?, _ reply: ControlReply) async throws -> JSONValue {
    let events = engine.observe()
    reply.event(["type": "following"])  // from here on nothing is missed
    for await event in events {
      if let id, event.call.text != id { continue }
      guard reply.event(try EventJSON.value(event)) else { break }
    }
    return .null
  }

  /// Answers at once; the draining goes on.
  private func drainByRequest(seconds: Int?) async -> JSONValue {
    let live = engine.liveCalls.count
    drain(deadline: seconds.map { .seconds($0) })
    return ["live": .integer(live)]
  }

  private func status() async throws -> JSONValue {
    let counters = metrics.all().map { ($0.0.text, JSONValue.number($0.1)) }
    return [
      "version": .string(routerdVersion), "pid": .integer(ProcessFacts.id),
      "uptimeSeconds": .integer(Int(Date().timeIntervalSince(started))),
      "state": engine.isDraining ? "draining" : "serving",
      "voipEndpoints": web.endpoints(of: routes.snapshot.voipAgents),
      "admin": admin.withLock { $0 }.map(JSONValue.string) ?? .null,
      "listening": .array(listening.withLock { $0 }.map(JSONValue.string)),
      "liveCalls": .integer(engine.liveCalls.count),
      "maximumCalls": .integer(settings.engine.maximumCalls),
      "residentBytes": .integer(ProcessFacts.residentBytes),
      "loops": try JSON.value(monitor.delays),
      "routes": await routeStatus(),
      "backends": try JSON.value(engine.troubledBackends),
      "counters": .object(Dictionary(counters) { _, last in last }),
    ]
  }
}

/// Events of the engine as JSON, for followers.
enum EventJSON {
  static func value(_ event: EngineEvent) throws -> JSONValue {
    var object: [String: JSONValue] = ["call": .string(event.call.text)]
    switch event {
    case .received(let call):
      object["type"] = "received"
      object["from"] = .string(call.from.uri)
      object["to"] = .string(call.to.uri)
      object["channel"] = .string(call.channel.rawValue)
      object["foreignID"] = call.foreignID.map(JSONValue.string)
    case .decided(_, let decision):
      object["type"] = "decided"
      object["decision"] = .string(decision.id)
      object["summary"] = .string(decision.summary)
    case .changed(_, let state):
      object["type"] = "changed"
      object["state"] = .string(state.rawValue)
    case .agent(_, let name):
      object["type"] = "agent"
      object["agent"] = .string(name)
    case .transcript(_, let entry):
      object["type"] = "transcript"
      object["entry"] = try JSON.value(entry)
    case .functionCalled(_, let call):
      object["type"] = "functionCalled"
      object["call_id"] = .string(call.id)
      object["name"] = .string(call.name)
      object["arguments"] = call.arguments
    case .functionTimedOut(_, let id):
      object["type"] = "functionTimedOut"
      object["call_id"] = .string(id)
    case .functionUpdate(_, let function, let data):
      object["type"] = "functionUpdate"
      object["function"] = .string(function)
      object["data"] = data
    case .partial(_, let entry):
      object["type"] = "partial"
      object["entry"] = try JSON.value(entry)
    case .interrupted(_, let turn, let at, let played):
      object["type"] = "interrupted"
      object["turn"] = try JSON.value(turn)
      object["at"] = .integer(at)
      object["playedMilliseconds"] = .integer(played)
    case .timing(_, let timing):
      object["type"] = "timing"
      object["timing"] = try JSON.value(timing)
    case .ended(let record):
      object["type"] = "ended"
      object["end"] = try JSON.value(record.end)
    }
    return .object(object)
  }
}
