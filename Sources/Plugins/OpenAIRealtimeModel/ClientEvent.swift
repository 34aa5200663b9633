internal import RouterCore

/// The two forms of the protocol: general availability, and the beta that many other servers and Azure's dated
/// versions speak. https://platform.openai.com/docs/guides/realtime (section "beta to GA migration")
enum Shape: String, Sendable {
  case ga, beta
}

/// What we say to a realtime server, besides sound.
/// https://platform.openai.com/docs/api-reference/realtime-client-events
enum ClientEvent: Hashable, Sendable {
  case updateSession(JSONValue)
  /// - instructions: In place of the session's, for this response only.
  case createResponse(instructions: String?)
  /// Words to be said beside the conversation, which may wait for the results of tools meanwhile: the model sees nothing of
  /// it and can use no tool.
  case sayAside(instructions: String)
  /// - response: Which one; without, the conversation's own.
  case cancelResponse(String? = nil)
  /// What was heard since the last one is the caller's turn.
  case commit
  case truncate(item: String, milliseconds: Int)
  case functionResult(call: String, output: String)
  /// Words of an earlier part of the call, or keys that were pressed.
  case message(Role, String)

  enum Role: String { case user, assistant, system }

  /// One message of the WebSocket. It begins with its type, as those of the official clients do: not every server that
  /// speaks the protocol looks further.
  func text(id: String, _ shape: Shape) -> String {
    var members = body(shape)
    members["event_id"] = .string(id)
    return #"{"type": "\#(type)", "# + JSONValue.object(members).text.dropFirst()
  }

  private var type: String {
    switch self {
    case .updateSession: "session.update"
    case .createResponse, .sayAside: "response.create"
    case .cancelResponse: "response.cancel"
    case .commit: "input_audio_buffer.commit"
    case .truncate: "conversation.item.truncate"
    case .functionResult, .message: "conversation.item.create"
    }
  }

  private func body(_ shape: Shape) -> [String: JSONValue] {
    switch self {
    case .updateSession(let session): return ["session": session]
    case .createResponse(let instructions):
      return instructions.map { ["response": ["instructions": .string($0)]] } ?? [:]
    case .sayAside(let instructions):
      return [
        "response": [
          "conversation": "none", "input": [], "tool_choice": "none", "instructions": .string(instructions),
        ]
      ]
    case .cancelResponse(let response): return response.map { ["response_id": .string($0)] } ?? [:]
    case .commit: return [:]
    case .truncate(let item, let milliseconds):
      return [
        "item_id": .string(item), "content_index": 0, "audio_end_ms": .integer(milliseconds),
      ]
    case .functionResult(let call, let output):
      return ClientEvent.item([
        "type": "function_call_output", "call_id": .string(call), "output": .string(output),
      ])
    case .message(let role, let text):
      let part: JSONValue =
        switch (role, shape) {
        case (.assistant, .ga): "output_text"
        case (.assistant, .beta): "text"
        case (.user, _), (.system, _): "input_text"
        }
      return ClientEvent.item([
        "type": "message", "role": .string(role.rawValue),
        "content": [["type": part, "text": .string(text)]],
      ])
    }
  }

  private static func item(_ item: JSONValue) -> [String: JSONValue] { ["item": item] }

  /// `input_audio_buffer.append`, fifty times a second for each call: written by hand, without an identifier.
  static func sound(_ bytes: [UInt8]) -> [UInt8] {
    let head: StaticString = #"{"type":"input_audio_buffer.append","audio":""#
    var text: [UInt8] = []
    text.reserveCapacity(head.utf8CodeUnitCount + (bytes.count + 2) / 3 * 4 + 2)
    head.withUTF8Buffer { text.append(contentsOf: $0) }
    bytes.withUnsafeBytes { Base64.encode($0, into: &text) }
    text.append(UInt8(ascii: "\""))
    text.append(UInt8(ascii: "}"))
    return text
  }
}
