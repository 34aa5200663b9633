import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import MCPTool

/// Servers that forget, move, page, babble and lie: what real ones did to others' clients.
@Suite(.serialized) final class MCPOddServerTests {
  /// What a request said.
  struct Seen: Sendable {
    var method: String
    var rpc: String
    var session: String?
    var version: String?
    var body: JSONValue
    var headers: [Header]
  }

  typealias Answer = @Sendable (Seen, Int) -> HTTPResponse

  private let loop = EventLoop(name: "test")
  private let seen = Journal<Seen>()

  /// Serves, with the number of the request; opens a session; calls `look`; closes.
  private func play(
    settings: JSONValue = [:], arguments: JSONValue = [:], calls: Int = 1, _ answer: @escaping Answer
  ) async throws -> [Result<ToolResult, any Error>] {
    let seen = seen
    let server = HTTPServer(on: loop) { request in
      // What is no JSON has no members.
      let body = (try? JSONDecoder().decode(JSONValue.self, from: Data(request.body))) ?? .null
      func header(_ name: String) -> String? { request.headers.first { $0.name.lowercased() == name }?.value }
      let one = Seen(
        method: request.method, rpc: body["method"]?.string ?? "", session: header("mcp-session-id"),
        version: header("mcp-protocol-version"), body: body, headers: request.headers)
      let number = seen.events.count
      seen.note(one)
      return .response(answer(one, number))
    }
    let port = Int(try await server.start().port)
    let client = HTTPClient(on: loop)
    let tool = MCPTool(over: client, .silent)
    var results: [Result<ToolResult, any Error>] = []
    do {
      let session = try await MCPServerTests.session(tool, MCPServerTests.function(port, "/mcp", settings))
      for number in 0..<calls {
        let call = ToolCall(id: "c\(number)", name: "look", arguments: arguments, turn: TurnID(1))
        do { results.append(.success(try await session.run(call))) } catch { results.append(.failure(error)) }
      }
      await session.close()
    } catch {
      results.append(.failure(error))
    }
    await client.close()
    await server.close()
    return results
  }

  private func words(_ result: Result<ToolResult, any Error>?) -> String {
    switch result {
    case .success(let result)?:
      (result.isError ? "error: " : "") + (result.output.string ?? result.output.text)
    case .failure(let error)?: "\(error)"
    case nil: "nothing"
    }
  }

  @Test func theSequenceIsThatOfTheSpecification() async throws {
    let results = try await play { seen, _ in MCPOddServerTests.decent(seen) }
    #expect(results.map(words) == ["seen"])
    let rpc = seen.events.map { $0.rpc.isEmpty ? $0.method : $0.rpc }
    let hands = ["initialize", "notifications/initialized"]
    #expect(rpc == hands + ["tools/list", "DELETE"] + hands + ["tools/call", "DELETE"])
    for one in seen.events where one.rpc != "initialize" {
      #expect(one.session == "s1" && one.version == "2025-06-18", "\(one.rpc)")
    }
    #expect(seen.events[0].session == nil)
    #expect(seen.events[0].body["params"]?["protocolVersion"] == "2025-11-25")
    for one in seen.events where one.method == "POST" {
      let accept = one.headers.first { $0.name.lowercased() == "accept" }?.value ?? ""
      #expect(accept.contains("application/json") && accept.contains("text/event-stream"))
    }
  }

  @Test func listsHavePages() async throws {
    let session = try await playOffers { seen, _ in
      guard seen.rpc == "tools/list" else { return MCPOddServerTests.decent(seen) }
      let page = seen.body["params"]?["cursor"]?.string.flatMap(Int.init) ?? 0
      return MCPOddServerTests.result(
        seen,
        [
          "tools": [["name": .string("tool\(page)")]],
          "nextCursor": page < 4 ? .string("\(page + 1)") : .null,
        ])
    }
    #expect(session == (0..<5).map { "tool\($0)" })
  }

  @Test func aListWithoutEndEnds() async throws {
    let same = try await playOffers { seen, _ in
      guard seen.rpc == "tools/list" else { return MCPOddServerTests.decent(seen) }
      return MCPOddServerTests.result(
        seen, ["tools": [["name": "a"], "nonsense", ["title": "nameless"]], "nextCursor": "x"])
    }
    #expect(same == ["a"])
    let endless = try await playOffers { seen, number in
      guard seen.rpc == "tools/list" else { return MCPOddServerTests.decent(seen) }
      return MCPOddServerTests.result(
        seen, ["tools": [["name": .string("t\(number)")]], "nextCursor": .string("\(number)")])
    }
    #expect(endless.count == MCPTools.maximumPages)
  }

  private func playOffers(_ answer: @escaping Answer) async throws -> [String] {
    let server = HTTPServer(on: loop) { request in
      // What is no JSON has no members.
      let body = (try? JSONDecoder().decode(JSONValue.self, from: Data(request.body))) ?? .null
      let one = Seen(method: request.method, rpc: body["method"]?.string ?? "", body: body, headers: [])
      return .response(answer(one, Int.random(in: 0..<1_000_000_000)))
    }
    let port = Int(try await server.start().port)
    let client = HTTPClient(on: loop)
    let session = try await MCPServerTests.session(
      MCPTool(over: client, .silent), MCPServerTests.function(port, "/mcp"))
    await session.close()
    await client.close()
    await server.close()
    return session.offers.map(\.tool.name)
  }

  @Test(arguments: 0..<forgetting.count) func aForgottenSessionIsBegunAnew(way: Int) async throws {
    let forgotten = Lock(0)
    let results = try await play(calls: 2) { seen, number in
      let isFirst = forgotten.withLock { count in
        if seen.rpc == "tools/call" { count += 1 }
        return count == 1
      }
      if seen.rpc == "tools/call", isFirst { return MCPOddServerTests.forgetting[way](seen) }
      return MCPOddServerTests.decent(seen, session: "s\(number)")
    }
    #expect(results.map(words) == ["seen", "seen"])
    let sessions = seen.events.filter { $0.rpc == "tools/call" }.compactMap(\.session)
    #expect(sessions.count == 3 && sessions[0] != sessions[1] && sessions[1] == sessions[2])
  }

  @Test func aServerThatAlwaysForgetsIsGivenUp() async throws {
    let results = try await play { seen, _ in
      seen.rpc == "tools/call" ? HTTPResponse(status: 404) : MCPOddServerTests.decent(seen)
    }
    #expect(results.map(words) == ["Failed to fetch information: the server answered 404"])
    #expect(seen.events.filter { $0.rpc == "tools/call" }.count == 2)
  }

  /// A server of the newest revision only.
  @Test func aServerWithoutSessionsIsFoundOut() async throws {
    let results = try await play(arguments: ["region": "süd", "n": 7]) { seen, _ in
      guard seen.body["params"]?["_meta"] != nil else {
        return MCPOddServerTests.error(seen, -32022, "Unsupported protocol version", status: 400)
      }
      if seen.rpc == "tools/list" {
        let region: JSONValue = ["type": "string", "x-mcp-header": "Region"]
        let schema: JSONValue = [
          "type": "object", "properties": ["region": region, "n": ["type": "integer", "x-mcp-header": "N"]],
        ]
        let wrong: JSONValue = [
          "type": "object", "properties": ["a": ["type": "object", "x-mcp-header": "A"]],
        ]
        return MCPOddServerTests.result(
          seen,
          [
            "resultType": "complete",
            "tools": [["name": "look", "inputSchema": schema], ["name": "wrong", "inputSchema": wrong]],
          ])
      }
      return MCPOddServerTests.result(
        seen, ["resultType": "complete", "content": [["type": "text", "text": "seen"]]])
    }
    #expect(results.map(words) == ["seen"])
    let call = try #require(seen.events.first { $0.rpc == "tools/call" })
    func header(_ name: String) -> String? { call.headers.first { $0.name.lowercased() == name }?.value }
    #expect(header("mcp-protocol-version") == "2026-07-28" && header("mcp-method") == "tools/call")
    #expect(header("mcp-name") == "look" && header("mcp-session-id") == nil)
    #expect(header("mcp-param-region") == "=?base64?c8O8ZA==?=" && header("mcp-param-n") == "7")
    #expect(!seen.events.contains { $0.method == "DELETE" })
  }

  @Test(arguments: 0..<bad.count) func whateverComesTheModelHearsOfIt(index: Int) async throws {
    let (name, answer, expected) = MCPOddServerTests.bad[index]
    let results = try await play { seen, _ in
      seen.rpc == "tools/call" ? answer(seen) : MCPOddServerTests.decent(seen)
    }
    #expect(results.map(words) == [expected], "\(name)")
  }

  @Test func aServerThatIsNotThereIsLeftOut() async throws {
    let client = HTTPClient(on: loop)
    let tool = MCPTool(over: client, .silent)
    await #expect(throws: ToolFailure.self) {
      _ = try await MCPServerTests.session(tool, MCPServerTests.function(1, "/mcp"))
    }
    let inside = FunctionDefinition(key: "inside", kind: "mcp", url: "http://127.0.0.1:1/mcp")
    await #expect(throws: ToolFailure("the server may not be reached: its address is not public")) {
      _ = try await MCPServerTests.session(tool, inside)
    }
    await client.close()
  }

  @Test func toolsOfAllServersAreToldApartAndSomeAreHidden() async throws {
    let settings: JSONValue = ["allowedTools": ["look"], "requireApproval": "always"]
    let results = try await play(settings: settings) { seen, _ in
      guard seen.rpc == "tools/list" else { return MCPOddServerTests.decent(seen) }
      return MCPOddServerTests.result(
        seen, ["tools": [["name": "look", "description": "Looks."], ["name": "delete"]]])
    }
    #expect(results.map(words) == ["seen"])
    let server = try #require(MCPServer(MCPServerTests.function(1, "/mcp", settings)))
    let entries = MCPTools.read(["tools": [["name": "look", "description": "Looks."], ["name": "delete"]]])
    #expect(
      server.offers(entries).map(\.tool.description) == ["Looks. Ask the caller to agree before you use it."])
  }

  static let endpoints: [(endpoint: String, url: String?)] = [
    ("/messages?id=1", "http://h:1/messages?id=1"), ("messages", "http://h:1/a/messages"),
    ("http://h:1/m", "http://h:1/m"), ("http://evil:1/m", nil), ("//evil/m", nil), ("http://h:1.evil/m", nil),
    ("https://h:1/m", nil),
  ]

  @Test(arguments: endpoints) func anEndpointIsOfTheSameServer(endpoint: String, url: String?) {
    #expect(MCPOldStream.resolve(endpoint, against: "http://h:1/a/sse?x=/y") == url)
  }

  @Test(arguments: [
    ("mcp://h/p", "http://h/p"), ("mcps://h/p", "https://h/p"), ("https://h/p", "https://h/p"),
  ])
  func theSchemeSaysThatItIsSuchAServer(written: String, url: String) {
    #expect(MCPServer(FunctionDefinition(key: "s", kind: "mcp", url: written))?.url == url)
  }
}
