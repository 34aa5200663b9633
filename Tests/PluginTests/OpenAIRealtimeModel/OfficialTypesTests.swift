import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import OpenAIRealtimeModel

/// Every event that we send passes the types of the official `openai` package, without a field that they do not know.
@Suite struct OfficialTypesTests {
  private struct Case: Encodable {
    var side = "client"
    var event: JSONValue
  }

  /// A Python with the package: the newest that the tests were written with.
  static func python() throws -> PythonEnvironment { try PythonEnvironment(["openai==3.54.0"]) }

  private static func faults(_ events: [JSONValue], of side: String = "client") throws -> [String] {
    var lines = Data()
    for event in events {
      lines += try JSONEncoder().encode(Case(side: side, event: event))
      lines.append(10)
    }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
      path: "validate_events.py")
    let output = try python().run(script, input: lines)
    return output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).prefix(
      events.count
    )
    .map { $0 }
  }

  private func parse(_ text: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  private func sessions(_ shape: Shape) throws -> [ClientEvent] {
    var settings: [JSONValue] = [
      [:], ["temperature": 0.8, "noiseReduction": ["type": "nearField"], "speed": 1.2],
      [
        "noiseReduction": ["type": "farField"], "tool_choice": "none",
        shape == .ga ? "max_output_tokens" : "max_response_output_tokens": 500,
      ],
      ["turnDetection": ["type": "semantic_vad", "eagerness": "low", "silence_duration_ms": 500]],
      ["turnDetection": ["threshold": 0.9, "prefix_padding_ms": 400]],
      ["turnDetection": ["type": "none"]],
    ]
    if shape == .ga {  // what the beta form has not
      settings.append(["max_output_tokens": "inf", "truncation": "disabled", "reasoning": ["effort": "low"]])
      settings.append(["turnDetection": ["idle_timeout_ms": 6000]])
    }
    var tool = Tool(name: "look_up", description: "Looks something up.")
    tool.parameters = ["type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"]]
    var events: [ClientEvent] = []
    for (index, wire) in [AudioFormat.muLaw, .aLaw, .linear16(48000)].enumerated() {
      for settings in settings {
        var agent = AgentConfiguration(name: "a", instructions: "Be brief.", providerSettings: settings)
        agent.language = index == 0 ? nil : "de-CH"
        agent.voiceId = [nil, "cedar", "voice_1"][index]
        let session = SessionSettings(
          agent: agent, tools: index == 1 ? [] : [tool], format: SessionSettings.format(for: wire),
          endpoint: try Endpoint(["shape": .string(shape.rawValue)]))
        events.append(.updateSession(session.session))
      }
    }
    return events
  }

  private static let others: [ClientEvent] = [
    .createResponse(instructions: nil), .createResponse(instructions: "Greet.\n\"Hello\""),
    .sayAside(instructions: "Say: One moment."), .cancelResponse(), .cancelResponse("resp_1"),
    .commit, .truncate(item: "item_1", milliseconds: 0), .truncate(item: "item_1", milliseconds: 90_000),
    .functionResult(call: "call_1", output: #"{"a": 1}"#), .message(.user, "Hi."),
    .message(.assistant, "Hello."), .message(.system, "Result of a tool: 42"),
  ]

  @Test(arguments: [Shape.ga, .beta]) func theyKnowAllThatWeSend(_ shape: Shape) throws {
    let events = try sessions(shape) + Self.others
    var written = try events.enumerated().map { try parse($1.text(id: "rd-\($0)", shape)) }
    written.append(try parse(String(decoding: ClientEvent.sound([1, 2, 3]), as: UTF8.self)))
    let faults = try Self.faults(written, of: shape == .ga ? "client" : "beta")
    #expect(faults.count == written.count)
    for (event, fault) in zip(written, faults) { #expect(fault == "", "\(event.text)") }
  }

  @Test func theyFindWhatIsWrong() throws {
    let wrong: [JSONValue] = [
      ["type": "session.update", "session": ["type": "realtime", "temperature": 0.8]],
      ["type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": "1"],
      ["type": "response.cancel", "reason": "bored"],
      ["type": "no.such.event"],
    ]
    for fault in try Self.faults(wrong) { #expect(fault != "") }
  }
}
