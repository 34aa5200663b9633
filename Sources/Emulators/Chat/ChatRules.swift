internal import RouterCore

/// What a Chat Completions request may hold (openai-openapi, `CreateChatCompletionRequest`).
enum ChatRules {
  private static let name = Rule.textOf(maximum: 64)

  private static let function = Rule.object([
    "name": Rule.required(name), "description": Rule.optional(.text), "parameters": Rule.optional(.free),
    "strict": Rule.optional(.either([.bool, .null])),
  ])

  private static let part = Rule.tagged(
    "type",
    [
      "text": .object(["type": Rule.required(.text), "text": Rule.required(.text)]),
      "refusal": .object(["type": Rule.required(.text), "refusal": Rule.required(.text)]),
      "image_url": .object(["type": Rule.required(.text), "image_url": Rule.required(.free)]),
      "input_audio": .object(["type": Rule.required(.text), "input_audio": Rule.required(.free)]),
    ])
  private static let content = Rule.either([.text, .list(part)])

  private static let call = Rule.object([
    "id": Rule.required(.text), "type": Rule.required(.choice(["function"])),
    "function": Rule.required(.object(["name": Rule.required(name), "arguments": Rule.required(.text)])),
  ])

  private static func message(_ more: [String: Rule.Member]) -> Rule {
    .object(more.merging(["role": Rule.required(.text), "name": Rule.optional(.text)]) { own, _ in own })
  }

  private static let message = Rule.tagged(
    "role",
    [
      "system": message(["content": Rule.required(content)]),
      "developer": message(["content": Rule.required(content)]),
      "user": message(["content": Rule.required(content)]),
      "assistant": message([
        "content": Rule.optional(.either([content, .null])),
        "refusal": Rule.optional(.either([.text, .null])),
        "tool_calls": Rule.optional(.list(call)), "audio": Rule.optional(.either([.free, .null])),
      ]),
      "tool": message(["content": Rule.required(content), "tool_call_id": Rule.required(.text)]),
    ])

  static let request = Rule.object([
    "messages": Rule.required(.list(message)), "model": Rule.required(.text),
    "frequency_penalty": Rule.optional(.number(-2...2)), "presence_penalty": Rule.optional(.number(-2...2)),
    "temperature": Rule.optional(.number(0...2)), "top_p": Rule.optional(.number(0...1)),
    "logit_bias": Rule.optional(.free), "logprobs": Rule.optional(.bool),
    "top_logprobs": Rule.optional(.integer(0...20)),
    "max_completion_tokens": Rule.optional(.integer(1...1_000_000)),
    "max_tokens": Rule.optional(.integer(1...1_000_000)), "metadata": Rule.optional(.free),
    "modalities": Rule.optional(.list(.choice(["text", "audio"]))), "audio": Rule.optional(.free),
    "n": Rule.optional(.integer(1...128)), "parallel_tool_calls": Rule.optional(.bool),
    "prediction": Rule.optional(.free), "prompt_cache_key": Rule.optional(.text),
    "prompt_cache_retention": Rule.optional(.text),
    "verbosity": Rule.optional(.choice(["low", "medium", "high"])),
    "reasoning_effort": Rule.optional(.choice(["none", "minimal", "low", "medium", "high", "xhigh"])),
    "response_format": Rule.optional(.free), "safety_identifier": Rule.optional(.text),
    "seed": Rule.optional(.integer(.min ... .max)),
    "service_tier": Rule.optional(.text), "stop": Rule.optional(.either([.text, .list(.text), .null])),
    "store": Rule.optional(.bool), "stream": Rule.optional(.bool),
    "stream_options": Rule.optional(
      .either([
        .null, .object(["include_usage": Rule.optional(.bool), "include_obfuscation": Rule.optional(.bool)]),
      ])),
    "tool_choice": Rule.optional(.either([.choice(["none", "auto", "required"]), .free])),
    "tools": Rule.optional(
      .list(.object(["type": Rule.required(.choice(["function"])), "function": Rule.required(function)]))),
    "user": Rule.optional(.text), "web_search_options": Rule.optional(.free),
  ])

  /// What is wrong with a request; `nil` when nothing is.
  static func fault(_ body: JSONValue) -> Rule.Fault? {
    if let fault = request.fault(body) { return fault }
    if body["stream_options"]?.object != nil, body["stream"]?.bool != true {
      return Rule.Fault(.invalid, "stream_options", "it is for streams only")
    }
    for (index, tool) in (body["tools"]?.array ?? []).enumerated() {
      if let fault = toolFault(tool["function"] ?? .null, "tools[\(index)].function") { return fault }
    }
    return order(body["messages"]?.array ?? [])
  }

  private static func toolFault(_ function: JSONValue, _ path: String) -> Rule.Fault? {
    let name = function["name"]?.string ?? ""
    let isLegal =
      !name.isEmpty
      && name.utf8.allSatisfy {
        ($0 >= 48 && $0 < 58) || ($0 | 32 >= 97 && $0 | 32 < 123) || $0 == 95 || $0 == 45
      }
    if !isLegal {
      return Rule.Fault(.invalid, path + ".name", "'\(name)' does not match ^[a-zA-Z0-9_-]{1,64}$")
    }
    guard let parameters = function["parameters"] else { return nil }
    if parameters["type"] != "object" {
      return Rule.Fault(.invalid, path + ".parameters", "a schema must have the type 'object'")
    }
    if parameters["properties"]?.object == nil {
      return Rule.Fault(.invalid, path + ".parameters", "an object schema is missing properties")
    }
    return nil
  }

  /// Every tool call is answered, once, right after its message, and nothing else is.
  private static func order(_ messages: [JSONValue]) -> Rule.Fault? {
    if messages.isEmpty { return Rule.Fault(.invalid, "messages", "there is none") }
    var open: Set<String> = []
    for (index, message) in messages.enumerated() {
      let path = "messages[\(index)]"
      if message["role"] == "tool" {
        guard open.remove(message["tool_call_id"]?.string ?? "") != nil else {
          return Rule.Fault(
            .invalid, path, "a message with role 'tool' must answer a tool call right before it")
        }
        continue
      }
      if let id = open.first {
        return Rule.Fault(.invalid, path, "the tool call '\(id)' has no answer")
      }
      let calls = message["tool_calls"]?.array ?? []
      if message["role"] == "assistant", calls.isEmpty, message["content"]?.string == nil,
        message["content"]?.array == nil
      {
        return Rule.Fault(.invalid, path, "an assistant's message needs content or tool calls")
      }
      if message["tool_calls"] != nil, calls.isEmpty {
        return Rule.Fault(.invalid, path + ".tool_calls", "the list is empty")
      }
      for call in calls where !open.insert(call["id"]?.string ?? "").inserted {
        return Rule.Fault(.invalid, path, "two tool calls have the same id")
      }
    }
    return open.first.map { Rule.Fault(.invalid, "messages", "the tool call '\($0)' has no answer") }
  }
}
