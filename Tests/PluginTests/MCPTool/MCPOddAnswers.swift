import RouterCore

/// What servers answer, well and badly.
extension MCPOddServerTests {
  static func json(_ value: JSONValue, status: Int = 200, _ headers: [Header] = []) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: headers + [Header("Content-Type", "application/json")],
      body: Array(value.text.utf8))
  }

  static func result(_ seen: Seen, _ value: JSONValue, _ headers: [Header] = []) -> HTTPResponse {
    json(["jsonrpc": "2.0", "id": seen.body["id"] ?? .null, "result": value], headers)
  }

  static func error(_ seen: Seen, _ code: Int, _ message: String, status: Int = 200) -> HTTPResponse {
    json(
      [
        "jsonrpc": "2.0", "id": seen.body["id"] ?? .null,
        "error": ["code": .integer(code), "message": .string(message)],
      ],
      status: status)
  }

  static func json(_ value: JSONValue, _ headers: [Header]) -> HTTPResponse {
    json(value, status: 200, headers)
  }

  /// Answers as a decent server of the era with sessions.
  static func decent(_ seen: Seen, session: String = "s1") -> HTTPResponse {
    switch seen.rpc {
    case "initialize":
      result(
        seen,
        [
          "protocolVersion": "2025-06-18", "capabilities": [:],
          "serverInfo": ["name": "odd", "version": "1"],
        ],
        [Header("Mcp-Session-Id", session)])
    case "notifications/initialized", "notifications/cancelled": HTTPResponse(status: 202)
    case "tools/list": result(seen, ["tools": [["name": "look", "inputSchema": ["type": "object"]]]])
    case "tools/call": result(seen, ["content": [["type": "text", "text": "seen"]]])
    default: HTTPResponse(status: seen.method == "DELETE" ? 405 : 404)
    }
  }

  /// How servers say that they have forgotten a session.
  static let forgetting: [@Sendable (Seen) -> HTTPResponse] = [
    { _ in HTTPResponse(status: 404) }, { error($0, -32001, "Session not found", status: 404) },
    { error($0, -32600, "Bad Request: unknown session", status: 400) },
    { error($0, -32000, "Session expired") },
    { _ in
      HTTPResponse(
        status: 200, headers: [Header("Content-Type", "text/event-stream")],
        body: Array(
          "event: message\ndata: {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1,\"message\":\"Session not found\"}}\n\n"
            .utf8))
    },
  ]

  static let bad: [(name: String, answer: @Sendable (Seen) -> HTTPResponse, words: String)] = [
    (
      "a page",
      { _ in
        HTTPResponse(status: 200, headers: [Header("Content-Type", "text/html")], body: Array("<html>".utf8))
      },
      "Failed to fetch information: the server answered 200"
    ),
    ("nothing", { _ in HTTPResponse(status: 200) }, "Failed to fetch information: the server answered 200"),
    ("401", { _ in HTTPResponse(status: 401) }, "the server does not let us in (401)"),
    ("500", { _ in HTTPResponse(status: 500) }, "Failed to fetch information: the server answered 500"),
    (
      "a redirect", { _ in HTTPResponse(status: 302, headers: [Header("Location", "http://127.0.0.1/")]) },
      "the server redirects, which is not followed"
    ),
    (
      "another's answer", { _ in json(["jsonrpc": "2.0", "id": 99_999, "result": [:]]) },
      "Failed to fetch information: the server answered 200"
    ),
    ("an error", { error($0, -32602, "Unknown tool") }, "the tool failed: Unknown tool"),
    (
      "a failure", { result($0, ["isError": true, "content": [["type": "text", "text": "no such part"]]]) },
      "error: no such part"
    ),
    ("no content", { result($0, ["content": []]) }, "done"), ("no members", { result($0, [:]) }, "done"),
    ("a null", { result($0, .null) }, "done"),
    ("a structure", { result($0, ["content": [], "structuredContent": ["a": 1]]) }, "{\"a\": 1}"),
    (
      "a picture", { result($0, ["content": [["type": "image", "data": "AAAA", "mimeType": "image/png"]]]) },
      "(image that cannot be read out)"
    ),
    (
      "a resource",
      {
        result(
          $0,
          [
            "content": [
              ["type": "resource", "resource": ["uri": "f", "text": "words"]],
              ["type": "text", "text": "more"],
            ]
          ])
      }, "words\nmore"
    ),
    (
      "a question", { result($0, ["resultType": "input_required", "inputRequests": [:]]) },
      "error: the tool asks for something that nobody can give in a telephone call"
    ),
    (
      "an empty stream",
      { _ in HTTPResponse(status: 200, headers: [Header("Content-Type", "text/event-stream")]) },
      "Failed to fetch information: the server ended without an answer"
    ),
    (
      "a babbling stream",
      { seen in
        let id = seen.body["id"]?.text ?? ""
        let text =
          ": keep-alive\n\nid: 1\ndata:\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n"
          + "data: {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"ping\"}\n\ndata: garbage\n\n"
          + "data: {\"jsonrpc\":\"2.0\",\"id\":\(id),\ndata: \"result\":{\"content\":[{\"type\":\"text\",\"text\":\"at last\"}]}}\n\n"
        return HTTPResponse(
          status: 200, headers: [Header("Content-Type", "text/event-stream; charset=utf-8")],
          body: Array(text.utf8))
      }, "at last"
    ),
    (
      "a batch",
      { seen in
        json([
          ["jsonrpc": "2.0", "method": "notifications/message"],
          [
            "jsonrpc": "2.0", "id": seen.body["id"] ?? 0,
            "result": ["content": [["type": "text", "text": "one of two"]]],
          ],
        ])
      }, "one of two"
    ),
    (
      "too much",
      {
        result($0, ["content": [["type": "text", "text": .string(String(repeating: "x", count: 5 << 20))]]])
      }, "Failed to fetch information: the server cannot be reached"
    ),
  ]
}
