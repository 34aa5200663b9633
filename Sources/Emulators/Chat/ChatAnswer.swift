internal import RouterCore

/// One scripted answer as the chunks of a stream, in the ways that servers send them.
struct ChatAnswer {
  static let members: Set<String> = [
    "say", "refuse", "calls", "finish", "style", "error", "garbage", "raw", "think",
    "megabytes",
  ]

  let value: JSONValue
  let model: String

  private func style(_ name: String) -> Bool {
    value["style"]?.string == name || value["style"]?.array?.contains(.string(name)) == true
  }

  private func chunk(_ delta: JSONValue, finish: String? = nil) -> JSONValue {
    [
      "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
      "model": .string(model),
      "choices": [
        ["index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish.map(JSONValue.string) ?? .null]
      ],
    ]
  }

  /// Words one by one, with their spaces, as tokens come.
  private static func tokens(_ text: String) -> [String] {
    var tokens: [String] = []
    for character in text {
      if character == " " || tokens.isEmpty { tokens.append("") }
      tokens[tokens.count - 1].append(character)
    }
    return tokens
  }

  private struct Call {
    let id: String
    let name: String
    let arguments: String
  }

  private var calls: [Call] {
    (value["calls"]?.array ?? []).enumerated().map { number, call in
      let arguments = call["arguments"] ?? [:]
      return Call(
        id: call["id"]?.string ?? "call_\(number)", name: call["name"]?.string ?? "",
        arguments: arguments.string ?? arguments.text)
    }
  }

  private func toolDeltas() -> [JSONValue] {
    if style("noindex") {  // whole, and without an index
      return calls.map {
        [
          "tool_calls": [
            [
              "id": .string($0.id), "type": "function",
              "function": ["name": .string($0.name), "arguments": .string($0.arguments)],
            ]
          ]
        ]
      }
    }
    return calls.enumerated().flatMap { number, call -> [JSONValue] in
      let index = JSONValue.integer(style("index0") ? 0 : number)
      let half = call.arguments.index(call.arguments.startIndex, offsetBy: call.arguments.count / 2)
      let pieces = [String(call.arguments[..<half]), String(call.arguments[half...])]
      var first: [String: JSONValue] = [
        "index": index, "type": "function", "function": ["name": .string(call.name), "arguments": ""],
      ]
      if !style("noids") { first["id"] = .string(call.id) }
      return [["tool_calls": [.object(first)]]]
        + pieces.map { piece in
          var function: [String: JSONValue] = ["arguments": .string(piece)]
          if style("resend") { function["name"] = .string(call.name) }
          return ["tool_calls": [["index": index, "function": .object(function)]]]
        }
    }
  }

  private var finish: String { value["finish"]?.string ?? (calls.isEmpty ? "stop" : "tool_calls") }

  private static let usage: JSONValue = ["prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20]

  /// The stream's pieces.
  func stream(includesUsage: Bool) -> [[UInt8]] {
    if let raw = value["raw"]?.string { return [Array(raw.utf8)] }
    if let flood = Mishap.flood(value, "data: ") { return flood }
    var chunks = [chunk(["role": "assistant", "content": "", "refusal": nil])]
    if let thought = value["think"]?.string {
      chunks.append(chunk(["content": .string("<think>\(thought)</think>\n")]))
    }
    chunks += ChatAnswer.tokens(value["say"]?.string ?? "").map { chunk(["content": .string($0)]) }
    chunks += ChatAnswer.tokens(value["refuse"]?.string ?? "").map { chunk(["refusal": .string($0)]) }
    chunks += toolDeltas().map { chunk($0) }
    var pieces = chunks.map { line($0.text) }
    if style("comments") { pieces = pieces.flatMap { [Array(": keep-alive\n\n".utf8), $0] } }
    if value["garbage"] == true { return pieces + [line("{\"choices\": [oops")] }
    if let error = value["error"]?.string {
      return pieces + [
        line(
          JSONValue.object(["error": ["message": .string(error), "type": "server_error", "code": nil]]).text)
      ]
    }
    if Mishap(value).end != .whole { return pieces }
    pieces.append(line(chunk([:], finish: finish).text))
    if includesUsage {
      var last = chunk([:]).object ?? [:]
      last["choices"] = []
      last["usage"] = ChatAnswer.usage
      pieces.append(line(JSONValue.object(last).text))
    }
    return style("nodone") ? pieces : pieces + [line("[DONE]")]
  }

  private func line(_ data: String) -> [UInt8] {
    let end = style("crlf") ? "\r\n" : "\n"
    return Array(("data:" + (style("nospace") ? "" : " ") + data + end + end).utf8)
  }

  /// The answer as one object.
  func whole() -> JSONValue {
    var message: [String: JSONValue] = [
      "role": "assistant", "content": value["say"] ?? .null, "refusal": value["refuse"] ?? .null,
    ]
    if !calls.isEmpty {
      message["tool_calls"] = .array(
        calls.map {
          [
            "id": .string($0.id), "type": "function",
            "function": ["name": .string($0.name), "arguments": .string($0.arguments)],
          ]
        })
    }
    return [
      "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": .string(model),
      "choices": [
        ["index": 0, "message": .object(message), "logprobs": nil, "finish_reason": .string(finish)]
      ],
      "usage": ChatAnswer.usage,
    ]
  }
}
