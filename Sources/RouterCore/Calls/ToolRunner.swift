/// Runs the tools of one call, each as a task; how long they may take is the call's own matter.
struct ToolRunner {
  private var running: [String: Task<Void, Never>] = [:]
  private let bindings: [String: ToolBinding]
  private let conversation: InboundCall
  private let maximumBytes: Int

  init(_ bindings: [String: ToolBinding], for conversation: InboundCall, maximumBytes: Int) {
    self.bindings = bindings
    self.conversation = conversation
    self.maximumBytes = maximumBytes
  }

  /// What an agent may use: its functions, the end of the call, and a person if it has one.
  func tools(for agent: AgentConfiguration) -> [Tool] {
    var tools = agent.functions.compactMap { bindings[$0]?.tool }
    tools.append(
      Tool(
        name: Tool.hangUp,
        description: "End the call. Say goodbye first; the call ends when your words were played."))
    if agent.humanHandoff.enabled, agent.humanHandoff.transferExtension != nil {
      let condition = agent.humanHandoff.transferDescription ?? "When the caller asks for a person."
      tools.append(
        Tool(
          name: Tool.handOver,
          description: "Hand the caller over to a person. \(condition) Tell the caller first; the transfer"
            + " begins when your words were played. A result comes only when it failed."))
    }
    return tools
  }

  /// Starts a tool; `done` is called once with its result, unless it is cancelled.
  mutating func run(_ call: ToolCall, done: @escaping @Sendable (ToolResult) async -> Void) {
    running[call.id] = Task { [bindings, conversation, maximumBytes] in
      let result = await ToolRunner.result(of: call, bindings, conversation, maximumBytes)
      if !Task.isCancelled { await done(result) }
    }
  }

  private static func result(
    of call: ToolCall, _ bindings: [String: ToolBinding], _ conversation: InboundCall, _ maximumBytes: Int
  ) async -> ToolResult {
    func error(_ text: String) -> ToolResult {
      ToolResult(callID: call.id, output: .string(text), isError: true)
    }
    guard let binding = bindings[call.name] else { return error("there is no tool \(call.name)") }
    do {
      var result = try await binding.adapter.run(call, for: conversation)
      result.callID = call.id
      let size = result.output.text.utf8.count
      guard size <= maximumBytes else {
        return error("the result is too long: \(size) bytes of at most \(maximumBytes)")
      }
      return result
    } catch {
      // Only what kind of error it is: its words may hold what the model must not repeat to a caller.
      return ToolResult(
        callID: call.id, output: .string("the tool failed: \(type(of: error))"), isError: true)
    }
  }

  /// Forgets a tool that has given its result.
  mutating func finished(_ id: String) { running[id] = nil }

  mutating func cancel(_ id: String) { running.removeValue(forKey: id)?.cancel() }
}
