public import RouterCore

/// What every ``TextModel`` must do.
public enum TextModelConformance {
  /// Tries a model out.
  /// - Parameters:
  ///   - agent: Whom it speaks for.
  ///   - limit: How long one turn may take.
  ///   - make: Makes the model.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(
    for agent: AgentConfiguration = .example(), within limit: Duration = .seconds(30),
    _ make: () async throws -> any TextModel
  ) async -> [Violation] {
    var findings = Findings()
    await findings.attempt("a model is made") { findings in
      let trial = Trial(model: try await make(), agent: agent, limit: limit)
      await findings.attempt("every prompt gets a turn that ends") { try await trial.everyPrompt(&$0) }
      await findings.attempt("only tools that are offered are used") { try await trial.tools(&$0) }
      await findings.attempt("a turn can be cancelled") { try await trial.cancellation(&$0) }
      await findings.attempt("many conversations go on at once") { try await trial.concurrency(&$0) }
      trial.questions(&findings)
    }
    return findings.violations
  }

  private struct Trial {
    let model: any TextModel
    let agent: AgentConfiguration
    let limit: Duration

    private static let offered = [
      Tool(name: Tool.hangUp, description: "Ends the call."),
      Tool(name: Tool.handOver, description: "Hands the caller to a person."),
    ]

    private func request(_ prompt: TextRequest.Prompt, tools: [Tool] = offered, turn: Int = 1) -> TextRequest
    {
      TextRequest(
        agent: agent, prompt: prompt,
        transcript: prompt == .greeting ? [] : [TranscriptEntry(.agent, .speech, "Hello.", at: 0)],
        tools: tools, turn: TurnID(turn), log: .silent)
    }

    private func turn(_ request: TextRequest) async throws -> [TextEvent] {
      try await bounded(limit, "\(request.prompt)") { [model] in
        var events: [TextEvent] = []
        for try await event in model.respond(to: request) { events.append(event) }
        return events
      }
    }

    private func isAnswer(_ events: [TextEvent]) -> Bool {
      events.contains {
        switch $0 {
        case .text(let text): text.contains { !$0.isWhitespace }
        case .toolCall: true
        case .note, .trouble: false
        }
      }
    }

    func everyPrompt(_ findings: inout Findings) async throws {
      var prompts: [TextRequest.Prompt] = [
        .greeting, .takeover, .silence, .digits("1"), .digits("0"), .digits("*"), .digits("ABCD#"),
        .digits(String(repeating: "9", count: 64)), .speech("hello", confidence: nil),
        .speech("hello", confidence: 7), .speech("hello", confidence: -.infinity),
      ]
      prompts += OddTexts.all.map { .speech($0, confidence: 0.9) }
      for prompt in prompts {
        let events = try await turn(request(prompt))
        findings.expect(isAnswer(events), "a turn has words or uses a tool", "\(prompt) gave \(events)")
      }
      let results = [
        ToolResult(callID: "unknown", output: ["a": [1, nil]]),
        ToolResult(callID: "failed", output: "it failed", isError: true),
      ]
      _ = try await turn(request(.toolResults(results)))
      _ = try await turn(request(.toolResults([])))
      let greeting = try await turn(request(.greeting))
      let words = greeting.contains { if case .text(let text) = $0 { !text.isEmpty } else { false } }
      findings.expect(words, "a greeting has words", "\(greeting)")
    }

    func tools(_ findings: inout Findings) async throws {
      for (number, tools) in [[], Trial.offered].enumerated() {
        for prompt in [TextRequest.Prompt.digits("0"), .speech("goodbye", confidence: 1), .silence] {
          let turn = 40 + number
          var ids = Set<String>()
          for case .toolCall(let call) in try await self.turn(request(prompt, tools: tools, turn: turn)) {
            findings.expect(
              tools.contains { $0.name == call.name }, "only tools that are offered are used",
              "\(call.name) with \(tools.map(\.name))")
            findings.expect(call.turn == TurnID(turn), "a tool call names its turn", "\(call.turn)")
            findings.expect(ids.insert(call.id).inserted, "tool calls have identifiers of their own", call.id)
          }
        }
      }
    }

    func cancellation(_ findings: inout Findings) async throws {
      let asked = request(.greeting)
      try await bounded(limit, "a cancelled turn") { [model] in
        let reading = Task { for try await _ in model.respond(to: asked) { break } }
        reading.cancel()
        _ = await reading.result
        for try await _ in model.respond(to: asked) { break }  // a reader who leaves
      }
      findings.expect(isAnswer(try await turn(asked)), "a turn after a cancelled one is whole")
    }

    func concurrency(_ findings: inout Findings) async throws {
      let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<20 { group.addTask { isAnswer(try await turn(request(.greeting))) } }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      findings.expect(answers == 20, "many conversations go on at once", "\(answers) of 20 got an answer")
    }

    func questions(_ findings: inout Findings) {
      findings.expect(
        model.isComplete("12#", for: agent), "# ends a number", "12# was not taken for a whole answer")
      findings.expect(!model.isComplete("", for: agent), "no keys are no answer")
      var odd = agent
      odd.faqs = OddTexts.all.map { AgentConfiguration.FAQ(question: $0, answer: $0, phrases: [$0]) }
      _ = model.phrases(for: odd)
    }
  }
}

extension AgentConfiguration {
  /// An agent with two questions, for tests.
  public static func example() -> AgentConfiguration {
    AgentConfiguration(
      name: "reception", instructions: "You answer for a bicycle shop.",
      faqs: [
        FAQ(
          question: "When are you open?", answer: "From nine to six.",
          phrases: ["what are your opening hours"]),
        FAQ(question: "Where are you?", answer: "In Mill Road."),
      ])
  }
}
