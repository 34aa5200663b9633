/// The tools of a call: sessions are opened before an agent's voice session, and live as long as the call.
extension CallSession {
  /// Gets an agent's functions ready. What is not there in time is left out, unless the agent is of no use without it:
  /// then this throws ``VoiceFailure``.
  func openTools(for agent: AgentConfiguration) async throws {
    let groups = surroundings.toolGroups(of: agent)
    let missing = groups.filter { tools.sessions[$0.functions] == nil }
    let reports = reports
    let opened = await ToolOpening.all(
      missing, call: sheet.call, agent, log, { reports.yield($0) }, surroundings)
    for (group, result) in zip(missing, opened) {
      switch result {
      case .success(let session):
        if let extra = tools.keep(session, for: group.functions) { Task { await extra.close() } }
        if machine.isOver { Task { await session.close() } }
      case .failure(let failure):
        log.warning("tools are missing: \(failure.message)", ("functions", group.names))
        if group.functions.contains(where: \.connectionBehavior.abortOnFailure) {
          throw VoiceFailure(.unreachable, "the function \(group.names): \(failure.message)")
        }
      }
    }
    let sessions = groups.compactMap { group in
      tools.sessions[group.functions].map { (functions: group.functions, session: $0) }
    }
    setBench(ToolBench(for: agent, sessions))
    for note in tools.bench.notes { log.notice("\(note)") }
  }

  /// Where sessions tell things; read until the tools are closed.
  private var reports: AsyncStream<ToolEvent>.Continuation {
    if let reports = tools.reports { return reports }
    let (events, reports) = AsyncStream.makeStream(of: ToolEvent.self, bufferingPolicy: .bufferingNewest(256))
    tools.reports = reports
    Task { for await event in events { toolEvent(event) } }
    return reports
  }

  /// The tools of the agent that is being opened.
  func setBench(_ bench: ToolBench) {
    tools.bench = bench
    machine.toolSeconds = bench.bindings.compactMapValues(\.timeout)
  }

  /// Begins to run a tool.
  func run(_ call: ToolCall, for attempt: Int) {
    guard call.name != Tool.sendDigits else { return press(call, for: attempt) }
    tools.run(call) { [weak self] result in await self?.toolFinished(attempt, result) }
  }

  private func press(_ call: ToolCall, for attempt: Int) {
    let digits = call.arguments["digits"].flatMap { $0.string ?? $0.integer.map(String.init) } ?? ""
    let isLegal =
      !digits.isEmpty && digits.count <= 64 && digits.allSatisfy { "0123456789*#ABCDabcd,".contains($0) }
    guard let media, isLegal else {
      let text = "digits must be 1 to 64 of 0-9, *, #, A-D and comma"
      return toolFinished(attempt, ToolResult(callID: call.id, output: .string(text), isError: true))
    }
    Task {
      await media.sendDigits(digits)
      toolFinished(attempt, ToolResult(callID: call.id, output: "pressed"))
    }
  }

  private func toolFinished(_ attempt: Int, _ result: ToolResult) {
    tools.finished(result.callID)
    handle(.toolFinished(attempt: attempt, result))
  }

  private func toolEvent(_ event: ToolEvent) {
    let id = sheet.call.id
    switch event {
    case .asked(let call): surroundings.live.tell(.functionCalled(id, call))
    case .update(let function, let data):
      surroundings.live.tell(.functionUpdate(id, function: function, data))
    case .context(let text, let responds):
      guard let attempt = machine.attached else { return }
      send(.inform(text, responds: responds), to: attempt)
    case .lost(let text, let aborts):
      log.warning("a tool was lost: \(text)")
      guard aborts, let attempt = machine.current else { return }
      handle(.voice(attempt: attempt, .failed(VoiceFailure(.closed, text))))
    }
  }

  /// The calling application's answer to an implicit function; whether it was asked for.
  func takeFunctionOutput(_ result: ToolResult) -> Bool { tools.take(result) }

  /// Closes what was opened for tools; the end of the call waits for it.
  func closeTools() {
    tools.reports?.finish()
    let sessions = Array(tools.sessions.values)
    guard !sessions.isEmpty else { return tools.isClosed = true }
    Task {
      await withTaskGroup(of: Void.self) { group in
        for session in sessions { group.addTask { await session.close() } }
      }
      tools.isClosed = true
      closedOneSide()
    }
  }
}

/// Functions that one adapter carries out.
struct ToolGroup: Sendable {
  let adapter: any ToolAdapter
  let functions: [FunctionDefinition]
  var names: String { functions.map(\.key).joined(separator: ", ") }
}

extension Surroundings {
  /// An agent's functions by adapter, in the order of the agent; those that no plugin carries out are left out.
  func toolGroups(of agent: AgentConfiguration) -> [ToolGroup] {
    var groups: [(index: Int, functions: [FunctionDefinition])] = []
    for function in agent.functions {
      guard let index = tools.firstIndex(where: { $0.kinds.contains(function.kind) }) else {
        log.error(
          "no plugin carries out functions of this kind", ("function", function.key), ("kind", function.kind))
        continue
      }
      if let group = groups.firstIndex(where: { $0.index == index }) {
        groups[group].functions.append(function.reaching(settings.toolNetworks))
      } else {
        groups.append((index, [function.reaching(settings.toolNetworks)]))
      }
    }
    return groups.map { ToolGroup(adapter: tools[$0.index], functions: $0.functions) }
  }
}

/// Opens tool sessions side by side, each within the same limit.
enum ToolOpening {
  static func all(
    _ groups: [ToolGroup], call: InboundCall, _ agent: AgentConfiguration, _ log: Log,
    _ report: @escaping @Sendable (ToolEvent) -> Void, _ surroundings: Surroundings
  ) async -> [Result<any ToolSession, ToolFailure>] {
    await withTaskGroup(of: (Int, Result<any ToolSession, ToolFailure>).self) { tasks in
      for (index, group) in groups.enumerated() {
        let request = ToolRequest(
          call: call, agent: agent, functions: group.functions, log: log, report: report)
        tasks.addTask { (index, await open(group.adapter, request, surroundings)) }
      }
      var results = groups.map { _ in Result<any ToolSession, ToolFailure>.failure(ToolFailure("not opened"))
      }
      for await (index, result) in tasks {
        results[index] = result.mapError {
          ToolFailure(groups[index].functions.secrets.hidden(in: $0.message))
        }
      }
      return results
    }
  }

  private static func open(
    _ adapter: any ToolAdapter, _ request: ToolRequest, _ surroundings: Surroundings
  ) async -> Result<any ToolSession, ToolFailure> {
    let outcome = OneShot<Result<any ToolSession, ToolFailure>>()
    let seconds = surroundings.settings.toolOpenSeconds
    let isInTime = await surroundings.deadlines.bounded(.seconds(seconds)) {
      let result: Result<any ToolSession, ToolFailure>
      do {
        result = .success(try await adapter.open(request))
      } catch let failure as ToolFailure {
        result = .failure(failure)
      } catch {
        result = .failure(ToolFailure("\(type(of: error))"))  // its words are foreign and may hold a secret
      }
      // Too late: nobody will ever close it.
      if !outcome.resolve(result), case .success(let session) = result { await session.close() }
    }
    if !isInTime { outcome.resolve(.failure(ToolFailure("not ready within \(seconds) s"))) }
    return await outcome.value(cancelled: .failure(ToolFailure("given up")))
  }
}
