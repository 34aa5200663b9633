internal import FoundationEssentials
internal import RouterCore

/// What the control socket and the admin API can ask about routes.
extension Daemon {
  func routeControl(_ request: ControlRequest) async throws -> JSONValue {
    switch request.command {
    case "reload":
      let change = await reload(because: request.origin ?? "routerd reload")
      guard change.isAccepted else {
        throw ControlFailure(change.errors.rendered + "\nThe old routes (\(change.version)) stay in force.")
      }
      return json(change)
    case "rollback": return try await rollback(request.arguments["version"]?.string)
    case "versions": return await versions()
    case "diff":
      return try await diff(
        to: request.arguments["version"]?.string, againstCalls: request.arguments["calls"]?.integer)
    case "routes": return list(limit: request.arguments["limit"]?.integer ?? 1000)
    case "explain": return try explain(request.arguments["call"] ?? .null)
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
    if let last = routes.lastChange { object["lastReload"] = json(last) }
    switch routes.footing {
    case .files: object["standsOn"] = "files"
    case .rollback: object["standsOn"] = "rollback"
    case .lastGood: object["standsOn"] = "last good version"
    }
    return .object(object)
  }

  private func json(_ change: RoutesInForce.Change) -> JSONValue {
    [
      "at": .string(change.date.formatted(.iso8601)), "because": .string(change.reason),
      "isAccepted": .bool(change.isAccepted), "isSame": .bool(change.isSame),
      "errors": .string(change.errors.rendered), "warnings": .integer(change.warnings.all.count),
      "version": .string(change.version), "from": .string(change.from), "seconds": .number(change.seconds),
      "longestLoopDelay": .number(change.longestDelay),
      "notKept": change.notKept.map(JSONValue.string) ?? .null,
    ]
  }

  private func rollback(_ version: String?) async throws -> JSONValue {
    let change = try await routes.rollback(to: version)
    log.notice("routes rolled back", ("from", change.from), ("version", change.version))
    return json(change)
  }

  private func versions() async -> JSONValue {
    let kept = await onThread { [routes] in routes.versions?.entries ?? [] }
    let current = routes.snapshot.version
    return [
      "version": .string(current),
      "versions": .array(
        kept.map {
          [
            "version": .string($0.version), "at": .string($0.date.formatted(.iso8601)),
            "because": .string($0.reason), "isInForce": .bool($0.version == current),
            "files": .integer($0.files.count + $0.lists.count),
            "bytes": .integer(($0.files + $0.lists).reduce(0) { $0 + $1.bytes }),
          ]
        }),
    ]
  }

  /// What a reload would change, or a rollback to a version; with a number of calls, which of those recorded last
  /// would go elsewhere.
  private func diff(to version: String?, againstCalls count: Int?) async throws -> JSONValue {
    let reading = version == nil ? await routes.read() : try await routes.readKept(version)
    let new: RouteSnapshot
    do throws(DiagnosticList) { new = try reading.result.get() } catch {
      throw ControlFailure(error.rendered)
    }
    let records =
      if let count { try await store?.records(CallQuery(limit: max(1, min(count, 10_000)))) ?? [] } else {
        [CallRecord]()
      }
    // A large table takes seconds to compare.
    return await onThread(isPatient: true) { [old = routes.snapshot] in
      let diff = RouteDiff(from: old, to: new)
      var object: [String: JSONValue] = [
        "diff": diff.json, "lines": .array(diff.lines.map(JSONValue.string)), "isEmpty": .bool(diff.isEmpty),
      ]
      if count != nil {
        let replay = RouteReplay(records, from: old, to: new)
        object["replay"] = replay.json
        object["replayLines"] = .array(replay.lines.map(JSONValue.string))
      }
      return .object(object)
    }
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

  /// What the routes in force would make of a call.
  private func explain(_ call: JSONValue) throws -> JSONValue {
    let snapshot = routes.snapshot
    do throws(DiagnosticList) { return snapshot.explain(try snapshot.whatIf(call)).json } catch {
      throw ControlFailure(error.rendered)
    }
  }

  /// The decision of a real call, as it was recorded.
  private func why(_ id: String) async throws -> JSONValue {
    guard let record = try await store?.record(CallID(id)) else {
      throw ControlFailure("there is no record of a call \(id)", .notFound)
    }
    return try WhyCommand.answer(record)
  }
}
