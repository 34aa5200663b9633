import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import WebSocketTool

/// Functions over a socket to a server on this host, which a test plays.
@Suite(.serialized) final class WebSocketToolTests {
  /// What the server saw of one socket, and how it speaks.
  struct Line: Sendable {
    var frames = Journal<JSONValue>()
    var socket: WebSocket

    func say(_ type: String, _ data: JSONValue) {
      let frame: JSONValue = ["type": .string(type), "data": data]
      socket.send(.text(frame.text))
    }
  }

  private let loop = EventLoop(name: "test")
  private let client: HTTPClient
  private let lines = Journal<Line>()
  private let events = Journal<ToolEvent>()

  init() { client = HTTPClient(on: loop) }

  static func function(_ port: Int, _ change: (inout FunctionDefinition) -> Void = { _ in })
    -> FunctionDefinition
  {
    var function = FunctionDefinition(
      key: "stock", kind: "ws", url: "ws://127.0.0.1:\(port)/tool",
      tool: Tool(name: "stock", description: "Knows what is there."), reach: .anywhere)
    change(&function)
    return function
  }

  /// A server that answers every call with its arguments, unless they say otherwise.
  private func withServer(_ body: (Int) async throws -> Void) async throws {
    let lines = lines
    let server = HTTPServer(on: loop) { _ in
      .webSocket(protocol: nil, .init()) { socket in
        let line = Line(socket: socket)
        await socket.start { message in
          guard case .text(let bytes) = message,
            let frame = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))  // ours are JSON
          else { return }
          line.frames.note(frame)
          guard frame["type"] == "function_call", let data = frame["data"] else { return }
          let id = data["call_id"] ?? .null
          if data["arguments"]?["silent"] != nil { return }
          line.say("function_output", ["call_id": id, "output": data["arguments"] ?? .null])
        } onClose: { _ in
        }
        lines.note(line)
      }
    }
    try await body(Int(try await server.start().port))
    await client.close()
    await server.close()
  }

  private func open(_ functions: [FunctionDefinition]) async throws -> any ToolSession {
    let events = events
    var call = InboundCall.example()
    call.headers = [Header("X-External-Client-Id", "client_7")]
    var agent = AgentConfiguration.example()
    agent.tags = ["tier": "gold"]
    return try await WebSocketTool(over: client).open(
      ToolRequest(
        call: call, agent: agent, functions: functions, log: .silent, report: { events.note($0) }))
  }

  private static func call(_ session: any ToolSession, _ arguments: JSONValue = ["n": 1], id: String = "c1")
    async throws
    -> ToolResult
  { try await session.run(ToolCall(id: id, name: "stock", arguments: arguments, turn: TurnID(1))) }

  @Test func aSocketSpeaksTheContract() async throws {
    try await withServer { port in
      let second = WebSocketToolTests.function(port) {
        $0.key = "order"
        $0.tool = Tool(name: "order", description: "Orders.")
        $0.receiveMessages = true
      }
      let session = try await open([WebSocketToolTests.function(port), second])
      #expect(try await Self.call(session).output == ["n": 1])
      let line = try await lines.first { _ in true }
      let hello = try #require(line.frames.events.first)
      #expect(hello["type"] == "initialize")
      #expect(hello["data"]?["functions"]?.array?.compactMap { $0["name"]?.string } == ["stock", "order"])
      #expect(hello["data"]?["session_id"]?.string?.isEmpty == false)
      let metadata = hello["data"]?["metadata"]
      #expect(metadata?["tags"] == ["tier": "gold"] && metadata?["external_client_id"] == "client_7")
      line.say("ui_update", ["card": [1, 2]])
      line.say(
        "context_update",
        ["content": "Ready.", "role": "system", "trigger_response": true, "previous_item_id": nil])
      try await events.wait(for: .update(function: "stock", ["card": [1, 2]]))
      try await events.wait(for: .context("Ready.", responds: true))
      for (index, text) in ["one", "two", "three"].enumerated() {
        session.hear(TranscriptEntry(index == 1 ? .agent : .caller, .speech, text, at: index))
      }
      session.hear(TranscriptEntry(.agent, .toolCall, "no message", at: 9))
      session.hear(TranscriptEntry(.caller, .speech, "four", at: 10))
      try await line.frames.first { $0["data"]?["message"]?["content"] == "four" }
      let messages = line.frames.events.compactMap { $0["data"]?["message"] }
      #expect(messages.map { $0["content"]?.string } == ["one", "two", "three", "four"])
      #expect(messages.map { $0["role"]?.string } == ["user", "agent", "user", "user"])
      #expect(lines.events.count == 1, "functions of one server share the socket")
      await session.close()
    }
  }

  @Test func aBrokenSocketIsOpenedAgain() async throws {
    try await withServer { port in
      let session = try await open([WebSocketToolTests.function(port)])
      #expect(try await Self.call(session).output == ["n": 1])
      let line = try await lines.first { _ in true }
      let waiting = Task { try await Self.call(session, ["silent": true], id: "c2") }
      try await line.frames.first { $0["data"]?["call_id"] == "c2" }
      await line.socket.close(1001)
      let words = "Failed to fetch information: the connection to the function's server was lost"
      await #expect(throws: ToolFailure(words)) { _ = try await waiting.value }
      let next = try await lines.first(after: 1) { _ in true }
      try await next.frames.first { $0["type"] == "initialize" }
      #expect(try await Self.call(session).output == ["n": 1])
      #expect(!next.frames.events.contains { $0["data"]?["call_id"] == "c2" }, "nothing is carried out twice")
      await session.close()
    }
  }

  @Test func garbageIsSurvived() async throws {
    try await withServer { port in
      let session = try await open([WebSocketToolTests.function(port)])
      #expect(try await Self.call(session).output == ["n": 1])
      let line = try await lines.first { _ in true }
      for text in OddText.frames { line.socket.send(.text(text)) }
      line.socket.send(.binary([0xFF, 0x00, 0xFE]))
      #expect(try await Self.call(session, id: "c2").output == ["n": 1])
      // Too long: the socket is closed, and opened again.
      line.socket.send(.text(String(repeating: "x", count: 2 << 20)))
      try await lines.first(after: 1) { _ in true }
      await session.close()
    }
  }

  @Test func aServerThatIsNotThere() async throws {
    let gone = WebSocketToolTests.function(1)
    let session = try await open([gone])
    await #expect(throws: ToolFailure.self) { _ = try await Self.call(session) }
    try await events.wait(for: .lost("the server of stock cannot be reached", aborts: false))
    await session.close()
    let patient = WebSocketToolTests.function(1) { $0.connectionBehavior.waitBeforeStart = true }
    await (try await open([patient])).close()
    let needed = WebSocketToolTests.function(1) {
      $0.connectionBehavior = .init(waitBeforeStart: true, abortOnFailure: true)
    }
    await #expect(throws: ToolFailure.self) { _ = try await open([needed]) }
    let forbidden = WebSocketToolTests.function(1) {
      $0.reach = .publicOnly
      $0.connectionBehavior = .init(waitBeforeStart: true, abortOnFailure: true)
    }
    await #expect(throws: ToolFailure.self) { _ = try await open([forbidden]) }
    await client.close()
  }

  @Test func itConforms() async throws {
    try await withServer { port in
      let function = WebSocketToolTests.function(port) { $0.receiveMessages = true }
      let violations = await ToolConformance.violations([function], arguments: ["n": 1]) {
        WebSocketTool(over: client)
      }
      #expect(violations.isEmpty, "\(violations)")
    }
  }

  static let frames: [(text: String, incoming: ToolFrames.Incoming)] = [
    (
      #"{"type": "function_output", "data": {"call_id": "1", "output": {"a": 1}}}"#,
      .output(call: "1", ["a": 1], isError: false)
    ),
    (
      #"{"type": "send_function_output", "call_id": "1", "output": "x"}"#,
      .output(call: "1", "x", isError: false)
    ),
    (
      #"{"type": "function_result", "data": {"id": 7, "result": null}}"#,
      .output(call: "7", .null, isError: false)
    ),
    (
      #"{"type": "function_output", "data": {"call_id": "1", "error": "no"}}"#,
      .output(call: "1", "no", isError: true)
    ),
    (#"{"event": "ui_update", "data": 7}"#, .update(7)), (#"{"type": "ui_update"}"#, .update(.null)),
    (#"{"type": "context_update", "data": {"content": "x"}}"#, .context("x", responds: false)),
    (#"{"type": "context_update", "data": {}}"#, .other("context_update without content")),
    (#"{"type": "pong"}"#, .other("pong")), ("[]", .other("no JSON object")), ("", .other("no JSON object")),
  ]

  @Test(arguments: frames) func framesAreRead(text: String, incoming: ToolFrames.Incoming) {
    #expect(ToolFrames.read(Array(text.utf8)) == incoming)
  }
}

private enum OddText {
  static let frames = [
    "", "null", "[]", "{", "{\"type\": 7}", "{\"type\": \"function_output\"}",
    "{\"type\": \"function_output\", \"data\": []}",
    "{\"type\": \"function_output\", \"data\": {\"call_id\": \"nobody\", \"output\": 1}}",
    "{\"data\": {\"call_id\": {}}}",
    "{\"type\": \"context_update\", \"data\": {\"content\": 7}}", String(repeating: "[", count: 100_000),
  ]
}
