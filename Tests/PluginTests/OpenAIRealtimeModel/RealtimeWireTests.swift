import Foundation
import RouterCore
import Testing

@testable import OpenAIRealtimeModel

/// What the wire says, in both forms of the protocol, and how a provider of the route files is read.
@Suite struct RealtimeWireTests {
  private func event(_ json: String) -> ServerEvent? {
    if case .event(let event) = ServerMessage(Array(json.utf8)) { event } else { nil }
  }

  private static let events: [(String, ServerEvent)] = [
    (
      #"{"type":"session.created","session":{"id":"s","expires_at":1800000000}}"#,
      .sessionCreated(expiresAt: 1_800_000_000)
    ),
    (#"{"type":"session.created","session":{}}"#, .sessionCreated(expiresAt: nil)),
    (#"{"type":"session.created"}"#, .sessionCreated(expiresAt: nil)),
    (#"{"type":"session.updated","session":{}}"#, .sessionUpdated),
    (
      #"{"type":"input_audio_buffer.speech_started","audio_start_ms":12,"item_id":"i"}"#,
      .speechStarted(item: "i")
    ),
    (#"{"type":"input_audio_buffer.speech_stopped","audio_end_ms":12,"item_id":"i"}"#, .speechStopped),
    (
      #"{"type":"input_audio_buffer.committed","previous_item_id":null,"item_id":"i"}"#, .committed(item: "i")
    ),
    (
      #"{"type":"conversation.item.input_audio_transcription.delta","item_id":"i","delta":"We"}"#,
      .heardPiece(item: "i", "We")
    ),
    (
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","transcript":"a \"b\" \u00fc"}"#,
      .heard(item: "i", "a \"b\" ü")
    ),
    (
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","transcript":"a","status":"in_progress"}"#,
      .heardSoFar(item: "i", "a")
    ),
    (
      #"{"type":"conversation.item.input_audio_transcription.updated","item_id":"i","transcript":"a"}"#,
      .heardSoFar(item: "i", "a")
    ),
    (
      #"{"type":"conversation.item.input_audio_transcription.failed","item_id":"i","error":{"code":"x","message":"no"}}"#,
      .hearingFailed(item: "i", "x: no")
    ),
    (#"{"type":"response.created","response":{"id":"r","status":"in_progress"}}"#, .responseCreated(id: "r")),
    (
      #"{"type":"response.output_audio_transcript.delta","response_id":"r","item_id":"i","delta":"Hi"}"#,
      .saidPiece(response: "r", item: "i", "Hi")
    ),
    (
      #"{"type":"response.audio_transcript.delta","response_id":"r","item_id":"i","delta":"Hi"}"#,
      .saidPiece(response: "r", item: "i", "Hi")
    ),
    (
      #"{"type":"response.audio_transcript.done","response_id":"r","item_id":"i","transcript":"Hi."}"#,
      .said(response: "r", item: "i", "Hi.")
    ),
    (
      #"{"type":"response.function_call_arguments.done","response_id":"r","item_id":"i","call_id":"c","arguments":"{\"a\":1}","name":"f"}"#,
      .call(response: "r", .init(id: "c", name: "f", arguments: #"{"a":1}"#))
    ),
    (
      #"{"type":"response.function_call_arguments.done","response_id":"r","item_id":"i","call_id":"c","arguments":"{}"}"#,
      .call(response: "r", .init(id: "c", name: nil, arguments: "{}"))
    ),
    (
      #"{"type":"response.output_item.done","response_id":"r","item":{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}}"#,
      .call(response: "r", .init(id: "c", name: "f", arguments: "{}"))
    ),
    (
      #"{"type":"response.output_item.done","response_id":"r","item":{"type":"message"}}"#,
      .other("response.output_item.done")
    ),
    (
      #"{"type":"response.done","response":{"id":"r","status":"completed","output":[{"type":"message"},{"type":"function_call","status":"completed","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call","status":"incomplete","call_id":"d","name":"f","arguments":"{"}]}}"#,
      .responseDone(id: "r", .init(status: "completed", calls: [.init(id: "c", name: "f", arguments: "{}")]))
    ),
    (
      #"{"type":"response.done","response":{"id":"r","status":"cancelled","status_details":{"type":"cancelled","reason":"turn_detected","error":null}}}"#,
      .responseDone(id: "r", .init(status: "cancelled", reason: "turn_detected"))
    ),
    (
      #"{"type":"response.done","response":{"id":"r","status":"failed","status_details":{"error":{"type":"t","code":"rate_limit_exceeded","message":"slow down"}}}}"#,
      .responseDone(
        id: "r",
        .init(status: "failed", error: .init(type: "t", code: "rate_limit_exceeded", message: "slow down")))
    ),
    (
      #"{"type":"error","error":{"type":"invalid_request_error","code":null,"message":"m","param":null,"event_id":"e"}}"#,
      .problem(.init(type: "invalid_request_error", message: "m", eventID: "e"))
    ),
    (#"{"type":"error","error":"plain words"}"#, .problem(.init(message: "plain words"))),
    (
      #"{"type":"rate_limits.updated","rate_limits":[{"name":"requests","remaining":5},{"name":"tokens","remaining":0,"reset_seconds":2.5}]}"#,
      .exhausted("tokens", seconds: 2.5)
    ),
    (#"{"type":"rate_limits.updated","rate_limits":[]}"#, .other("rate_limits.updated")),
    (#"{"type":"something.new","x":[1,{"y":2}]}"#, .other("something.new")),
  ]

  @Test func eventsAreRead() {
    for (json, expected) in Self.events { #expect(event(json) == expected, "\(json)") }
  }

  @Test func soundIsReadInBothForms() throws {
    for type in ["response.output_audio.delta", "response.audio.delta"] {
      let json = #"{"type":"\#(type)","response_id":"r","item_id":"i","output_index":0,"delta":"AQID"}"#
      guard case .sound(let delta) = ServerMessage(Array(json.utf8)) else {
        Issue.record("\(json)"); continue
      }
      #expect(delta.response == "r" && delta.item == "i" && delta.bytes == [1, 2, 3])
    }
  }

  @Test(arguments: [
    "", "[]", "{", "null", #"{"type":7}"#, #"{"typ":"x"}"#, #"{"type":"response.audio.delta"}"#,
    #"{"type":"response.audio.delta","delta":"%%%"}"#, #"{"type":"response.audio.delta","delta":7}"#,
  ])
  func garbageIsToldApart(_ json: String) {
    guard case .garbage = ServerMessage(Array(json.utf8)) else { Issue.record("\(json) passed"); return }
  }

  @Test func anEventOfAMegabyteIsNotRead() {
    let json = #"{"type":"response.done","x":""# + String(repeating: "x", count: 2 << 20) + #""}"#
    guard case .garbage = ServerMessage(Array(json.utf8)) else { Issue.record("it passed"); return }
  }

  // MARK: What we send

  private func json(_ text: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  @Test func eventsAreWritten() throws {
    let cases: [(ClientEvent, String)] = [
      (.createResponse(instructions: nil), #"{"type":"response.create","event_id":"e"}"#),
      (
        .createResponse(instructions: "a\n\"b\""),
        #"{"type":"response.create","event_id":"e","response":{"instructions":"a\n\"b\""}}"#
      ),
      (
        .sayAside(instructions: "Say: a"),
        #"{"type":"response.create","event_id":"e","response":{"conversation":"none","input":[],"tool_choice":"none","instructions":"Say: a"}}"#
      ),
      (.cancelResponse(), #"{"type":"response.cancel","event_id":"e"}"#),
      (.cancelResponse("r"), #"{"type":"response.cancel","event_id":"e","response_id":"r"}"#),
      (
        .truncate(item: "i", milliseconds: 240),
        #"{"type":"conversation.item.truncate","event_id":"e","item_id":"i","content_index":0,"audio_end_ms":240}"#
      ),
      (
        .functionResult(call: "c", output: "{}"),
        #"{"type":"conversation.item.create","event_id":"e","item":{"type":"function_call_output","call_id":"c","output":"{}"}}"#
      ),
      (
        .message(.user, "hi"),
        #"{"type":"conversation.item.create","event_id":"e","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}"#
      ),
      (
        .message(.assistant, "hi"),
        #"{"type":"conversation.item.create","event_id":"e","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi"}]}}"#
      ),
    ]
    for (event, expected) in cases { #expect(try json(event.text(id: "e", .ga)) == json(expected)) }
    let beta = try json(ClientEvent.message(.assistant, "hi").text(id: "e", .beta))
    #expect(beta["item"]?["content"]?.array?.first?["type"] == "text")
  }

  @Test func soundIsWritten() throws {
    let bytes = [UInt8](0...159)
    let message = try json(String(decoding: ClientEvent.sound(bytes), as: UTF8.self))
    #expect(message["type"] == "input_audio_buffer.append")
    #expect(message.object?.count == 2)
    #expect(message["audio"]?.string.flatMap { Data(base64Encoded: $0) } == Data(bytes))
  }

  // MARK: Providers

  private func endpoint(_ provider: JSONValue) throws -> Endpoint { try Endpoint(provider) }

  @Test func addressesAreMade() throws {
    let cases: [(JSONValue, String, [Header])] = [
      (
        ["apiKey": "k"], "wss://api.openai.com/v1/realtime?model=gpt-realtime",
        [Header("Authorization", "Bearer k")]
      ),
      (
        ["apiKey": "k", "model": "a b&c", "organization": "o", "project": "p"],
        "wss://api.openai.com/v1/realtime?model=a%20b%26c",
        [
          Header("Authorization", "Bearer k"), Header("OpenAI-Organization", "o"),
          Header("OpenAI-Project", "p"),
        ]
      ),
      (
        ["apiKey": "k", "shape": "beta", "url": "https://x.example"],
        "wss://x.example/v1/realtime?model=gpt-realtime",
        [Header("Authorization", "Bearer k"), Header("OpenAI-Beta", "realtime=v1")]
      ),
      (["url": "ws://127.0.0.1:9/own?model=m&x=y"], "ws://127.0.0.1:9/own?model=m&x=y", []),
      (["url": "wss://x.example?y=z"], "wss://x.example/v1/realtime?y=z&model=gpt-realtime", []),
      (
        [
          "type": "azure-openai-realtime", "endpoint": "https://r.openai.azure.com/", "deployment": "d",
          "apiKey": "k",
        ],
        "wss://r.openai.azure.com/openai/v1/realtime?model=d", [Header("api-key", "k")]
      ),
      (
        [
          "type": "azure-openai-realtime", "endpoint": "https://r.openai.azure.com", "deployment": "d",
          "apiVersion": "2025-04-01-preview", "token": "t",
        ],
        "wss://r.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d",
        [Header("Authorization", "Bearer t")]
      ),
      (
        ["apiKey": "k", "headers": ["X-A": "1"]], "wss://api.openai.com/v1/realtime?model=gpt-realtime",
        [Header("Authorization", "Bearer k"), Header("X-A", "1")]
      ),
    ]
    for (provider, url, headers) in cases {
      let endpoint = try endpoint(provider)
      #expect(endpoint.url == url)
      #expect(endpoint.headers == headers)
    }
  }

  @Test func theShapeFollowsTheAddress() throws {
    #expect(try endpoint([:]).shape == .ga)
    #expect(try endpoint(["shape": "beta"]).shape == .beta)
    let azure: JSONValue = ["type": "azure-openai-realtime", "endpoint": "https://r", "deployment": "d"]
    #expect(try endpoint(azure).shape == .ga)
    #expect(try endpoint(azure).transcriptionModel == "whisper-1")
    guard case .object(var dated) = azure else { return }
    dated["apiVersion"] = "2025-04-01-preview"
    #expect(try endpoint(.object(dated)).shape == .beta)
  }

  @Test(
    arguments: [
      ["shape": "gamma"], ["url": "ftp://x"], ["url": "wss://"], ["url": "wss://user:pass@x.example"],
      ["type": "azure-openai-realtime"], ["type": "azure-openai-realtime", "endpoint": "https://r"],
      ["url": "ws://x.example/v1/realtime", "apiKey": "k"],
      ["url": "ws://127.evil.example@x", "apiKey": "k"],
      ["renewAfterMinutes": 0],
    ] as [JSONValue])
  func settingsThatMakeNoSenseAreRefused(_ provider: JSONValue) {
    #expect(throws: VoiceFailure.self) { try Endpoint(provider) }
  }

  @Test func secretsAreTakenOutOfWords() throws {
    let endpoint = try endpoint(["apiKey": "sk-very-secret"])
    #expect(endpoint.clean("Incorrect API key: sk-very-secret.") == "Incorrect API key: ….")
    #expect(endpoint.clean(String(repeating: "x", count: 9000)).count < 600)
  }
}
