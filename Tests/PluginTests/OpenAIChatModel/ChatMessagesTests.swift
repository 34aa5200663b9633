import RouterCore
import Testing

@testable import OpenAIChatModel

/// A conversation as the API wants it, whatever happened in the call.
@Suite struct ChatMessagesTests {
  private func messages(
    _ prompt: TextRequest.Prompt, _ transcript: [TranscriptEntry] = [],
    agent: AgentConfiguration = .init(name: "a")
  ) -> [JSONValue] {
    ChatMessages(TextRequest(agent: agent, prompt: prompt, transcript: transcript, log: .silent)).messages
  }

  /// `role: content` a line, calls as `name(arguments)#id`, without the instructions.
  private func lines(_ prompt: TextRequest.Prompt, _ transcript: [TranscriptEntry] = []) -> [String] {
    messages(prompt, transcript).dropFirst().map { message in
      var line = message["role"]?.string ?? "?"
      if let id = message["tool_call_id"]?.string { line += " \(id)" }
      line += ": " + (message["content"]?.string ?? "null")
      for call in message["tool_calls"]?.array ?? [] {
        line +=
          " \(call["function"]?["name"]?.string ?? "?")(\(call["function"]?["arguments"]?.string ?? "?"))#\(call["id"]?.string ?? "?")"
      }
      return line
    }
  }

  private func call(_ name: String, _ id: String?, _ arguments: JSONValue? = nil) -> TranscriptEntry {
    TranscriptEntry(.agent, .toolCall, name, at: 0, turn: TurnID(1), callID: id, arguments: arguments)
  }

  private func result(_ text: String, _ id: String?) -> TranscriptEntry {
    TranscriptEntry(.system, .toolResult, text, at: 0, callID: id)
  }

  private let hello = TranscriptEntry(.agent, .speech, "Hello.", at: 0)

  @Test func wordsOfBothSides() {
    let cut = TranscriptEntry(.agent, .speech, "We are open from", at: 0, wasInterrupted: true)
    let said = TranscriptEntry(.caller, .speech, "When are you open?", at: 0)
    let keys = TranscriptEntry(.caller, .digits, "12#", at: 0)
    let note = TranscriptEntry(.system, .note, "{\"memory\": 1}", at: 0)
    #expect(
      lines(.speech("Tomorrow?", confidence: 1), [hello, said, note, cut, keys]) == [
        "user: [The call was answered.]", "assistant: Hello.", "user: When are you open?",
        "assistant: We are open from",
        "user: [The caller pressed the keys 12#]\nTomorrow?",
      ])
    #expect(
      lines(.speech(" ", confidence: 0)) == ["user: [The caller said something that could not be understood]"]
    )
  }

  @Test func callsAreFollowedByTheirResults() {
    let transcript = [hello, call("one", "a", ["x": 1]), call("two", "b")]
    let results = [ToolResult(callID: "b", output: ["y": 2]), ToolResult(callID: "a", output: "plain")]
    #expect(
      lines(.toolResults(results), transcript).dropFirst() == [
        "assistant: Hello. one({\"x\": 1})#a two({})#b", "tool a: plain", "tool b: {\"y\": 2}",
      ])
  }

  @Test func aCallerWhoSpeaksMeanwhileDoesNotTearThemApart() {
    let transcript = [call("one", "a"), TranscriptEntry(.caller, .speech, "Hurry!", at: 0)]
    #expect(
      lines(.speech("Please.", confidence: nil), transcript) == [
        "user: [The call was answered.]", "assistant: null one({})#a", "tool a: (no result yet)",
        "user: Hurry!\nPlease.",
      ])
    #expect(
      lines(.toolResults([ToolResult(callID: "a", output: "late")]), transcript).dropFirst() == [
        "assistant: null one({})#a", "tool a: late", "user: Hurry!\n[Go on]",
      ])
  }

  @Test func identifiersThatComeAgainBelongToTheLastCall() {
    let transcript = [
      call("one", "call_0"), result("first", "call_0"), hello, call("one", "call_0"),
      result("second", "call_0"),
    ]
    #expect(
      lines(.silence, transcript).filter { $0.hasPrefix("tool") } == [
        "tool call_0: first", "tool call_0: second",
      ])
  }

  @Test func anotherModelsCallsHaveNoIdentifiers() {
    let transcript = [call("one", nil), call("two", nil), result("1", nil), result("2", nil), hello]
    let made = lines(.takeover, transcript)
    #expect(made[1] == "assistant: null one({})#call_2_0 two({})#call_2_1")
    #expect(made[2...3] == ["tool call_2_0: 1", "tool call_2_1: 2"])
    #expect(lines(.silence, [result("lost", "x")])[0].hasPrefix("user: [Result of a tool: lost]"))
  }

  @Test func noPromptEndsWithTheAgent() {
    let prompts: [TextRequest.Prompt] = [
      .greeting, .takeover, .speech("a", confidence: 1), .digits("1"), .silence, .toolResults([]),
      .toolResults([ToolResult(callID: "unknown", output: 1)]),
    ]
    for prompt in prompts {
      for transcript in [
        [], [hello], [call("one", "a")], [hello, call("one", "a"), result("r", "a"), hello],
      ] {
        let made = messages(prompt, transcript)
        #expect(made.first?["role"] == "system")
        let last = made.last?["role"]?.string ?? ""
        #expect(["user", "tool"].contains(last), "\(prompt)")
        var open: Set<String> = []
        for message in made {
          if let id = message["tool_call_id"]?.string { open.remove(id) } else { #expect(open.isEmpty) }
          for call in message["tool_calls"]?.array ?? [] { open.insert(call["id"]?.string ?? "") }
        }
        #expect(open.isEmpty, "every call has a result")
      }
    }
  }

  @Test func whatTheAgentIsTold() throws {
    let agent = AgentConfiguration(
      name: "a", instructions: "Be brief.", language: "de", initialSpeech: "Say moin.")
    let made = messages(.greeting, agent: agent)
    let system = try #require(made.first?["content"]?.string)
    for part in ["Be brief.", "tag de"] { #expect(system.contains(part)) }
    #expect(made.last?["content"]?.string?.contains("Say moin.") == true)
  }

  @Test func theRequest() throws {
    var agent = AgentConfiguration(name: "a")
    agent.providerConfiguration = [
      "model": "m", "baseURL": "http://h/v1/", "apiKey": "secret-key", "headers": ["X-Org": "o", "X-N": 5],
      "parameters": ["max_completion_tokens": 9, "stream_options": nil],
    ]
    agent.providerSettings = ["temperature": 0.5, "parameters": ["seed": 1]]
    let settings = try ChatSettings(agent)
    let tool = Tool(name: "t", description: "d")
    let body = ChatMessages.body(
      TextRequest(agent: agent, prompt: .greeting, tools: [tool], log: .silent), settings)
    #expect(body["model"] == "m" && body["stream"] == true && body["temperature"] == 0.5 && body["seed"] == 1)
    #expect(body["max_completion_tokens"] == 9 && body["stream_options"] == nil)
    #expect(body["tools"]?.array?.first?["function"]?["name"] == "t")
    #expect(settings.backend.baseURL + settings.path == "http://h/v1/chat/completions")
    #expect(settings.backend.headers.contains(Header("Authorization", "Bearer secret-key")))
    #expect(settings.backend.headers.contains(Header("X-N", "5")))
    #expect(settings.backend.redacted("wrong key secret-key") == "wrong key …")
  }

  @Test func azure() throws {
    var agent = AgentConfiguration(name: "a")
    agent.providerConfiguration = [
      "baseURL": "https://x.openai.azure.com", "model": "gpt", "deployment": "reception",
      "apiVersion": "2024-10-21",
      "apiKey": "secret-key",
    ]
    let settings = try ChatSettings(agent)
    #expect(settings.path == "/openai/deployments/reception/chat/completions?api-version=2024-10-21")
    #expect(settings.backend.headers.contains(Header("api-key", "secret-key")))
    #expect(!settings.backend.headers.contains { $0.name == "Authorization" })
    agent.providerConfiguration = [
      "baseURL": "https://x.openai.azure.com/openai/v1", "model": "gpt", "apiKey": "secret-key",
    ]
    let newer = try ChatSettings(agent)
    #expect(newer.path == "/chat/completions")
    #expect(newer.backend.headers.contains(Header("api-key", "secret-key")))
  }

  @Test(arguments: [["model": "m", "baseURL": "ftp://h"], [:], ["model": ""]] as [JSONValue])
  func settingsThatMakeNoSense(_ provider: JSONValue) {
    var agent = AgentConfiguration(name: "a")
    agent.providerConfiguration = provider
    #expect(throws: VoiceFailure.self) { try ChatSettings(agent) }
  }
}
