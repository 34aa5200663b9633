import ClientTool
import Foundation
import HTTPTool
import KnowledgeTool
import MCPTool
import RouterCore
import RouterTesting
import Testing
import WebSearchTool
import WebSocketTool

/// A whole call whose tools were written in a route file: the model's wish goes out to real servers and comes back.
@Suite(.serialized) final class ToolsFromRouteFilesTests {
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient

  init() { client = HTTPClient(on: loop) }

  private func table(_ port: Int) -> String {
    """
    companions:
      pat: {instructions: You answer for a bicycle shop.}
    functions:
      order_status:
        flow: explicit
        url: http://127.0.0.1:\(port)/order
        allowPrivate: true
        headers: {Authorization: "Bearer ${file:token.txt}"}
        prompt: Ask for the number first.
        timeout: 7
        data:
          description: Looks an order up.
          parameters: {type: object, properties: {number: {type: string}}, required: [number]}
      secret_server:
        flow: explicit
        url: http://127.0.0.1:\(port)/order
        data: {description: May not be reached.}
      open_page: {flow: implicit, data: {name: open.page, description: Opens a page.}}
    mcpServers:
      warehouse: {url: "http://127.0.0.1:\(port)/mcp", allowPrivate: true, transport: http}
    knowledgeBases:
      manual: {name: bicycles, files: ["docs/*.md"]}
    faqCollections:
      shop: [{question: When are you open?, answer: From nine to five.}]
    providers:
      search: {type: web-search, url: "http://127.0.0.1:\(port)/search?q={query}", allowPrivate: true}
      model: {type: fake}
    agents:
      shop:
        companionId: pat
        provider: model
        functions: [order_status, secret_server, open_page]
        mcp: {servers: [warehouse]}
        knowledgeBaseId: manual
        faqCollections: [shop]
      plain: {provider: model, useWebSearch: false}
    routes:
      - {name: shop, match: {to: "100"}, agent: shop}
      - {name: plain, match: {to: "101"}, agent: plain}
    """
  }

  private let requests = Journal<HTTPServerRequest>()

  private func serve() async throws -> (HTTPServer, Int) {
    let requests = requests
    let server = HTTPServer(on: loop) { request in
      requests.note(request)
      switch request.path {
      case "/order": return .response(HTTPResponse(status: 200, body: Array("{\"state\": \"sent\"}".utf8)))
      case "/search":
        let found: JSONValue = [
          "results": [["title": "Bikes", "content": "News.", "url": "https://x.example"]]
        ]
        return .response(HTTPResponse(status: 200, body: Array(found.text.utf8)))
      default:
        // What is no JSON has no members.
        let body = (try? JSONDecoder().decode(JSONValue.self, from: Data(request.body))) ?? .null
        let seen = MCPOddServerTests.Seen(
          method: request.method, rpc: body["method"]?.string ?? "", body: body, headers: [])
        return .response(MCPOddServerTests.decent(seen))
      }
    }
    return (server, Int(try await server.start().port))
  }

  private func engine(_ snapshot: RouteSnapshot, _ model: FakeVoiceModel, _ store: FakeStore) -> CallEngine {
    CallEngine(
      routing: Router(snapshot), models: ["fake": model],
      tools: [
        HTTPTool(over: client), WebSocketTool(over: client), ClientTool(), MCPTool(over: client, .silent),
        KnowledgeTool(.silent), WebSearchTool(over: client),
      ], store: store)
  }

  @Test func everyKindOfToolIsUsedInACall() async throws {
    let (server, port) = try await serve()
    let place = try Workplace()
    try place.write("token.txt", "sesame\n")
    try place.write("main.yaml", table(port))
    try place.write("docs/brakes.md", "# Brakes\nThe pads are BP-7.")
    let snapshot = try RouteTableLoader.load(directory: place.folder.path).get()
    #expect(
      snapshot.functions.map(\.key).sorted() == [
        "manual", "open_page", "order_status", "search", "secret_server", "warehouse",
      ])
    let (model, store) = (FakeVoiceModel(), FakeStore())
    let engine = engine(snapshot, model, store)
    await engine.prepareTools(snapshot.functions)
    let events = engine.observe()
    let leg = FakeLeg()
    let call = InboundCall.example(to: "100")
    let task = Task { await engine.intake(call, on: leg) }
    let session = try await model.session()
    let names = session.request.tools.map(\.name)
    #expect(
      names == [
        "hang_up", "send_digits", "order_status", "secret_server", "open_page", "look", "search_knowledge",
        "find_answer",
        "search_web",
      ])
    let instructions = session.request.agent.instructions
    #expect(
      instructions.hasPrefix(
        "You answer for a bicycle shop.\n\n## order_status(number)\nAsk for the number first."))
    #expect(instructions.contains("The pads are BP-7.") && instructions.contains("From nine to five."))
    #expect(!instructions.contains("sesame"))
    try await session.commands.wait(for: .begin)

    func use(_ name: String, _ arguments: JSONValue) async throws -> String {
      let id = "t-\(name)-\(arguments.text.count)"
      session.report(.toolCall(ToolCall(id: id, name: name, arguments: arguments, turn: TurnID(1))))
      let command = try await session.commands.first { command in
        if case .toolResult(let result) = command { result.callID == id } else { false }
      }
      guard case .toolResult(let result) = command else { return "" }
      return (result.isError ? "error: " : "") + (result.output.string ?? result.output.text)
    }
    #expect(try await use("order_status", ["number": "7"]) == "{\"state\": \"sent\"}")
    #expect(try await use("order_status", [:]) == "error: wrong arguments: number is missing")
    #expect(try await use("secret_server", [:]).contains("the address is not public"))
    #expect(try await use("look", [:]) == "seen")
    #expect(try await use("search_knowledge", ["query": "brake pads"]).contains("BP-7"))
    #expect(try await use("find_answer", ["question": "opening"]).contains("From nine to five."))
    #expect(try await use("search_web", ["query": "bikes"]).contains("https://x.example"))
    async let page = use("open_page", ["url": "x"])
    for await case .functionCalled(let id, let asked) in events {
      #expect(id == call.id && asked.name == "open.page")
      #expect(await engine.functionOutput(id, ToolResult(callID: asked.id, output: "opened")))
      break
    }
    #expect(try await page == "opened")
    leg.callerHangsUp()
    await task.value
    let transcript = try #require(store.saved.events.first?.transcript)
    #expect(
      transcript.filter { $0.kind == .toolCall }.count == 8
        && transcript.filter { $0.kind == .toolResult }.count == 8)
    #expect(!transcript.contains { $0.text.contains("sesame") })
    let order = try #require(requests.events.first { $0.path == "/order" })
    #expect(order.headers.contains { $0.value == "Bearer sesame" })
    await client.close()
    await server.close()
  }

  @Test func theContentOfDocumentsCountsForTheVersion() throws {
    let place = try Workplace()
    try place.write("token.txt", "x")
    try place.write("main.yaml", table(1))
    try place.write("docs/a.md", "one")
    func version() throws -> String { try RouteTableLoader.load(directory: place.folder.path).get().version }
    let first = try version()
    #expect(try version() == first)
    try place.write("docs/a.md", "two")
    #expect(try version() != first)
  }

  static let faults: [(yaml: String, words: String)] = [
    ("knowledgeBases: {m: {files: [missing.md]}}", "the document missing.md cannot be read"),
    ("knowledgeBases: {m: {files: [main.yaml]}}", "main.yaml is no document that can be read"),
    ("agents: {a: {mcp: {servers: [w]}}}", "there is no MCP server 'w'"),
    ("mcpServers: {w: {}}", "url"), ("mcpServers: {w: {url: ftp://x}}", "ftp"),
    ("mcpServers: {w: {url: https://x, transport: pigeon}}", "pigeon"),
  ]

  @Test(arguments: faults) func whatIsWrongIsSaid(yaml: String, words: String) throws {
    let place = try Workplace()
    try place.write("main.yaml", yaml)
    guard case .failure(let problems) = RouteTableLoader.load(directory: place.folder.path) else {
      Issue.record("it loaded")
      return
    }
    #expect(problems.rendered.contains(words), "\(problems.rendered)")
  }
}
