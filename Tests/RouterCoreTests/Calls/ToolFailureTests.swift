import RouterCore
import RouterTesting
import Testing

/// Tools that give too much, fail, or take too long: the agent is told something sensible.
@Suite(.timeLimit(.minutes(2))) struct ToolFailureTests {
  struct Shop: ToolAdapter, ToolSession {
    let latch: Latch?
    let kinds = ["shop"]
    let offers = [ToolOffer(Tool(name: "shop", description: "The shop."))]
    func open(_ request: ToolRequest) async throws -> any ToolSession { self }
    func run(_ call: ToolCall) async throws -> ToolResult {
      if let latch, await !latch.wait() { throw CancellationError() }
      if call.arguments["fail"] != nil { throw VoiceFailure(.protocolError, "password=secret") }
      let size = call.arguments["size"]?.integer ?? 4
      return ToolResult(callID: "whatever", output: .string(String(repeating: "x", count: size)))
    }
  }

  static func withTool(_ latch: Latch? = nil) -> EngineHarness {
    let shop = FunctionDefinition(key: "shop", kind: "shop")
    let agent = AgentConfiguration(name: "reception", functions: [shop], providerType: "fake")
    return EngineHarness(FakeRouting(.agent(agent)), tools: [Shop(latch: latch)]) { $0.toolSeconds = 3 }
  }

  static let toolCases: [(name: String, arguments: JSONValue, output: JSONValue, isError: Bool)] = [
    ("shop", [:], "xxxx", false),
    (
      "shop", ["size": 40000],
      .string(
        String(repeating: "x", count: 16384 - 53) + " … (cut: 40000 bytes, of which these are the first)"),
      false
    ),
    ("shop", ["fail": true], "the tool failed: VoiceFailure", true),
    ("nothing", [:], "there is no tool nothing", true),
  ]

  @Test(arguments: toolCases) func toolsGiveResults(
    name: String, arguments: JSONValue, output: JSONValue, isError: Bool
  ) async throws {
    let harness = ToolFailureTests.withTool()
    let (leg, session, task) = try await harness.answered()
    #expect(session.request.tools.map(\.name) == [Tool.hangUp, Tool.sendDigits, "shop"])
    session.report(.toolCall(ToolCall(id: "t1", name: name, arguments: arguments, turn: TurnID(1))))
    try await session.commands.wait(
      for: .toolResult(ToolResult(callID: "t1", output: output, isError: isError)))
    leg.callerHangsUp()
    await task.value
  }

  @Test func aSlowToolIsGivenUp() async throws {
    let harness = ToolFailureTests.withTool(Latch())
    let (leg, session, task) = try await harness.answered()
    session.report(.toolCall(ToolCall(id: "t1", name: "shop", turn: TurnID(1))))
    session.report(.heard("still here", confidence: nil, isFinal: true))
    let events = harness.engine.observe()
    leg.press("1")
    try await session.commands.wait(for: .digit("1"))
    for await event in events { if case .transcript = event { break } }
    try await harness.advance(by: .seconds(3)) {
      session.commands.events.contains { if case .toolResult = $0 { true } else { false } }
    }
    leg.callerHangsUp()
    let record = try await harness.record(task)
    #expect(record.transcript.contains { $0.text.hasPrefix("failed: \"Failed to fetch information") })
  }
}
