import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import MCPTool

/// A server of the official Python SDK in a process of its own.
final class OfficialServer {
  let port: Int
  private let process = Process()
  private let input = Pipe()

  init(_ kind: String) throws {
    let out = Pipe()
    process.executableURL = URL(
      // The newest that the tests were written with.
      fileURLWithPath: try PythonEnvironment(["mcp==2.3.0"]).python)
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "mcp_server.py")
    process.arguments = [script.path, kind]
    process.standardInput = input
    process.standardOutput = out
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while let byte = try out.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) {
      line.append(byte)
    }
    port = try #require(Int(String(decoding: line, as: UTF8.self)))
  }

  /// Ends it. A signal that can be caught may be blocked in a child of the tests.
  func stop() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}

/// The adapter against the official SDK, in every way that the two can speak.
@Suite(.serialized) struct MCPServerTests {
  static let ways: [(server: String, path: String, transport: String)] = [
    ("http", "/mcp", "auto"), ("http", "/mcp", "stateless"), ("json", "/mcp", "http"),
    ("json", "/mcp", "stateless"),
    ("sse", "/sse", "sse"), ("sse", "/sse", "auto"),
  ]

  static func function(_ port: Int, _ path: String, _ settings: JSONValue = [:]) -> FunctionDefinition {
    FunctionDefinition(
      key: "warehouse", kind: "mcp", url: "http://127.0.0.1:\(port)\(path)", reach: .anywhere,
      settings: settings)
  }

  private let loop = EventLoop(name: "test")

  private func withAdapter(_ body: (MCPTool) async throws -> Void) async throws {
    let client = HTTPClient(on: loop)
    try await body(MCPTool(over: client, .silent))
    await client.close()
  }

  static func session(_ tool: MCPTool, _ function: FunctionDefinition) async throws -> any ToolSession {
    try await tool.open(
      ToolRequest(call: .example(), agent: .example(), functions: [function], log: .silent))
  }

  @Test(arguments: ways) func theOfficialServersToolsAreUsed(server: String, path: String, transport: String)
    async throws
  {
    let official = try OfficialServer(server)
    defer { official.stop() }
    try await withAdapter { tool in
      let function = MCPServerTests.function(official.port, path, ["transport": .string(transport)])
      let session = try await MCPServerTests.session(tool, function)
      #expect(
        session.offers.map(\.tool.name).sorted() == ["breaks", "count", "find_part", "sleeps", "stock_of"])
      if transport != "stateless" {
        #expect(session.instructions == "## Tools of warehouse\nParts have numbers.")
      }
      func run(_ name: String, _ arguments: JSONValue = [:]) async throws -> ToolResult {
        try await session.run(ToolCall(id: "c", name: name, arguments: arguments, turn: TurnID(1)))
      }
      #expect(try await run("find_part", ["number": "1234"]).output == "part 1234 lies in aisle 4")
      let stock = try await run("stock_of", ["number": "1", "minimum": 3])
      #expect(stock.output.text.contains("minimum") && stock.output.text.contains("7") && !stock.isError)
      let broken = try await run("breaks")
      // Newer servers keep the words of an error to themselves.
      #expect(broken.isError && broken.output.text.contains("breaks"), "\(broken.output.text)")
      let wrong = await Result { try await run("find_part", ["number": ["x": 1]]) }
      #expect((try? wrong.get().isError) != false, "a wrong argument is a failure of some kind")
      let sleeping = Task { try await run("sleeps") }
      try await Task.sleep(for: .milliseconds(200))
      sleeping.cancel()
      await #expect(throws: (any Error).self) { _ = try await sleeping.value }
      #expect(try await run("count").output.text.contains("1"), "the session goes on after that")
      await session.close()
    }
  }

  @Test(arguments: [("http", "/mcp"), ("sse", "/sse")]) func itConforms(server: String, path: String)
    async throws
  {
    let official = try OfficialServer(server)
    defer { official.stop() }
    try await withAdapter { tool in
      let function = MCPServerTests.function(official.port, path, ["allowedTools": ["find_part"]])
      let violations = await ToolConformance.violations([function], arguments: ["number": "12"]) { tool }
      #expect(violations.isEmpty, "\(violations)")
    }
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
