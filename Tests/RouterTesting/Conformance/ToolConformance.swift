public import RouterCore

/// What every ``ToolAdapter`` must do, with a function of its kind that works.
public enum ToolConformance {
  /// Tries an adapter out.
  /// - Parameters:
  ///   - functions: Functions of its kinds; the first one's first tool is used.
  ///   - arguments: What that tool takes.
  ///   - agent: Whom it works for; its functions are set.
  ///   - limit: How long one thing may take.
  ///   - answer: What plays the calling application, for implicit functions.
  ///   - make: Makes the adapter.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(
    _ functions: [FunctionDefinition], arguments: JSONValue = [:], agent: AgentConfiguration = .example(),
    within limit: Duration = .seconds(30),
    answer: @escaping @Sendable (ToolCall, any ToolSession) -> Void = { _, _ in },
    _ make: () async throws -> any ToolAdapter
  ) async -> [Violation] {
    var findings = Findings()
    await findings.attempt("an adapter is made") { findings in
      var agent = agent
      agent.functions = functions
      let adapter = try await make()
      let trial = Trial(adapter: adapter, agent: agent, arguments: arguments, limit: limit, answer: answer)
      findings.expect(
        functions.allSatisfy { adapter.kinds.contains($0.kind) }, "its functions are of its kinds",
        "\(adapter.kinds)")
      await findings.attempt("getting ready ends, also with nothing and twice") { _ in
        try await trial.prepare()
      }
      await findings.attempt("a session offers tools that models can be told of") {
        try await trial.offers(&$0)
      }
      await findings.attempt("a tool gives its result under the call's identifier") {
        try await trial.results(&$0)
      }
      await findings.attempt("a tool that is not there is an error") { try await trial.unknown(&$0) }
      await findings.attempt("a run that is cancelled ends") { try await trial.cancellation(&$0) }
      await findings.attempt("many calls go on at once") { try await trial.concurrency(&$0) }
      await findings.attempt("the conversation and odd answers are survived") {
        try await trial.oddities(&$0)
      }
      await findings.attempt("closing ends soon, also twice and while a tool runs") {
        try await trial.closing(&$0)
      }
    }
    return findings.violations
  }

  private struct Trial: Sendable {
    let adapter: any ToolAdapter
    let agent: AgentConfiguration
    let arguments: JSONValue
    let limit: Duration
    let answer: @Sendable (ToolCall, any ToolSession) -> Void

    /// A session, with the calling application behind it.
    func open() async throws -> any ToolSession {
      let box = Lock<(any ToolSession)?>(nil)
      let request = ToolRequest(call: .example(), agent: agent, functions: agent.functions, log: .silent) {
        event in
        guard case .asked(let call) = event, let session = box.withLock({ $0 }) else { return }
        answer(call, session)
      }
      let session = try await bounded(limit, "open") { try await adapter.open(request) }
      box.withLock { $0 = session }
      return session
    }

    private func close(_ session: any ToolSession) async throws {
      try await bounded(limit, "close") { await session.close() }
    }

    private func call(_ session: any ToolSession, id: String = "c1") throws -> ToolCall {
      guard let offer = session.offers.first else {
        throw NothingHappened(waitedFor: "an offer", instead: [])
      }
      return ToolCall(id: id, name: offer.tool.name, arguments: arguments, turn: TurnID(1))
    }

    func prepare() async throws {
      for functions in [[], agent.functions, agent.functions] {
        try await bounded(limit, "prepare") { await adapter.prepare(functions) }
      }
    }

    func offers(_ findings: inout Findings) async throws {
      let session = try await open()
      let names = session.offers.map(\.tool.name)
      findings.expect(!names.isEmpty, "there is something to use", "nothing is offered")
      findings.expect(Set(names).count == names.count, "no name is offered twice", "\(names)")
      findings.expect(session.offers == session.offers, "what is offered stays", "it changes")
      for offer in session.offers {
        findings.expect(!offer.tool.description.isEmpty, "a tool is described", offer.tool.name)
        findings.expect(
          offer.tool.parameters.object != nil, "parameters are a schema", offer.tool.parameters.text)
      }
      try await close(session)
    }

    func results(_ findings: inout Findings) async throws {
      let session = try await open()
      for id in ["c1", "c2"] {
        let call = try call(session, id: id)
        let result = try await bounded(limit, "a run") { try await session.run(call) }
        findings.expect(result.callID == id, "a result has the call's identifier", result.callID)
        findings.expect(!result.isError, "the tool works", result.output.text)
      }
      try await close(session)
    }

    func unknown(_ findings: inout Findings) async throws {
      let session = try await open()
      do {
        let call = ToolCall(id: "c", name: "no such tool", turn: TurnID(1))
        let result = try await bounded(limit, "a run of nothing") { try await session.run(call) }
        findings.expect(result.isError, "what is not there gives no result", result.output.text)
      } catch is ToolFailure {}
      try await close(session)
    }

    func cancellation(_ findings: inout Findings) async throws {
      let session = try await open()
      let call = try call(session)
      let task = Task { _ = try await session.run(call) }
      task.cancel()
      let ended = await ends(task, "a cancelled run")
      findings.expect(ended, "a run that is cancelled ends", "it goes on")
      try await close(session)
    }

    /// Whether a run ended, however.
    private func ends(_ task: Task<Void, any Error>, _ what: String) async -> Bool {
      do {
        try await bounded(limit, what) { _ = await task.result }
        return true
      } catch {
        return false
      }
    }

    func concurrency(_ findings: inout Findings) async throws {
      let session = try await open()
      let calls = try (0..<8).map { try call(session, id: "many-\($0)") }
      let ids = try await withThrowingTaskGroup(of: (String, String).self) { group in
        for call in calls {
          group.addTask {
            (call.id, try await bounded(limit, "a run") { try await session.run(call) }.callID)
          }
        }
        return try await group.reduce(into: [(String, String)]()) { $0.append($1) }
      }
      findings.expect(ids.allSatisfy { $0.0 == $0.1 }, "results are not mixed up", "\(ids)")
      try await close(session)
    }

    func oddities(_ findings: inout Findings) async throws {
      let session = try await open()
      for text in OddTexts.all {
        session.hear(TranscriptEntry(.caller, .speech, text, at: 1))
        session.hear(TranscriptEntry(.agent, .toolCall, text, at: 2))
        findings.expect(
          !session.take(ToolResult(callID: text, output: .string(text))),
          "an answer that nobody asked for is refused",
          "it was taken")
      }
      let call = try call(session)
      let result = try await bounded(limit, "a run") { try await session.run(call) }
      findings.expect(!result.isError, "the tool still works", result.output.text)
      try await close(session)
    }

    func closing(_ findings: inout Findings) async throws {
      let session = try await open()
      let call = try call(session)
      let task = Task { _ = try await session.run(call) }
      try await close(session)
      try await close(session)
      task.cancel()
      let ended = await ends(task, "a run of a closed session")
      findings.expect(ended, "nothing runs on after the end", "a tool does")
    }
  }
}
