internal import RouterCore

/// What the control socket can ask about routes.
extension Daemon {
  func routeControl(_ request: ControlRequest) async throws -> JSONValue {
    switch request.command {
    case "reload":
      let report = await reload(because: "routerd reload")
      guard report.isAccepted else { throw ControlFailure(report.errors.joined(separator: "\n")) }
      return ["version": .string(report.version)]
    default: throw ControlFailure("this routerd knows no command '\(request.command)'", .usage)
    }
  }

  func routeStatus() -> JSONValue {
    ["version": .string(routes.version)]
  }
}
