internal import FoundationEssentials
internal import RouterCore

/// `routerd check`: whether settings and routes can be used.
enum CheckCommand {
  static let spec = CommandSpec(
    name: "check", summary: "Check settings and route files, without starting anything",
    options: [
      CommonOption.config, CommonOption.routes, OptionSpec("--strict", "Warnings count as errors"),
      OptionSpec("--timing", "Say how long the routes take to load and to ask"),
      CommonOption.json,
    ]
  ) { arguments in await Program.attempt { try check(arguments) } }

  private static func check(_ arguments: Arguments) throws -> ExitCode {
    var faults = DiagnosticList()
    var directory = arguments.value("--routes")
    var listensToWeb = true
    do throws(DiagnosticList) {
      let settings = try Settings.load(arguments.value("--config"), plugins: plugins)
      directory = directory ?? settings.routes.directory
      listensToWeb = !settings.web.listen.isEmpty
      faults.append(contentsOf: settings.obstacles())
    } catch {
      faults.append(contentsOf: error)
    }
    let place = RoutesInForce.place(directory)
    var snapshot: RouteSnapshot?
    var timing: RouteTiming?
    do throws(DiagnosticList) {
      let read = { () throws(DiagnosticList) in try place.map(RouteSource.directory) ?? .embedded }
      let loaded: RouteSnapshot
      if arguments.has("--timing") {
        let measured = try RouteTiming.measure(read)
        (loaded, timing) = (measured.0, measured.1)
      } else {
        loaded = try RouteTableLoader.load(try read(), types: .ofPlugins).get()
      }
      var warnings = loaded.warnings
      warnings.append(contentsOf: loaded.lint(channels: Channels.facts(loaded), advice: plugins.advice))
      if !listensToWeb { warnings.append(contentsOf: loaded.lintWebhooks(of: Channels.webhookTypes)) }
      if !warnings.isEmpty { faults.append(contentsOf: try read().quoting(warnings)) }
      if loaded.routeCount == 0 {
        faults.append(
          Diagnostic(
            .warning, "there is no route: calls get 404, but for those to an agent's own address",
            hint: "write e.g. routes: [{agent: NAME}]"))
      }
      snapshot = loaded
    } catch {
      faults.append(contentsOf: error)
    }
    let isGood = !faults.hasErrors && (faults.isEmpty || !arguments.has("--strict"))
    if arguments.has("--json") {
      Terminal.print(try JSON.encode(CheckReport(isGood, faults, snapshot, timing), pretty: true))
    } else {
      if !faults.isEmpty { Terminal.complain(faults.rendered) }
      if let snapshot, isGood { Terminal.print("\(place ?? "the built-in routes"): \(facts(snapshot))") }
      if let timing { Terminal.print(timing.line) }
    }
    return isGood ? .success : .failure
  }

  private static func facts(_ snapshot: RouteSnapshot) -> String {
    [
      CallText.count(snapshot.routeCount, "route"), CallText.count(snapshot.agentNames.count, "agent"),
      CallText.count(snapshot.trunks.count, "trunk"),
      CallText.count(snapshot.runTests().count, "test") + " passed",
      "version \(snapshot.version)",
    ].joined(separator: ", ")
  }
}

/// The report of a check, for programs.
private struct CheckReport: Encodable {
  struct Finding: Encodable {
    var severity: String
    var message: String
    var hint: String?
    var location: SourceLocation?
  }
  var isGood: Bool
  var version: String?
  var routes: Int?
  var findings: [Finding]
  var timing: RouteTiming?

  init(_ isGood: Bool, _ faults: DiagnosticList, _ snapshot: RouteSnapshot?, _ timing: RouteTiming?) {
    self.timing = timing
    self.isGood = isGood
    version = snapshot?.version
    routes = snapshot?.routeCount
    findings = faults.all.map {
      Finding(severity: $0.severity.rawValue, message: $0.message, hint: $0.hint, location: $0.location)
    }
  }
}

/// `routerd explain` and `routerd resolve`: what would become of a call.
enum ExplainCommand {
  private static let options = [
    OptionSpec("--to", value: "WHO", "The called number, name or URI"),
    OptionSpec("--from", value: "WHO", "The caller; anonymous without it"),
    OptionSpec("--channel", value: "NAME", "sip, voip, websocket or webrtc; sip"),
    OptionSpec("--trunk", value: "NAME", "The trunk that the call comes from"),
    OptionSpec("--connection", value: "NAME", "The registered connection that it comes to"),
    OptionSpec("--provider", value: "NAME", "The VoIP provider that announces it"),
    OptionSpec("--source", value: "ADDRESS", "The address that it comes from"),
    OptionSpec("--header", value: "'NAME: VALUE'", repeatable: true, "A header that it carries"),
    OptionSpec("--diversion", value: "WHO", repeatable: true, "Who was called before"),
    OptionSpec("--attestation", value: "LEVEL", "A, B or C (STIR/SHAKEN)"),
    OptionSpec("--language", value: "TAG", "The language that it asks for"),
    OptionSpec("--at", value: "TIME", "When: 2026-12-25T10:00:00Z, or with +01:00; now"),
    OptionSpec("--default-agent", value: "NAME", "Who answers when no route takes it"),
    CommonOption.config, CommonOption.routes, CommonOption.json,
  ]

  static let spec = CommandSpec(
    name: "explain",
    summary: "Where a call would go, and why: each route that was asked and what kept it away",
    options: options + [
      OptionSpec("--live", "Ask the routes in force of the running routerd, not the files"),
      CommonOption.socket,
    ]
  ) { arguments in
    await Program.attempt {
      let explanation = arguments.has("--live") ? try await live(arguments) : try explain(arguments)
      Terminal.print(
        arguments.has("--json")
          ? try JSON.encode(explanation.json, pretty: true)
          : explanation.lines.map(LogLine.escaped).joined(separator: "\n"))
      return .success
    }
  }

  static let resolve = CommandSpec(
    name: "resolve", summary: "The settings of the agent that a call would get, with the place of each",
    options: [OptionSpec("--agent", value: "NAME", "This agent, whoever the call would get")] + options,
    notes: """
      With --agent, --to may be missing: then without a route's overrides. With both, those of the route that the call
      takes count when it goes to this agent.
      """
  ) { arguments in
    await Program.attempt {
      let (summary, settings) = try resolved(arguments)
      if arguments.has("--json") {
        Terminal.print(try JSON.encode(JSONValue.array(settings.map(\.json)), pretty: true))
      } else {
        let rows = try settings.map { [$0.path, try JSON.encode($0.value), $0.origin] }
        Terminal.print(([summary] + CallText.table(rows)).map(LogLine.escaped).joined(separator: "\n"))
      }
      return .success
    }
  }

  private static func snapshot(_ arguments: Arguments) throws -> RouteSnapshot {
    let settings = try Settings.load(arguments.value("--config"), plugins: plugins)
    let directory = arguments.value("--routes") ?? settings.routes.directory
    return try RouteReading.disk(RoutesInForce.place(directory)).result.get()
  }

  private static func explain(_ arguments: Arguments) throws -> Explanation {
    let call = try WhatIfCall.read(arguments)
    let snapshot = try snapshot(arguments)
    return snapshot.explain(try snapshot.whatIf(call))
  }

  private static func live(_ arguments: Arguments) async throws -> Explanation {
    let answer = try await ControlClient.ask(
      "explain", ["call": try WhatIfCall.read(arguments)], at: ControlPath.client(arguments))
    guard let explanation = Explanation(answer) else {
      throw ControlFailure("routerd answered something else than an explanation", .software)
    }
    return explanation
  }

  private static func resolved(_ arguments: Arguments) throws -> (String, [ResolvedSetting]) {
    guard let agent = arguments.value("--agent") else {
      let explanation = try explain(arguments)
      return (explanation.summary, explanation.settings)
    }
    let call: JSONValue? = arguments.value("--to") == nil ? .none : try WhatIfCall.read(arguments)
    let channel = try arguments.choice("--channel", WhatIfCall.channels) ?? "sip"
    let snapshot = try snapshot(arguments)
    let asked = try call.map { try snapshot.whatIf($0) }
    guard
      let settings = snapshot.settings(ofAgent: agent, channel: ChannelKind(rawValue: channel), for: asked)
    else {
      let near = snapshot.agentName(near: agent).map { "; did you mean \($0)?" } ?? ""
      throw ControlFailure("there is no agent \(agent)\(near)", .notFound)
    }
    return ("agent \(agent) on \(channel)", settings)
  }
}
