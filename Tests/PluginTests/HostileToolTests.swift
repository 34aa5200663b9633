import HTTPTool
import Foundation
import MCPTool

@testable import RouterCore
import RouterTesting
import Testing
import WebSearchTool
import WebSocketTool

/// Servers of tools that break every rule: the model hears of it in short words without secrets, in time, and nobody is
/// sent elsewhere.
@Suite(.serialized) final class HostileToolTests {
  private static let secret = "sesame-0123456789"

  /// Which of a server's answers is spoilt, and by whom it is asked.
  enum Victim: String, CaseIterable, Sendable {
    case http, search, socket, mcpList, mcpCall

    var adapter: @Sendable (HTTPClient) -> any ToolAdapter {
      switch self {
      case .http: { HTTPTool(over: $0) }
      case .search: { WebSearchTool(over: $0) }
      case .socket: { WebSocketTool(over: $0) }
      case .mcpList, .mcpCall: { MCPTool(over: $0, .silent) }
      }
    }

    var kind: String {
      switch self {
      case .http: "http"
      case .search: "web-search"
      case .socket: "ws"
      case .mcpList, .mcpCall: "mcp"
      }
    }
  }

  private let loop = EventLoop(name: "test")

  /// What a decent server of MCP answers.
  private static func decent(_ body: JSONValue, _ result: JSONValue) -> HTTPServerReply {
    let answer: JSONValue = ["jsonrpc": "2.0", "id": body["id"] ?? .null, "result": result]
    return .response(
      HTTPResponse(
        status: 200, headers: [Header("Content-Type", "application/json")], body: Array(answer.text.utf8)))
  }

  private static func answer(
    _ request: HTTPServerRequest, _ victim: Victim, _ hostile: HostileAnswer
  ) async -> HTTPServerReply {
    guard victim == .mcpCall else { return await hostile.reply(echo: secret) }
    // What is no JSON has no members.
    let body = (try? JSONDecoder().decode(JSONValue.self, from: Data(request.body))) ?? .null
    switch body["method"]?.string {
    case "initialize":
      return decent(
        body,
        [
          "protocolVersion": "2025-06-18", "capabilities": [:],
          "serverInfo": ["name": "odd", "version": "1"],
        ])
    case "tools/list":
      return decent(body, ["tools": [["name": "look", "inputSchema": ["type": "object"]]]])
    case "tools/call": return await hostile.reply(echo: secret)
    default: return .response(HTTPResponse(status: request.method == "DELETE" ? 405 : 202))
    }
  }

  /// Opens a session and uses its first tool, as the engine does: for so long, and no longer.
  private static func use(_ victim: Victim, _ hostile: HostileAnswer, _ port: Int, _ client: HTTPClient)
    async throws
    -> String
  {
    var function = FunctionDefinition(
      key: "look", kind: victim.kind, url: "\(victim == .socket ? "ws" : "http")://127.0.0.1:\(port)/tool",
      headers: [Header("Authorization", "Bearer \(secret)")],
      tool: victim.kind == "mcp" ? nil : Tool(name: "look", description: "Looks."), reach: .anywhere)
    function.timeout = hostile == .never ? 1 : 60
    let request = ToolRequest(
      call: .example(), agent: .example(), functions: [function], log: .silent)
    do {
      let session = try await victim.adapter(client).open(request)
      let name = try #require(session.offers.first?.tool.name)
      var runner = ToolRunner(maximumBytes: 16 << 10)
      runner.bench = ToolBench(for: .example(), [([function], session)])
      let given = OneShot<ToolResult?>()
      runner.run(ToolCall(id: "c", name: name, arguments: ["query": "bikes"], turn: TurnID(1))) {
        given.resolve($0)
      }
      let limit = Task {
        // A server that never answers is given up as the engine does it; all others say what they have.
        try await Task.sleep(for: .seconds(hostile == .never ? 2 : 60))
        given.resolve(nil)
      }
      let result = await given.value(cancelled: nil)
      limit.cancel()
      runner.cancel("c")
      await session.close()
      guard let result else { return "cancelled" }
      return (result.isError ? "error: " : "") + (result.output.string ?? result.output.text)
    } catch let failure as ToolFailure {
      return "error: \(function.withoutSecrets(failure.message))"
    }
  }

  /// What is an answer all the same: the words that somebody's function gave.
  private static func isUsable(_ victim: Victim, _ hostile: HostileAnswer) -> Bool {
    switch (victim, hostile) {
    case (.http, .empty), (.http, .deepNesting): true
    default: false
    }
  }

  @Test func everyBadAnswerIsSurvived() async throws {
    let cells = Victim.allCases.flatMap { victim in HostileAnswer.allCases.map { (victim, $0) } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (victim, hostile) in cells {
        group.addTask { [loop] in
          let paths = Journal<String>()
          let server = HTTPServer(on: loop) { request in
            paths.note(String(request.path))
            return await Self.answer(request, victim, hostile)
          }
          let client = HTTPClient(on: loop)
          let words = try await Self.use(victim, hostile, Int(try await server.start().port), client)
          let name = "\(victim.rawValue), \(hostile.rawValue)"
          let isFailure = ["error: ", "cancelled"].contains { words.hasPrefix($0) }
          #expect(isFailure != Self.isUsable(victim, hostile), "\(name): \(words.prefix(600))")
          #expect(words.count < 600 || Self.isUsable(victim, hostile), "\(name): \(words.count) characters")
          #expect(!words.contains(Self.secret), "\(name): \(words.prefix(600))")
          #expect(!paths.events.contains("/elsewhere"), "\(name)")
          if hostile != .never { #expect(words != "cancelled", "\(name)") }
          await client.close()
          await server.close()
        }
      }
      try await group.waitForAll()
    }
  }

  /// One server that is silent must not take the others' tools with it, nor keep the caller waiting.
  @Test func aSilentServerIsLeftOut() async throws {
    func serve(_ hostile: HostileAnswer?) async throws -> (HTTPServer, FunctionDefinition) {
      let server = HTTPServer(on: loop) { request in
        if let hostile { return await hostile.reply() }
        return await Self.answer(request, .mcpCall, .empty)
      }
      let port = try await server.start().port
      let function = FunctionDefinition(
        key: hostile == nil ? "decent" : "silent", kind: "mcp", url: "http://127.0.0.1:\(port)/mcp",
        reach: .anywhere)
      return (server, function)
    }
    let (decent, silent) = (try await serve(nil), try await serve(.never))
    let client = HTTPClient(on: loop)
    let request = ToolRequest(
      call: .example(), agent: .example(), functions: [silent.1, decent.1], log: .silent)
    let session = try await MCPTool(over: client, .silent).open(request)
    #expect(session.offers.map(\.tool.name) == ["look"])
    await session.close()
    await client.close()
    await decent.0.close()
    await silent.0.close()
  }
}
