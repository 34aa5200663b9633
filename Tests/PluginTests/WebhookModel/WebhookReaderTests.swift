import Foundation
import RouterCore
import Testing

@testable import WebhookModel

/// What comes back from webhooks, in every shape that is seen in the wild.
@Suite struct WebhookReaderTests {
  /// Chunks in short words, with the body cut into pieces of so many bytes.
  private func read(_ body: String, pieces: Int) -> [String] {
    var reader = WebhookReader()
    var chunks: [WebhookChunk] = []
    let bytes = Array(body.utf8)
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      chunks += reader.add(Array(bytes[start..<min(start + pieces, bytes.count)]))
    }
    chunks += reader.end()
    return chunks.map { chunk in
      [
        chunk.text, chunk.isInterim ? "…" : "", chunk.hangsUp ? "hangup" : "",
        chunk.transfers ? "transfer" : "",
        chunk.digits.isEmpty ? "" : "keys \(chunk.digits)",
      ].filter { !$0.isEmpty }.joined(separator: " ")
    }
  }

  @Test(arguments: [
    (#"{"text": "Booked.", "hangup": true}"#, ["Booked. hangup"]),
    ("{\"text\":\"A\",\"interim\":true}\n{\"text\":\"B\"}\n", ["A …", "B"]),
    ("{\"text\":\"A\",\"interim\":true}\r\n\r\n  \n{\"text\":\"B\"}", ["A …", "B"]),
    ("{\"text\":\"A\",\"interim\":true}\n{\"text\":\"B\",\"interim\":true}\n", ["A …", "B …"]),
    ("{\"text\":\"A\",\"interim\":true}\n{\"hangup\":true}", ["A …", "hangup"]),
    ("{\n  \"text\": \"Over lines.\",\n  \"action\": \"transfer\"\n}\n", ["Over lines. transfer"]),
    ("7\n\"words\"\n[1,2]\nnull\nnot json\n{\"text\":\"A\"}\n", ["A"]),
    ("[\n{\"text\":\"inside of an array\"}\n]", []),
    ("[{\"text\":\"A\"}]", []), ("\"{\\\"text\\\":\\\"A\\\"}\"", []), ("", []), ("\n\n", []), ("OK", []),
    ("<html><body>Hello</body></html>", []), ("{}", [""]),
    (#"{"digits": "1*#x"}"#, ["keys 1*#"]), (#"{"press_digit": 5}"#, ["keys 5"]),
    (#"{"dtmf": "9"}"#, ["keys 9"]),
    (#"{"text": 7, "hangup": "yes", "interim": 1, "action": null}"#, [""]),
    (#"{"action": "HANGUP"}"#, ["hangup"]), (#"{"text": "ü 😀", "x": {"text": "no"}}"#, ["ü 😀"]),
  ])
  func everyShape(_ body: String, _ expected: [String]) {
    for pieces in [1, 7, 1 << 20] { #expect(read(body, pieces: pieces) == expected, "\(body) by \(pieces)") }
  }

  @Test(arguments: [
    ("Plain words.", "Plain words."), ("2 < 3 and 4 > 3", "2 < 3 and 4 > 3"),
    ("a <b>bold</b> word", "a bold word"),
    ("Yes.<tool_call>{\"name\":\"x\"}</tool_call>", "Yes."),
    ("<function_calls><invoke>x</invoke></function_calls>No.", "No."),
    ("An <unfinished", "An <unfinished"), ("<>", "<>"), ("", ""),
  ])
  func markupIsNotSpoken(_ text: String, _ expected: String) { #expect(WebhookChunk.clean(text) == expected) }

  @Test func longAnswersAreCutOff() {
    var reader = WebhookReader()
    for _ in 0..<40 { #expect(reader.add([UInt8](repeating: UInt8(ascii: "x"), count: 100_000)) == []) }
    #expect(reader.end() == [])
  }

  // MARK: What is sent

  @Test func theSignatureIsTheContracts() throws {
    let body =
      #"{"event":"agent.message","channel":"voice","timestamp":"2026-01-15T14:00:05Z","agentId":"agt_demo1","data":{"callId":"call_demo1","numberId":"num_demo1","from":"+15550100001","to":"+15550100002","status":"in-progress","transcript":"Hello there","confidence":0.95,"direction":"inbound"},"conversationState":null,"recentHistory":[]}"#
    #expect(body.utf8.count == 330)
    #expect(
      WebhookSettings.signature(Array(body.utf8), secret: "whsec_demo_secret", unixTime: 1_768_485_605)
        == "sha256=1701a41dabbf99333f7e1e26920fd42444f6d20cd4291a81e1a002e561af3136")
  }

  @Test(
    arguments: [
      [:], ["url": "ftp://x"], ["url": "https://x", "contextLimit": 51], ["url": "https://x", "timeout": 4],
      ["url": "https://x", "timeout": "long"],
    ] as [JSONValue])
  func settingsThatMakeNoSenseAreRefused(_ provider: JSONValue) {
    #expect(throws: VoiceFailure.self) { try WebhookSettings(provider) }
  }

  @Test func theHistoryIsOfTheCallAndBounded() throws {
    var call = InboundCall(channel: .sip, from: Party(user: "+15550100001"), to: Party(user: "+15550100002"))
    call.receivedAt = Date(timeIntervalSince1970: 1_768_485_600)
    let request = TextRequest(
      agent: AgentConfiguration(name: "agt_demo1"),
      prompt: .speech("What time do you close?", confidence: 0.93),
      transcript: [
        TranscriptEntry(.agent, .speech, "Hello.", at: 0), TranscriptEntry(.system, .note, "secret", at: 1),
        TranscriptEntry(.caller, .digits, "1", at: 2000), TranscriptEntry(.agent, .speech, "One.", at: 3000),
      ], call: call, log: .silent)
    let event = WebhookEvents.message(
      "What time do you close?", confidence: 0.93, digits: nil, in: request, contextLimit: 2,
      at: Date(timeIntervalSince1970: 1_768_485_605))
    #expect(event["timestamp"] == "2026-01-15T14:00:05Z")
    #expect(event["data"]?["callId"] == .string(call.id.text))
    #expect(event["data"]?["confidence"] == 0.93)
    #expect(event["conversationState"] == .null)
    #expect(
      event["recentHistory"] == [
        ["content": "1", "direction": "inbound", "channel": "voice", "at": "2026-01-15T14:00:02Z"],
        ["content": "One.", "direction": "outbound", "channel": "voice", "at": "2026-01-15T14:00:03Z"],
      ])
  }
}
