import ClientTool
import RouterCore
import RouterTesting
import Testing

/// Functions that the calling application answers.
@Suite struct ClientToolTests {
  static let function = FunctionDefinition(
    key: "open_page", kind: FunctionDefinition.Kind.client,
    tool: Tool(name: "open_page", description: "Opens a page."))

  @Test func itConforms() async {
    let violations = await ToolConformance.violations([ClientToolTests.function]) { call, session in
      // From another thread, as an application does.
      Task { _ = session.take(ToolResult(callID: call.id, output: "opened")) }
    } _: {
      ClientTool()
    }
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test func anAnswerCountsOnce() async throws {
    let asked = Journal<ToolEvent>()
    let session = try await ClientTool().open(
      ToolRequest(
        call: .example(), agent: .example(), functions: [ClientToolTests.function], log: .silent,
        report: { asked.note($0) }))
    let call = ToolCall(id: "c1", name: "open_page", arguments: ["url": "x"], turn: TurnID(1))
    let running = Task { try await session.run(call) }
    try await asked.wait(for: .asked(call))
    #expect(!session.take(ToolResult(callID: "c2", output: "another's")))
    #expect(session.take(ToolResult(callID: "c1", output: "opened")))
    #expect(try await running.value == ToolResult(callID: "c1", output: "opened"))
    #expect(!session.take(ToolResult(callID: "c1", output: "again")))
  }
}
