internal import FoundationEssentials
internal import RouterCore

/// What the control socket can ask about routes.
extension Daemon {
  func routeControl(_ request: ControlRequest) async throws -> JSONValue {
    switch request.command {
    case "reload":
      let reload = await reload(because: "routerd reload")
      guard reload.isAccepted else {
        throw ControlFailure(reload.errors.rendered + "\nThe old routes (\(reload.version)) stay in force.")
      }
      return ["version": .string(reload.version)]
    case "rollback": return try rollback(request.arguments["version"]?.string ?? "")
    case "diff":
      return try await diff(againstCalls: request.arguments["calls"]?.integer)
    case "routes": return list(limit: request.arguments["limit"]?.integer ?? 1000)
    case "why": return try await why(request.arguments["id"]?.string ?? "")
    default: throw ControlFailure("this routerd knows no command '\(request.command)'", .usage)
    }
  }

  /// The routes' part of the status.
  func routeStatus() async -> JSONValue {
    let snapshot = routes.snapshot
    let disk = await routes.comparedWithDisk()
    var object: [String: JSONValue] = [
      "version": .string(snapshot.version), "directory": routes.directory.map(JSONValue.string) ?? .null,
      "files": .array(snapshot.files.map(JSONValue.string)), "routes": .integer(snapshot.routeCount),
      "agents": .integer(snapshot.agentNames.count), "trunks": .integer(snapshot.trunks.count),
      "loadedAt": .string(routes.loadedAt.formatted(.iso8601)), "isSameOnDisk": .bool(disk.isSame),
    ]
    if !disk.errors.isEmpty { object["errorsOnDisk"] = .string(disk.errors.rendered) }
    if let last = routes.lastReload {
      object["lastReload"] = [
        "at": .string(last.date.formatted(.iso8601)), "isAccepted": .bool(last.isAccepted),
        "errors": .string(last.errors.rendered),
      ]
    }
    return .object(object)
  }

  private func rollback(_ version: String) throws -> JSONValue {
    guard let snapshot = routes.router.snapshot(version: version) else {
      throw ControlFailure("there is no version \(version) to go back to", .notFound)
    }
    let old = routes.router.swap(snapshot)
    log.notice("routes rolled back", ("from", old.version), ("version", snapshot.version))
    return ["version": .string(snapshot.version), "from": .string(old.version)]
  }

  /// What a reload would change; with a number of calls, which of those recorded last would go elsewhere.
  private func diff(againstCalls count: Int?) async throws -> JSONValue {
    let new: RouteSnapshot
    do throws(DiagnosticList) { new = try await routes.loadAside().get() } catch {
      throw ControlFailure(error.rendered)
    }
    let diff = RouteDiff(from: routes.snapshot, to: new)
    var object: [String: JSONValue] = [
      "diff": diff.json, "lines": .array(diff.lines.map(JSONValue.string)), "isEmpty": .bool(diff.isEmpty),
    ]
    if let count {
      let records = try await store?.records(CallQuery(limit: max(1, min(count, 10_000)))) ?? []
      let replay = RouteReplay(records, from: routes.snapshot, to: new)
      object["replay"] = replay.json
      object["replayLines"] = .array(replay.lines.map(JSONValue.string))
    }
    return .object(object)
  }

  private func list(limit: Int) -> JSONValue {
    let snapshot = routes.snapshot
    let rows = snapshot.routes(in: 0..<max(0, min(limit, 10_000))).map { route -> JSONValue in
      [
        "name": .string(route.name), "location": .string(route.location),
        "priority": .integer(route.priority),
        "to": .array(route.to.map(JSONValue.string)),
        "conditions": .array(route.conditions.map(JSONValue.string)),
        "targets": .array(route.targets.map(JSONValue.string)),
        "limit": route.limit.map(JSONValue.string) ?? .null,
      ]
    }
    return [
      "version": .string(snapshot.version), "count": .integer(snapshot.routeCount), "routes": .array(rows),
    ]
  }

  /// The decision of a real call, as it was recorded.
  private func why(_ id: String) async throws -> JSONValue {
    guard let record = try await store?.record(CallID(id)) else {
      throw ControlFailure("there is no record of a call \(id)", .notFound)
    }
    return [
      "call": .string(id), "decision": record.decision ?? .null,
      "decisionID": record.decisionID.map(JSONValue.string) ?? .null,
      "version": record.snapshotVersion.map(JSONValue.string) ?? .null,
    ]
  }
}
