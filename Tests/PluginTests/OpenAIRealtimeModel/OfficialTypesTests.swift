import Foundation
import RouterCore
import Testing

@testable import OpenAIRealtimeModel

/// Every event that we send passes the types of the official `openai` package, without a field that they do not know.
@Suite struct OfficialTypesTests {
  /// The newest that the tests were written with; made once, below the build folder.
  private static let package = "openai==3.54.0"

  private struct Case: Encodable {
    var side = "client"
    var event: JSONValue
  }

  static func run(_ program: String, _ arguments: [String], input: Data = Data()) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let (standardInput, output) = (Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try standardInput.fileHandleForWriting.write(contentsOf: input)
    try standardInput.fileHandleForWriting.close()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    try #require(process.terminationStatus == 0, "\(program) \(arguments.joined(separator: " ")): \(text)")
    return text
  }

  /// A Python with the package.
  static func python() throws -> String {
    let test = URL(fileURLWithPath: #filePath)
    let root = test.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appending(path: ".build/openai-types").path
    let done = folder + "/" + package
    let python = folder + "/bin/python"
    if FileManager.default.fileExists(atPath: done) { return python }
    _ = try run("/usr/bin/python3", ["-m", "venv", "--clear", folder])
    _ = try run(folder + "/bin/pip", ["install", "--quiet", package])
    try Data().write(to: URL(fileURLWithPath: done))
    return python
  }

  private static func faults(_ events: [JSONValue]) throws -> [String] {
    var lines = Data()
    for event in events {
      lines += try JSONEncoder().encode(Case(event: event))
      lines.append(10)
    }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
      path: "validate_events.py")
    let output = try run(try python(), [script.path], input: lines)
    return output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).prefix(
      events.count
    )
    .map { $0 }
  }

  private func parse(_ text: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  private func sessions() throws -> [ClientEvent] {
    let settings: [JSONValue] = [
      [:], ["temperature": 0.8, "noiseReduction": ["type": "nearField"], "speed": 1.2],
      ["noiseReduction": ["type": "farField"], "max_output_tokens": 500, "tool_choice": "none"],
      ["turnDetection": ["type": "semantic_vad", "eagerness": "low", "silence_duration_ms": 500]],
      ["turnDetection": ["threshold": 0.9, "prefix_padding_ms": 400, "idle_timeout_ms": 6000]],
      ["max_output_tokens": "inf", "truncation": "disabled", "reasoning": ["effort": "low"]],
    ]
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
          endpoint: try Endpoint([:]))
        events.append(.updateSession(session.session))
      }
    }
    return events
  }

  @Test func theyKnowAllThatWeSend() throws {
    let events: [ClientEvent] =
      try sessions() + [
        .createResponse(instructions: nil), .createResponse(instructions: "Greet.\n\"Hello\""),
        .cancelResponse,
        .truncate(item: "item_1", milliseconds: 0), .truncate(item: "item_1", milliseconds: 90_000),
        .functionResult(call: "call_1", output: #"{"a": 1}"#), .message(.user, "Hi."),
        .message(.assistant, "Hello."), .message(.system, "Result of a tool: 42"),
      ]
    var written = try events.enumerated().map { try parse($1.text(id: "rd-\($0)", .ga)) }
    written.append(try parse(String(decoding: ClientEvent.sound([1, 2, 3]), as: UTF8.self)))
    let faults = try Self.faults(written)
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
