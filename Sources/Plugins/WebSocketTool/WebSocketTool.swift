public import RouterCore

/// Explicit functions over WebSockets: one socket for each server and call, which may also push what it has to tell.
public struct WebSocketTool: Plugin, ToolAdapter {
  public static let name = "websocket-tool"
  public let kinds = ["ws", "wss"]
  private let client: HTTPClient

  public init(_ configuration: NoConfiguration, _ host: PluginHost) { client = host.http }

  /// An adapter whose sockets are opened by `client` and live on its loop.
  public init(over client: HTTPClient) { self.client = client }

  public func open(_ request: ToolRequest) async throws -> any ToolSession {
    let session = WebSocketToolSession(request, client)
    try await session.begin()
    return session
  }
}

/// The WebSocket functions of one call.
private final class WebSocketToolSession: ToolSession {
  let offers: [ToolOffer]
  /// The socket of each function, by the tool's name.
  private let sockets: [String: ToolSocket]
  private let all: [ToolSocket]

  init(_ request: ToolRequest, _ client: HTTPClient) {
    var offers: [ToolOffer] = []
    var groups: [[FunctionDefinition]] = []
    for function in request.functions {
      guard let tool = function.tool, !offers.contains(where: { $0.tool.name == tool.name }) else {
        request.log.warning(
          "a function is left out: it has no data, or its name is taken", ("function", function.key))
        continue
      }
      offers.append(ToolOffer(tool, timeout: function.timeout, prompt: function.prompt))
      // Functions of one server share the socket, and its manners.
      if let index = groups.firstIndex(where: {
        $0[0].url == function.url && $0[0].headers == function.headers
      }) {
        groups[index].append(function)
      } else {
        groups.append([function])
      }
    }
    self.offers = offers
    var sockets: [String: ToolSocket] = [:]
    all = groups.map { functions in
      let socket = ToolSocket(functions, request, client)
      for function in functions { sockets[function.tool?.name ?? ""] = socket }
      return socket
    }
    self.sockets = sockets
  }

  /// Connects; waits for those that want it. Throws ``ToolFailure`` when the call is no use without one of them.
  func begin() async throws(ToolFailure) {
    for socket in all { await socket.start() }
    for socket in all where socket.isWaitedFor {
      let isOpen = await socket.firstAttempt()
      if !isOpen, socket.aborts {
        await close()
        throw ToolFailure("the function's server cannot be reached")
      }
    }
  }

  func run(_ call: ToolCall) async throws -> ToolResult {
    guard let socket = sockets[call.name] else { throw ToolFailure("there is no function \(call.name)") }
    return try await socket.run(call)
  }

  func hear(_ entry: TranscriptEntry) { for socket in all { socket.hear(entry) } }

  func close() async { for socket in all { await socket.close() } }
}
