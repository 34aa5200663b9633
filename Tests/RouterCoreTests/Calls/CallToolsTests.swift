import RouterTesting
import Testing

@testable import RouterCore

/// Tools in a whole call: sessions that live with it, what they hear and say, and what the model is told.
@Suite struct CallToolsTests {
  static func agent(_ functions: [FunctionDefinition], fallback: [String] = []) -> AgentConfiguration {
    AgentConfiguration(
      name: "reception", instructions: "Be kind.", functions: functions, providerType: "fake",
      fallback: fallback.map(AgentConfiguration.Fallback.agent))
  }

  static func function(_ key: String, _ change: (inout FunctionDefinition) -> Void = { _ in })
    -> FunctionDefinition
  {
    var function = FunctionDefinition(
      key: key, kind: "fake",
      tool: Tool(name: key, description: "A tool.", parameters: ["properties": ["a": [:]]]))
    change(&function)
    return function
  }

  static func harness(
    _ tool: FakeTool, _ functions: [FunctionDefinition],
    _ change: @escaping (inout EngineSettings) -> Void = { _ in }
  ) -> EngineHarness {
    EngineHarness(FakeRouting(.agent(agent(functions))), tools: [tool], settings: change)
  }

  @Test func aSessionLivesWithTheCall() async throws {
    let tool = FakeTool(instructions: "Mind the gap.")
    let harness = CallToolsTests.harness(
      tool, [CallToolsTests.function("echo") { $0.prompt = "Use it." }, CallToolsTests.function("look.up")])
    let (leg, session, task) = try await harness.answered()
    #expect(session.request.tools.map(\.name) == [Tool.hangUp, Tool.sendDigits, "echo", "look_up"])
    #expect(session.request.tools[2].parameters == ["type": "object", "properties": ["a": [:]]])
    #expect(session.request.agent.instructions == "Be kind.\n\n## echo(a)\nUse it.\n\nMind the gap.")
    let tools = try await tool.sessions.first { _ in true }
    session.report(.toolCall(ToolCall(id: "t1", name: "echo", arguments: ["a": 1], turn: TurnID(1))))
    try await session.commands.wait(for: .toolResult(ToolResult(callID: "t1", output: ["a": 1])))
    session.report(.heard("Hello?", confidence: nil, isFinal: true))
    try await tools.heard.first { $0.text == "Hello?" }
    leg.callerHangsUp()
    try await tools.closed.first { _ in true }
    let record = try await harness.record(task)
    #expect(record.transcript.map(\.kind) == [.toolCall, .toolResult, .speech])
    #expect(tools.runs.events.map(\.name) == ["echo"])
  }

  @Test func aToolIsAModelsFirstToken() async throws {
    let harness = CallToolsTests.harness(FakeTool(), [CallToolsTests.function("echo")])
    let (leg, session, task) = try await harness.answered()
    session.report(.speechEnded, .turnStarted(TurnID(1)))
    let call = ToolCall(id: "t1", name: "echo", arguments: ["a": 1], turn: TurnID(1))
    session.report(.toolCall(call), .turnEnded(TurnID(1)))
    try await session.commands.wait(for: .toolResult(ToolResult(callID: "t1", output: ["a": 1])))
    leg.callerHangsUp()
    let timing = try #require(try await harness.record(task).timings.first)
    #expect(timing.firstToken == timing.turnDetected && timing.firstAudio == nil)
  }

  @Test func theApplicationAnswers() async throws {
    let tool = FakeTool()
    let harness = CallToolsTests.harness(tool, [CallToolsTests.function("page")])
    let events = harness.engine.observe()
    let (leg, session, task) = try await harness.answered()
    let tools = try await tool.sessions.first { _ in true }
    let call = ToolCall(id: "t1", name: "page", turn: TurnID(1))
    session.report(.toolCall(call))
    try await tools.runs.wait(for: call)
    tools.request.report(.asked(call))
    tools.request.report(.update(function: "page", ["color": "red"]))
    var told: [String] = []
    for await event in events {
      switch event {
      case .functionCalled(_, let call): told.append("called \(call.name)")
      case .functionUpdate(_, let function, let data): told.append("\(function) \(data.text)")
      default: continue
      }
      if told.count == 2 { break }
    }
    #expect(told == ["called page", "page {\"color\": \"red\"}"])
    let id = tools.request.call.id
    let result = ToolResult(callID: "t1", output: "shown")
    #expect(await harness.engine.functionOutput(CallID("c-none"), result) == false)
    #expect(await harness.engine.functionOutput(id, ToolResult(callID: "t2", output: "x")) == false)
    #expect(await harness.engine.functionOutput(id, result))
    try await session.commands.wait(for: .toolResult(result))
    #expect(await harness.engine.functionOutput(id, result) == false, "once")
    leg.callerHangsUp()
    await task.value
  }

  @Test func aToolTellsTheAgentSomething() async throws {
    let tool = FakeTool()
    let harness = CallToolsTests.harness(tool, [CallToolsTests.function("stock")])
    let (leg, session, task) = try await harness.answered()
    let tools = try await tool.sessions.first { _ in true }
    for number in 0..<20 { tools.request.report(.context("news \(number)", responds: number == 19)) }
    try await session.commands.wait(for: .inform("news 19", responds: true))
    let texts = session.commands.events.compactMap { if case .inform(let text, _) = $0 { text } else { nil } }
    #expect(texts == (0..<20).map { "news \($0)" }, "in order")
    leg.callerHangsUp()
    await task.value
  }

  @Test func toolsThatCannotBeHadAreLeftOut() async throws {
    let harness = CallToolsTests.harness(
      FakeTool(failure: ToolFailure("away")), [CallToolsTests.function("stock")])
    let (leg, session, task) = try await harness.answered()
    #expect(session.request.tools.map(\.name) == [Tool.hangUp, Tool.sendDigits])
    leg.callerHangsUp()
    await task.value
  }

  @Test func aSlowServerDoesNotKeepTheCallerWaiting() async throws {
    let tool = FakeTool(latch: Latch())
    let harness = CallToolsTests.harness(tool, [CallToolsTests.function("stock")]) { $0.toolOpenSeconds = 3 }
    let task = harness.place(on: FakeLeg())
    try await tool.requests.first { _ in true }
    await harness.clock.advance(by: .seconds(4))
    let session = try await harness.model.session()
    #expect(session.request.tools.count == 2)
    task.cancel()
    await task.value
  }

  @Test func anAgentThatIsNoUseWithoutItsToolGivesWay() async throws {
    let stock = CallToolsTests.function("stock") { $0.connectionBehavior.abortOnFailure = true }
    let routing = FakeRouting(
      .agent(CallToolsTests.agent([stock], fallback: ["other"])),
      agents: [AgentConfiguration(name: "other", providerType: "fake")])
    let harness = EngineHarness(routing, tools: [FakeTool(failure: ToolFailure("away"))])
    let (leg, session, task) = try await harness.answered()
    #expect(session.request.agent.name == "other")
    leg.callerHangsUp()
    await task.value
  }

  @Test func aToolThatIsLostInMidCallMakesTheAgentGiveWay() async throws {
    let stock = CallToolsTests.function("stock") { $0.connectionBehavior.abortOnFailure = true }
    let routing = FakeRouting(
      .agent(CallToolsTests.agent([stock], fallback: ["other"])),
      agents: [AgentConfiguration(name: "other", providerType: "fake")])
    let tool = FakeTool()
    let harness = EngineHarness(routing, tools: [tool])
    let (leg, _, task) = try await harness.answered()
    let tools = try await tool.sessions.first { _ in true }
    tools.request.report(.lost("nobody cares", aborts: false))
    tools.request.report(.lost("the server is gone", aborts: true))
    let next = try await harness.model.session(1)
    #expect(next.request.agent.name == "other")
    leg.callerHangsUp()
    let record = try await harness.record(task)
    #expect(record.transcript.contains { $0.text.contains("the server is gone") })
  }

  @Test func keysArePressed() async throws {
    let harness = EngineHarness()
    let (leg, session, task) = try await harness.answered()
    session.report(
      .toolCall(ToolCall(id: "t1", name: Tool.sendDigits, arguments: ["digits": "12#"], turn: TurnID(1))),
      .toolCall(ToolCall(id: "t2", name: Tool.sendDigits, arguments: ["digits": "12x"], turn: TurnID(1))),
      .toolCall(ToolCall(id: "t3", name: Tool.sendDigits, turn: TurnID(1))))
    try await session.commands.wait(for: .toolResult(ToolResult(callID: "t1", output: "pressed")))
    for id in ["t2", "t3"] {
      let words: JSONValue = "digits must be 1 to 64 of 0-9, *, #, A-D and comma"
      try await session.commands.wait(for: .toolResult(ToolResult(callID: id, output: words, isError: true)))
    }
    try await leg.media.deeds.wait(for: .digits("12#"))
    leg.callerHangsUp()
    await task.value
  }

  @Test func toolsGetReadyForTheTable() async throws {
    let tool = FakeTool()
    let network = try #require(AddressPrefix("10.0.0.0/8"))
    let harness = CallToolsTests.harness(tool, []) { $0.toolNetworks = [network] }
    await harness.engine.prepareTools([
      CallToolsTests.function("a"), FunctionDefinition(key: "b", kind: "other"),
    ])
    #expect(tool.prepared.events.map { $0.map(\.key) } == [["a"]])
    #expect(tool.prepared.events[0][0].reach.permits("10.1.1.1"))
  }

  // MARK: Waiting

  typealias Machines = CallMachineTests

  static let asking: (Double, CallEvent) = (
    1, .voice(attempt: 1, .toolCall(ToolCall(id: "t1", name: "slow", turn: TurnID(1))))
  )

  @Test func aSlowToolIsBridgedWithWords() {
    var machine = ConversationTests.talking()
    #expect(Machines.play(&machine, [CallToolsTests.asking]).count == 2)
    #expect(Machines.play(&machine, [(2, .tick)]) == [])
    #expect(Machines.play(&machine, [(2.6, .tick)]) == [.send(attempt: 1, .say("One moment, please."))])
    #expect(Machines.play(&machine, [(5, .tick)]) == [], "once")
    let done = CallEvent.toolFinished(attempt: 1, ToolResult(callID: "t1", output: "x"))
    _ = Machines.play(&machine, [(6, done), (7, CallToolsTests.asking.1)])
    #expect(Machines.play(&machine, [(9, .tick)]) == [.send(attempt: 1, .say("Let me look that up."))])
  }

  @Test func aQuickToolIsNot() {
    var machine = ConversationTests.talking()
    let done = CallEvent.toolFinished(attempt: 1, ToolResult(callID: "t1", output: "x"))
    _ = Machines.play(&machine, [CallToolsTests.asking, (2, done)])
    #expect(Machines.play(&machine, [(3, .tick)]) == [])
  }

  @Test func nobodyIsTalkedOver() {
    var machine = ConversationTests.talking()
    _ = Machines.play(&machine, ConversationTests.speaking + [CallToolsTests.asking], sent: [TurnID(1): 900])
    #expect(Machines.play(&machine, [(3, .tick)]) == [])
  }

  @Test func aToolHasItsOwnTime() {
    var machine = ConversationTests.talking { $0.fillerMilliseconds = 0 }
    machine.toolSeconds = ["slow": 3]
    #expect(Machines.play(&machine, [CallToolsTests.asking]).count == 2)
    #expect(Machines.play(&machine, [(3.9, .tick)]) == [])
    let actions = Machines.play(&machine, [(4, .tick)])
    #expect(actions.prefix(2) == [.cancelTool(id: "t1"), .toolTimedOut(id: "t1")])
  }

  @Test(
    arguments: [
      (nil, "One moment, please."), ("de", "Einen Moment, bitte."), ("de-CH", "Einen Moment, bitte."),
      ("fr_CA", "Un instant, s'il vous plaît."), ("xx", "One moment, please."),
    ] as [(String?, String)]) func wordsAreOfTheAgentsLanguage(language: String?, words: String)
  {
    #expect(EngineSettings().fillerWords(for: language).first == words)
    var settings = EngineSettings()
    settings.fillerWords = ["de": ["Moment!"], "en": []]
    #expect(settings.fillerWords(for: "de-AT") == ["Moment!"] && settings.fillerWords(for: "en").isEmpty)
  }
}
