public import RouterCore

/// Implicit functions: the calling application learns of a call (``EngineEvent/functionCalled(_:_:)``) and answers it
/// (``CallEngine/functionOutput(_:_:)``). What nobody answers ends with the tool's time.
public struct ClientTool: Plugin, ToolAdapter {
  public static let name = "client-tool"
  public let kinds = [FunctionDefinition.Kind.client]

  public init(_ configuration: NoConfiguration, _ host: PluginHost) {}
  public init() {}

  public func open(_ request: ToolRequest) async throws -> any ToolSession { ClientToolSession(request) }
}

/// The implicit functions of one call.
private final class ClientToolSession: ToolSession {
  let offers: [ToolOffer]
  private let report: @Sendable (ToolEvent) -> Void
  private let waiting = Lock<[String: OneShot<ToolResult?>]>([:])

  init(_ request: ToolRequest) {
    report = request.report
    offers = request.functions.compactMap { function in
      function.tool.map { ToolOffer($0, timeout: function.timeout, prompt: function.prompt) }
    }
  }

  func run(_ call: ToolCall) async throws -> ToolResult {
    guard offers.contains(where: { $0.tool.name == call.name }) else {
      throw ToolFailure("there is no tool \(call.name)")
    }
    let answer = OneShot<ToolResult?>()
    waiting.withLock { $0[call.id] = answer }
    defer { _ = waiting.withLock { $0.removeValue(forKey: call.id) } }
    report(.asked(call))
    guard let result = await answer.value(cancelled: nil) else { throw CancellationError() }
    return result
  }

  func take(_ result: ToolResult) -> Bool {
    let answer = waiting.withLock { $0[result.callID] }
    return answer?.resolve(result) ?? false
  }
}
