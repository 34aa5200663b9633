import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// A caller, a text model that uses tools, and the servers behind them: over real SIP, RTP, speech and HTTP.
@Suite(.serialized) struct ToolCallTests {
  /// - Parameters: Settings of the providers, and where the shop is.
  static func routes(model: String, ears: String, shop: Int) -> String {
    """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    routes:
      - {name: front-door, match: {trunk: local}, agent: shop}
    providers:
      model: {\(model)}
      ears: {\(ears)}
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

  private func serve(_ model: String, ears: String? = nil, _ shop: Shop) async throws -> ServingRouterd {
    let place = try Workplace()
    try place.write("routes/manual.md", "# Pads\nBrake pads have the number BP-7.")
    let speech = ears == nil ? "" : ", speech: {recognizer: ears, synthesizer: ears}"
    let routes = Self.routes(model: model + speech, ears: ears ?? "type: echo", shop: shop.port)
    return try await ServingRouterd(
      routes: ["main.yaml": routes], environment: ["SHOP_TOKEN": "sesame"], workplace: place)
  }

  private func serve(_ model: RunningEmulator<ChatEmulator>, _ shop: Shop) async throws -> ServingRouterd {
    try await serve("type: openai-chat, baseURL: '\(model.url("http", "/v1"))', model: emulated", shop)
  }

  private static let calls =
    #"{"calls": [{"id": "a", "name": "order_status", "arguments": {"number": "7"}}, {"id": "b", "name": "search_knowledge", "arguments": {"query": "brake pads"}}]}"#
  private static let answer = "Your order is on its way. Goodbye."

  @Test func aTextModelUsesTools() async throws {
    let model = try await start("Hello, this is the shop.", Self.calls, Self.answer)
    let shop = try await Shop()
    try await call(try await serve(model, shop), shop)
    #expect(model.report.violations.isEmpty, "\(model.report.violations)")
    await shop.stop()
    await model.close()
  }

  @Test func aTextModelWithDeepgramsSpeechUsesTools() async throws {
    let model = try await start("Hello, this is the shop.", Self.calls, Self.answer)
    let speech = try await RunningEmulator(DeepgramEmulator.self)
    let shop = try await Shop()
    let chat = "type: openai-chat, baseURL: '\(model.url("http", "/v1"))', model: emulated"
    try await call(
      try await serve(chat, ears: "type: deepgram, baseURL: '\(speech.url())'", shop), shop)
    let spoken = speech.report.sights.filter { $0.hasPrefix("speaks: ") }
    #expect(spoken.contains { $0.hasPrefix("speaks: Your order is on its way.") }, "\(spoken)")
    #expect(model.report.violations + speech.report.violations == [])
    await shop.stop()
    await speech.close()
    await model.close()
  }

  @Test func aRealtimeModelUsesTools() async throws {
    let steps = [
      "say:Hello, this is the shop.",
      #"tool:order_status {"number": "7"} | search_knowledge {"query": "brake pads"}"#, "say:\(Self.answer)",
    ]
    let model = try await RunningEmulator(RealtimeEmulator.self, steps.map { ("--step", $0) })
    let shop = try await Shop()
    try await call(
      try await serve("type: openai-realtime, url: '\(model.url("ws"))', apiKey: sk-test", shop), shop)
    let outputs = model.report.sights.filter { $0.hasPrefix("item: ") && $0.contains("function_call_output") }
    #expect(outputs.contains { $0.contains("on its way") } && outputs.contains { $0.contains("BP-7") })
    #expect(model.report.violations == [])
    await shop.stop()
    await model.close()
  }

  /// Calls, presses 7, and looks whether the order was asked for and told.
  private func call(_ routerd: ServingRouterd, _ shop: Shop) async throws {
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
  }

  /// A webhook has its own tools; what it can ask of routerd are keys, a transfer and the end of the call.
  @Test func aWebhookPressesKeysAndHangsUp() async throws {
    let steps = [
      "say:Hello, this is the shop.", #"raw:{"text": "I press the keys.", "digits": "12#"}\n"#,
      "hangup:Goodbye.",
    ]
    let model = try await RunningEmulator(
      WebhookEmulator.self, [("--secret", "whsec_test")] + steps.map { ("--step", $0) })
    let shop = try await Shop()
    let routerd = try await serve("type: webhook, url: '\(model.url())/', secret: whsec_test", shop)
    let call = try await routerd.call(
      "100", "--digits", "5#", "--digits", "6#", "--stay", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(call.events("digit").compactMap { $0["digit"] as? String } == ["1", "2", "#"], "\(call.output)")
    let record = try #require(try await routerd.records().first)
    #expect(record.end.reason == .agentHungUp, "\(record.end)")
    let tools = record.transcript.filter { $0.kind == .toolCall }.map(\.text)
    #expect(
      tools.count == 2 && tools[0].hasPrefix("send_digits") && tools[1].hasPrefix("hang_up"), "\(tools)")
    #expect(record.transcript.contains { $0.kind == .toolResult && $0.text.contains("pressed") })
    #expect(record.transcript.last { $0.kind == .speech }?.text == "Goodbye.", "\(record.transcript)")
    #expect(model.report.violations == [])
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
