internal import FoundationEssentials
internal import RouterCore

/// What travels on a tool's socket, as JSON texts. Pure. The frames `initialize`, `ui_update` and `context_update` are
/// those of the REST contract (its page on tools); that of a call is not written down there and is ours.
enum ToolFrames {
  /// The first frame.
  static func initialize(
    _ functions: [FunctionDefinition], _ call: InboundCall, _ agent: AgentConfiguration
  ) -> String {
    var data: [String: JSONValue] = [
      "session_id": .string(call.id.text),
      "functions": .array(
        functions.compactMap(\.tool).map { tool in
          [
            "name": .string(tool.name), "description": .string(tool.description),
            "parameters": tool.parameters,
          ]
        }),
    ]
    if functions.contains(where: { $0.settings["acceptMetadata"]?.bool != false }) {
      data["metadata"] = [
        "tags": .object(agent.tags.mapValues(JSONValue.string)),
        "external_client_id": call.externalClientID.map(JSONValue.string) ?? .null,
        // Nobody tells us more of the person than the identifier.
        "external_client_profile": .null,
        "agent": .string(agent.name), "channel": .string(call.channel.rawValue),
        "from": .string(call.from.user), "to": .string(call.to.user),
      ]
    }
    return frame("initialize", .object(data))
  }

  static func call(_ call: ToolCall) -> String {
    frame(
      "function_call",
      ["call_id": .string(call.id), "name": .string(call.name), "arguments": call.arguments])
  }

  /// A line of the conversation, for those who receive messages; `nil` for what is no message.
  static func message(_ entry: TranscriptEntry, now: Date) -> String? {
    guard entry.kind == .speech || entry.kind == .digits else { return nil }
    let role = entry.speaker == .caller ? "user" : entry.speaker == .agent ? "agent" : "system"
    let action = entry.wasInterrupted ? "cancelled" : "completed"
    return frame(
      "message_received",
      [
        "message": [
          "role": .string(role), "action": .string(action), "content": .string(entry.text),
          "type": "message", "timestamp": .integer(Int(now.timeIntervalSince1970)),
        ]
      ])
  }

  private static func frame(_ type: String, _ data: JSONValue) -> String {
    let frame: JSONValue = ["type": .string(type), "event": .string(type), "data": data]
    return frame.text
  }

  /// What a server may say.
  enum Incoming: Hashable {
    case output(call: String, JSONValue, isError: Bool)
    case update(JSONValue)
    case context(String, responds: Bool)
    /// Nothing that we know.
    case other(String)
  }

  /// Reads a frame of the server's; its members may stand in `data` or beside `type`.
  static func read(_ bytes: [UInt8]) -> Incoming {
    // What is no JSON is told by its type alone.
    guard let frame = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)), frame.object != nil else {
      return .other("no JSON object")
    }
    let type = frame["type"]?.string ?? frame["event"]?.string ?? ""
    let data = frame["data"] ?? frame
    switch type {
    case "ui_update": return .update(frame["data"] ?? .null)
    case "context_update":
      guard let text = data["content"]?.string ?? data["text"]?.string, !text.isEmpty else {
        return .other("context_update without content")
      }
      return .context(text, responds: data["trigger_response"]?.bool ?? false)
    default: break
    }
    let id = data["call_id"] ?? data["id"] ?? frame["call_id"]
    guard let call = id?.string ?? id?.integer.map(String.init) else { return .other(type) }
    let error = data["error"]
    let output = data["output"] ?? data["result"] ?? error ?? data["content"]
    guard let output else { return .other("\(type) without output") }
    return .output(
      call: call, output, isError: error != nil && error != .null || data["is_error"]?.bool == true)
  }
}
