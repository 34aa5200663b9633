internal import RouterCore

/// A conversation as Chat Completions want it. Pure.
///
/// The API demands order: after an assistant's message with tool calls comes one `tool` message for each call, and nothing
/// else in between (else 400), whatever happened in the call meanwhile.
struct ChatMessages {
  private(set) var messages: [JSONValue] = []

  /// A message of the assistant that is not written yet.
  private var words = ""
  private var calls: [(id: String, name: String, arguments: String, result: String?)] = []

  init(_ request: TextRequest) {
    let system = ChatMessages.instructions(request.agent)
    messages.append(["role": "system", "content": .string(system)])
    for entry in request.transcript { add(entry) }
    add(request.prompt, request)
    flush()
  }

  // MARK: What the agent is told to be

  static func instructions(_ agent: AgentConfiguration) -> String {
    var parts: [String] = []
    if !agent.instructions.isEmpty { parts.append(agent.instructions) }
    parts.append(
      "You are talking on the telephone: what you write is spoken aloud. Answer in one to three short sentences of "
        + "plain words, without lists, markup, emoji or web addresses. What stands in square brackets is a note of the "
        + "telephone system; never write such notes yourself.")
    if let language = agent.language { parts.append("Speak the language with the tag \(language) only.") }
    return parts.joined(separator: "\n\n")
  }

  // MARK: What was said

  private mutating func add(_ entry: TranscriptEntry) {
    switch (entry.speaker, entry.kind) {
    case (.agent, .speech):
      // After its tools' results the agent begins a new message.
      if !calls.isEmpty { flush() }
      words += words.isEmpty ? entry.text : " " + entry.text
    case (.agent, .toolCall):
      calls.append((entry.callID ?? "", entry.text, entry.arguments?.text ?? "{}", nil))
    case (_, .toolResult): answer(entry.callID, entry.text)
    case (.caller, .speech): user(entry.text.isEmpty ? ChatMessages.unintelligible : entry.text)
    case (.caller, .digits): user("[The caller pressed the keys \(entry.text)]")
    case (_, .transfer): user("[Handing over: \(entry.text)]")
    default: break  // notes are the engine's, or of another model
    }
  }

  private static let unintelligible = "[The caller said something that could not be understood]"

  private mutating func add(_ prompt: TextRequest.Prompt, _ request: TextRequest) {
    switch prompt {
    case .greeting:
      var note = "The call was just answered. Greet the caller."
      if let opening = request.agent.initialSpeech, !opening.isEmpty {
        note += " Open the call like this: \(opening)"
      }
      user("[\(note)]")
    case .takeover:
      user("[The line to the agent before you broke off. Go on in its sense, without a greeting.]")
    case .speech(let text, _): user(text.allSatisfy(\.isWhitespace) ? ChatMessages.unintelligible : text)
    case .digits(let digits): user("[The caller pressed the keys \(digits)]")
    case .silence: user("[The caller has said nothing for a while. Ask whether they are still there.]")
    case .information(let text): user("[\(text)]")
    case .toolResults(let results):
      for result in results { answer(result.callID, result.output.string ?? result.output.text) }
      flush()
      if messages.last?["role"]?.string != "tool" { user("[Go on]") }
    }
  }

  /// Notes and words in a row become one message: some models insist on taking turns.
  private mutating func user(_ text: String) {
    flush()
    if let last = messages.last, last["role"]?.string == "user", let before = last["content"]?.string {
      messages.removeLast()
      return messages.append(["role": "user", "content": .string(before + "\n" + text)])
    }
    messages.append(["role": "user", "content": .string(text)])
  }

  /// A result belongs to the last call of that name that has none. It may come long after, when the call's message is
  /// written: then it takes the place of the word that it is not there yet.
  private mutating func answer(_ id: String?, _ text: String) {
    if let index = calls.firstIndex(where: { $0.result == nil && ($0.id == id || id == nil || $0.id.isEmpty) }
    ) {
      calls[index].result = text
      return
    }
    let pending = messages.lastIndex { message in
      message["role"]?.string == "tool" && message["tool_call_id"]?.string == id
        && message["content"]?.string == ChatMessages.pending
    }
    if let id, let pending {
      messages[pending] = ChatMessages.tool(id, text)
    } else {
      user("[Result of a tool: \(text)]")
    }
  }

  private static let pending = "(no result yet)"

  private static func tool(_ id: String, _ text: String) -> JSONValue {
    ["role": "tool", "tool_call_id": .string(id), "content": .string(text)]
  }

  /// Writes what the assistant has said and called.
  private mutating func flush() {
    guard !words.isEmpty || !calls.isEmpty else { return }
    if messages.count == 1 { messages.append(["role": "user", "content": "[The call was answered.]"]) }
    var message: [String: JSONValue] = [
      "role": "assistant", "content": words.isEmpty ? .null : .string(words),
    ]
    let number = messages.count
    for index in calls.indices where calls[index].id.isEmpty { calls[index].id = "call_\(number)_\(index)" }
    if !calls.isEmpty {
      message["tool_calls"] = .array(
        calls.map { call in
          [
            "id": .string(call.id), "type": "function",
            "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
          ]
        })
    }
    messages.append(.object(message))
    for call in calls { messages.append(ChatMessages.tool(call.id, call.result ?? ChatMessages.pending)) }
    words = ""
    calls = []
  }

  // MARK: The request

  static func body(_ request: TextRequest, _ settings: ChatSettings) -> JSONValue {
    var body: [String: JSONValue] = [
      "model": .string(settings.model), "messages": .array(ChatMessages(request).messages), "stream": true,
      "stream_options": ["include_usage": true],
    ]
    if !request.tools.isEmpty {
      body["tools"] = .array(
        request.tools.map { tool in
          [
            "type": "function",
            "function": [
              "name": .string(tool.name), "description": .string(tool.description),
              "parameters": tool.parameters,
            ],
          ]
        })
    }
    for (name, value) in settings.parameters {
      if value == .null { body.removeValue(forKey: name) } else { body[name] = value }
    }
    return .object(body)
  }
}
