import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import WebSearchTool

/// Search engines of several makes, played by a server on this host.
@Suite(.serialized) final class WebSearchToolTests {
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient
  private let requests = Journal<HTTPServerRequest>()

  init() { client = HTTPClient(on: loop) }

  static let found: JSONValue = ["results": [["title": "T", "text": "a word", "url": "https://x.example"]]]

  static let cases: [(engine: String, answer: JSONValue, output: JSONValue)] = [
    (
      "SearXNG",
      ["query": "q", "results": [["title": "T", "content": "a word", "url": "https://x.example"]]], found
    ),
    (
      "Brave",
      [
        "web": [
          "results": [["title": "T", "description": "a <strong>word</strong>", "url": "https://x.example"]]
        ]
      ], found
    ),
    ("Serper", ["organic": [["title": "T", "snippet": "a word", "link": "https://x.example"]]], found),
    ("Google", ["items": [["title": "T", "snippet": "a word", "link": "https://x.example"]]], found),
    (
      "Tavily",
      ["answer": "Yes.", "results": [["title": "T", "content": "a word", "url": "https://x.example"]]],
      ["summary": "Yes.", "results": found["results"] ?? []]
    ),
    ("empty", ["results": []], "nothing was found"),
    ("odd", ["results": ["x", 1, [:]]], "nothing was found"),
    ("another shape", [1, 2], "nothing was found"),
  ]

  @Test func everyEngineIsUnderstood() async throws {
    let requests = requests
    let server = HTTPServer(on: loop) { request in
      requests.note(request)
      let index = Int(request.path.dropFirst()) ?? 0
      return .response(
        HTTPResponse(status: 200, body: Array(WebSearchToolTests.cases[index].answer.text.utf8)))
    }
    let port = Int(try await server.start().port)
    for (index, one) in WebSearchToolTests.cases.enumerated() {
      let url = "http://127.0.0.1:\(port)/\(index)" + (index % 2 == 0 ? "?q={query}" : "")
      let result = try await search(url, "new bikes & more")
      #expect(result.output == one.output, "\(one.engine)")
    }
    #expect(
      requests.events[0].target == "/0?q=new%20bikes%20%26%20more" && requests.events[0].method == "GET")
    let posted = try JSONDecoder().decode(JSONValue.self, from: Data(requests.events[1].body))
    #expect(posted == ["query": "new bikes & more", "max_results": 5])
    let function = FunctionDefinition(
      key: "search", kind: "web-search", url: "http://127.0.0.1:\(port)/0?q={query}", reach: .anywhere)
    let violations = await ToolConformance.violations([function], arguments: ["query": "bikes"]) {
      WebSearchTool(over: client)
    }
    #expect(violations.isEmpty, "\(violations)")
    await client.close()
    await server.close()
  }

  private func search(_ url: String, _ query: String, _ reach: NetworkReach = .anywhere) async throws
    -> ToolResult
  {
    let function = FunctionDefinition(key: "search", kind: "web-search", url: url, reach: reach)
    let session = try await WebSearchTool(over: client).open(
      ToolRequest(call: .example(), agent: .example(), functions: [function], log: .silent))
    return try await session.run(
      ToolCall(id: "c", name: "search_web", arguments: ["query": .string(query)], turn: TurnID(1)))
  }

  @Test func whatCannotBeSearchedIsSaidSo() async throws {
    for (url, query, reach, words) in [
      (
        "http://127.0.0.1:1/?q={query}", "x", NetworkReach.anywhere,
        "Failed to fetch information: the search cannot be reached"
      ),
      (
        "http://127.0.0.1:1/?q={query}", "x", .publicOnly,
        "the search may not be reached: its address is not public"
      ),
      ("http://127.0.0.1:1/", " ", .anywhere, "the query is empty"),
    ] {
      await #expect(throws: ToolFailure(words)) { _ = try await search(url, query, reach) }
    }
    await client.close()
  }
}
