import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// A caller, a text model that uses tools, and the servers behind them: over real SIP, RTP, speech and HTTP.
@Suite(.serialized) struct ToolCallTests {
  static func routes(model: String, shop: Int) -> String {
    """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    routes:
      - {name: front-door, match: {trunk: local}, agent: shop}
    providers:
      model: {type: openai-chat, baseURL: "\(model)", model: emulated}
    functions:
      order_status:
        flow: explicit
        url: http://127.0.0.1:\(shop)/order
        allowPrivate: true
        headers: {Authorization: "Bearer ${env:SHOP_TOKEN}"}
        data:
          description: Looks an order up by its number.
          parameters: {type: object, properties: {number: {type: string}}, required: [number]}
      open_page: {flow: implicit, data: {description: Opens a page.}}
    knowledgeBases:
      manual: {files: [manual.md]}
    agents:
      shop: {provider: model, functions: [order_status, open_page], knowledgeBaseId: manual}
    """
  }

  /// A shop's server: what it was asked, and its answer.
  private final class Shop: Sendable {
    let requests = Journal<HTTPServerRequest>()
    let port: Int
    private let server: HTTPServer
    private let loop = EventLoop(name: "shop")

    init() async throws {
      let requests = requests
      server = HTTPServer(on: loop) { request in
        requests.note(request)
        return .response(HTTPResponse(status: 200, body: Array(#"{"state": "on its way"}"#.utf8)))
      }
      port = Int(try await server.start().port)
    }

    func stop() async {
      await server.close()
      loop.stop()
    }
  }

  private func start(_ answers: String...) async throws -> RunningEmulator<ChatEmulator> {
    try await RunningEmulator(ChatEmulator.self, answers.map { ("--answer", $0) })
  }

  private func serve(_ model: RunningEmulator<ChatEmulator>, _ shop: Shop) async throws -> ServingRouterd {
    let place = try Workplace()
    try place.write("routes/manual.md", "# Pads\nBrake pads have the number BP-7.")
    let routes = Self.routes(model: model.url("http", "/v1"), shop: shop.port)
    return try await ServingRouterd(
      routes: ["main.yaml": routes], environment: ["SHOP_TOKEN": "sesame"], workplace: place)
  }

  @Test func aModelUsesToolsInACall() async throws {
    let model = try await start(
      "Hello, this is the shop.",
      #"{"calls": [{"id": "a", "name": "order_status", "arguments": {"number": "7"}}, {"id": "b", "name": "search_knowledge", "arguments": {"query": "brake pads"}}]}"#,
      "Your order is on its way. Goodbye.")
    let shop = try await Shop()
    let routerd = try await serve(model, shop)
    let call = try await routerd.call("100", "--digits", "7#", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    let lines = record.transcript.map { "\($0.speaker.rawValue) \($0.kind.rawValue): \($0.text)" }
    #expect(lines.contains { $0.hasPrefix("agent toolCall: order_status") }, "\(lines)")
    #expect(lines.contains { $0.hasPrefix("system toolResult") && $0.contains("on its way") }, "\(lines)")
    #expect(lines.contains { $0.hasPrefix("system toolResult") && $0.contains("BP-7") }, "\(lines)")
    #expect(
      lines.contains { $0.hasPrefix("agent speech") && $0.contains("Your order is on its way") }, "\(lines)")
    let order = try #require(shop.requests.events.first)
    let body = try JSONDecoder().decode(JSONValue.self, from: Data(order.body))
    #expect(body["arguments"] == ["number": "7"] && body["session"]?["id"]?.string == record.id.text)
    #expect(order.headers.contains { $0.value == "Bearer sesame" })
    #expect(!routerd.program.errors.contains("sesame") && !lines.joined().contains("sesame"))
    #expect(model.report.violations.isEmpty, "\(model.report.violations)")
    await shop.stop()
    await model.close()
  }

  @Test func theApplicationAnswersFromTheCommandLine() async throws {
    let model = try await start(
      "Hello, this is the shop.", #"{"calls": [{"id": "page-1", "name": "open_page", "arguments": {}}]}"#,
      "The page is open.")
    let shop = try await Shop()
    let routerd = try await serve(model, shop)
    async let call = routerd.call("100", "--digits", "1#", "--seconds", "30")
    let asked = try await ToolCallTests.wanted(routerd)
    let answer = try await routerd.workplace.routerd("function-output", asked, "page-1", #"{"shown": true}"#)
    #expect(answer.code == 0, "\(answer.errors)")
    let again = try await routerd.workplace.routerd("function-output", asked, "page-1", "again")
    #expect(again.code == 66, "an answer counts once")
    _ = try await call
    let record = try #require(try await routerd.records().first)
    #expect(
      record.transcript.contains { $0.kind == .toolResult && $0.text.contains("shown") },
      "\(record.transcript)")
    #expect(record.transcript.contains { $0.speaker == .agent && $0.text.contains("The page is open") })
    await shop.stop()
    await model.close()
  }

  /// The live call that waits for a function.
  private static func wanted(_ routerd: ServingRouterd) async throws -> String {
    let follower = try RunningProgram(
      Product.routerd, ["calls", "--follow", "--json"], in: routerd.workplace.folder)
    defer { follower.send(SIGTERM) }
    for _ in 0..<600 {
      for line in follower.output.split(separator: "\n") {
        // A line that is not whole yet.
        guard let event = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)) else { continue }
        if event["type"] == "functionCalled", let call = event["call"]?.string { return call }
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw NothingHappened(waitedFor: "functionCalled", instead: [follower.output])
  }
}
