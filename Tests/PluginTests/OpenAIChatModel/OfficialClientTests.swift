import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import OpenAIChatModel

/// The official `openai` package understands our emulator, and its types accept our requests.
@Suite struct OfficialClientTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
    path: "official_client.py")

  @Test func itUnderstandsTheEmulator() async throws {
    let answer = #"{"say": "One moment.", "calls": [{"name": "look", "arguments": {"x": 1}}], "times": 3}"#
    let service = try await RunningEmulator(
      ChatEmulator.self,
      [("--key", "sk-test-secret"), ("--answer", answer), ("--transcript", "When are you open?")])
    let output = try OfficialTypesTests.python().run(
      Self.script, ["client", service.url("http", "/v1")])
    let seen = try #require(JSONValue(parsing: output), "\(output)")
    #expect(seen["whole"] == "One moment.")
    #expect(seen["stream"] == ["One moment.", "tool_calls"])
    #expect(seen["calls"] == [["call_0", "look", #"{"x": 1}"#]])
    #expect(seen["usage"] == [20])
    #expect(seen["wrong key"] == "invalid_api_key")
    #expect(seen["speech"] == "RIFF")
    #expect(seen["transcription"] == "When are you open?")
    #expect(service.report.violations == [])
    await service.close()
  }

  private func bodies() throws -> [JSONValue] {
    var agent = AgentConfiguration.example()
    agent.providerConfiguration = ["model": "m", "parameters": ["max_completion_tokens": 100]]
    agent.providerSettings = ["temperature": 0.5]
    let settings = try ChatSettings(agent)
    let transcripts: [[TranscriptEntry]] = [
      [],
      [TranscriptEntry(.agent, .speech, "Hello.", at: 0), TranscriptEntry(.caller, .speech, "Hi.", at: 1)],
      [
        TranscriptEntry(.agent, .toolCall, "look", at: 0, turn: TurnID(1), callID: "a", arguments: ["x": 1]),
        TranscriptEntry(.agent, .toolCall, "look", at: 0, turn: TurnID(1), callID: "b"),
        TranscriptEntry(.system, .toolResult, "found", at: 0, callID: "a"),
        TranscriptEntry(.agent, .speech, "So", at: 0, wasInterrupted: true),
      ],
    ]
    let prompts: [TextRequest.Prompt] = [
      .greeting, .takeover, .speech("a", confidence: nil), .digits("1"), .silence, .information("x"),
      .toolResults([ToolResult(callID: "b", output: ["y": 1])]),
    ]
    return transcripts.flatMap { transcript in
      prompts.map { prompt in
        ChatMessages.body(
          TextRequest(
            agent: agent, prompt: prompt, transcript: transcript,
            tools: [Tool(name: Tool.hangUp, description: "Ends the call.")], log: .silent), settings)
      }
    }
  }

  @Test func itsTypesAcceptOurRequests() throws {
    let wrong: [JSONValue] = [
      ["model": "m", "messages": [], "stream": true, "no_such": 1],
      ["model": "m", "messages": [["role": "user", "content": 5]], "stream": true],
    ]
    let bodies = try bodies()
    let input = Data((bodies + wrong).map { $0.text + "\n" }.joined().utf8)
    let output = try OfficialTypesTests.python().run(Self.script, ["bodies"], input: input)
    let faults = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for (body, fault) in zip(bodies, faults) { #expect(fault == "", "\(body.text)") }
    #expect(faults.dropFirst(bodies.count).prefix(2).allSatisfy { !$0.isEmpty }, "it finds what is wrong")
  }
}
