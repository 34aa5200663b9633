/// Carries out one kind of tool.
public protocol ToolAdapter: Sendable {
  /// Runs a tool; cancelled when its time is over or the call ends. Throwing becomes an error result for the model.
  func run(_ call: ToolCall, for conversation: InboundCall) async throws -> ToolResult
}
