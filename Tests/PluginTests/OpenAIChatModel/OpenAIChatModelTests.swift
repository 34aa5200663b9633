import Emulators
import RouterCore
import RouterTesting
import Testing

@testable import OpenAIChatModel

/// The plugin against a server that is strict about what it is sent.
@Suite(.serialized) struct OpenAIChatModelTests {
  private let loop = EventLoop(name: "test")
  private let clients = HTTPClients()
  private var model: OpenAIChatModel { OpenAIChatModel(over: clients.client(on: loop)) }

  private static let key = "sk-test-secret"

  private func agent(
    _ service: RunningEmulator<ChatEmulator>, _ more: [String: JSONValue] = [:]
  ) -> AgentConfiguration {
    var agent = AgentConfiguration.example()
    let provider: [String: JSONValue] = [
      "type": "openai-chat", "baseURL": .string(service.url("http", "/v1")), "model": "emulated",
      "apiKey": .string(Self.key),
    ]
    agent.providerConfiguration = .object(provider.merging(more) { _, own in own })
    return agent
  }

  private func start(_ answers: String...) async throws -> RunningEmulator<ChatEmulator> {
    try await RunningEmulator(
      ChatEmulator.self, [("--key", Self.key)] + answers.map { ("--answer", $0) }, on: loop)
  }

  /// Words and calls of one turn, and how it failed.
  private func turn(
    _ agent: AgentConfiguration, _ prompt: TextRequest.Prompt = .speech("hello", confidence: 1),
    log: Log = .silent
  ) async -> (words: String, calls: [ToolCall], failure: VoiceFailure?) {
    var words = ""
    var calls: [ToolCall] = []
    do {
      let tools = [Tool(name: "look", description: "Looks.")]
      for try await event in model.respond(
        to: TextRequest(agent: agent, prompt: prompt, tools: tools, log: log))
      {
        switch event {
        case .text(let text): words += text
        case .toolCall(let call): calls.append(call)
        case .note, .trouble: break
        }
      }
    } catch {
      return (words, calls, error as? VoiceFailure)
    }
    return (words, calls, nil)
  }

  @Test func itConforms() async throws {
    let service = try await start()
    let violations = await TextModelConformance.violations(for: agent(service)) { model }
    #expect(violations == [])
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  private static let call =
    #""calls": [{"name": "look", "arguments": {"x": "a b"}}, {"name": "look", "arguments": {}}]"#

  @Test(arguments: ["crlf", "nospace", "comments", "noindex", "index0", "noids", "resend", "nodone", "whole"])
  func everyWayOfSayingIt(_ style: String) async throws {
    let service = try await start("{\"say\": \"One moment, please.\", \(Self.call), \"style\": \"\(style)\"}")
    let (words, calls, failure) = await turn(agent(service))
    #expect(failure == nil)
    #expect(words == "One moment, please.")
    #expect(calls.map(\.arguments) == [["x": "a b"], [:]])
    #expect(Set(calls.map(\.id)).count == 2 && calls.allSatisfy { $0.name == "look" && $0.fault == nil })
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  private static let failures: [(String, VoiceFailure.Kind, String)] = [
    (
      #"{"status": 401, "message": "Incorrect API key provided: sk-test-secret"}"#, .unauthorized,
      "Incorrect API key provided: …"
    ),
    (#"{"status": 404, "message": "no such model"}"#, .protocolError, "no such model"),
    (#"{"status": 429, "code": "insufficient_quota", "message": "pay"}"#, .rateLimited, "pay"),
    (#"{"status": 429, "message": "later"}"#, .rateLimited, "later"),
    (#"{"status": 500, "message": "broken"}"#, .unreachable, "broken"),
    (#"{"status": 502, "html": true}"#, .unreachable, "HTML"),
    (#"{"html": true}"#, .protocolError, "web page"),
    (#"{"redirect": "http://127.0.0.1:1/elsewhere"}"#, .protocolError, "redirect"),
    (#"{"garbage": true}"#, .protocolError, "no sense"),
    (#"{"raw": "what is this"}"#, .closed, "first word"),
    (#"{"raw": "data: 5\n\n"}"#, .protocolError, "no sense"),
    (#"{"megabytes": 50}"#, .protocolError, ""),
    (#"{"error": "overloaded"}"#, .protocolError, "overloaded"),
    (#"{"silent": true}"#, .timedOut, "within"),
    (#"{"stall": true}"#, .timedOut, "within"),
    (#"{"abrupt": true}"#, .closed, ""),
  ]

  @Test(arguments: failures)
  func whatGoesWrongBeforeTheFirstWord(_ answer: String, _ kind: VoiceFailure.Kind, _ words: String)
    async throws
  {
    let service = try await start(answer)
    let (said, _, failure) = await turn(agent(service, ["firstTokenMs": 1000, "retries": 1]))
    #expect(said == "")
    #expect(failure?.kind == kind, "\(failure?.message ?? "none")")
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "none")")
    #expect(failure?.message.contains(Self.key) == false)
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  @Test(arguments: ["garbage", "stall", "abrupt"])
  func whatGoesWrongAfterIt(_ mishap: String) async throws {
    let service = try await start("{\"say\": \"Well, \", \"\(mishap)\": true}", "never asked for")
    let (said, _, failure) = await turn(agent(service, ["idleMs": 500]))
    #expect(said == "Well, ")
    #expect(failure != nil)
    #expect(service.report.sights.count { $0.hasPrefix("user:") } == 1, "it is not tried again")
    await service.close()
    await clients.close()
  }

  @Test(arguments: [
    #"{"status": 429, "retryAfter": "0.05"}"#, #"{"status": 503}"#, #"{"abrupt": true}"#,
    #"{"error": "busy"}"#,
  ])
  func whatPassesIsTriedAgain(_ answer: String) async throws {
    let service = try await start(answer, "Here I am.")
    let (said, _, failure) = await turn(agent(service))
    #expect(said == "Here I am." && failure == nil)
    await service.close()
    await clients.close()
  }

  @Test func whatDoesNotPassIsNot() async throws {
    for answer in [#"{"status": 400}"#, #"{"status": 429, "retryAfter": "3600"}"#] {
      let service = try await start(answer, "never")
      #expect(await turn(agent(service)).failure != nil)
      #expect(service.report.sights.count { $0.hasPrefix("user:") } == 1)
      await service.close()
    }
    let wrong = try await start("never")
    let outcome = await turn(agent(wrong, ["apiKey": "sk-another-secret"]))
    #expect(outcome.failure?.kind == .unauthorized)
    #expect(outcome.failure?.message.contains("another") == false)
    await wrong.close()
    await clients.close()
  }

  @Test func refusalsFiltersAndLimitsAreHeard() async throws {
    for (answer, words) in [
      (#"{"refuse": "I cannot help with that."}"#, "I cannot help"),
      (#"{"finish": "content_filter"}"#, "cannot talk"),
      (#"{"status": 400, "code": "content_filter"}"#, "cannot talk"),
      (#"{"say": "Cut", "finish": "length"}"#, "Cut"),
    ] {
      let service = try await start(answer)
      let outcome = await turn(agent(service))
      #expect(outcome.failure == nil && outcome.words.contains(words), "\(answer)")
      await service.close()
    }
    await clients.close()
  }

  @Test func argumentsThatAreNoJSONGoBack() async throws {
    let service = try await start(#"{"calls": [{"name": "look", "arguments": "{broken"}]}"#)
    let calls = await turn(agent(service)).calls
    #expect(calls.first?.fault?.contains("JSON") == true)
    await service.close()
    await clients.close()
  }

  @Test func whoInterruptsClosesTheRequest() async throws {
    let service = try await start(
      "{\"say\": \"\(String(repeating: "word ", count: 2000))\", \"pauseMs\": 20}")
    let request = TextRequest(agent: agent(service), prompt: .greeting, log: .silent)
    for try await event in model.respond(to: request) {
      if case .text = event { break }
    }
    while !service.report.sights.contains("the answer was given up") {
      try await Task.sleep(for: .milliseconds(20))
    }
    await service.close()
    await clients.close()
  }

  @Test func azureIsSpokenToAsItWants() async throws {
    let service = try await start("Hello from Azure.")
    let outcome = await turn(
      agent(service, ["baseURL": .string(service.url()), "apiVersion": "2024-10-21", "deployment": "d"]))
    #expect(outcome.words == "Hello from Azure." && outcome.failure == nil)
    #expect(service.report.violations == [])
    await service.close()
    await clients.close()
  }

  @Test func connectionsServeOneTurnAfterTheOther() async throws {
    let service = try await start()
    let agent = agent(service)
    for _ in 0..<5 { #expect(await turn(agent).failure == nil) }
    #expect(!service.report.sights.contains("the answer was given up"))
    await service.close()
    await clients.close()
  }
}
