internal import RouterCore

/// One message of the server, read. Sound, the bulk of it, costs no tree of values.
enum ServerMessage {
  case sound(SoundDelta)
  case event(ServerEvent)
  /// Not an event of the protocol; the words say what is wrong with it.
  case garbage(String)

  /// Messages without sound that are longer are not read.
  static let maximumEventBytes = 1 << 20

  init(_ bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { ServerMessage.read($0) }
  }

  private static func read(_ bytes: UnsafeRawBufferPointer) -> ServerMessage {
    if let sound = sound(bytes) { return sound }
    guard let fields = MessageFields(bytes) else { return .garbage("no JSON object") }
    guard let name = fields.text(.type) else { return .garbage("no type") }
    guard bytes.count <= maximumEventBytes else { return .garbage("an event of \(bytes.count) bytes") }
    return .event(event(name, fields))
  }

  /// A piece of sound; `nil` for every other message.
  private static func sound(_ bytes: UnsafeRawBufferPointer) -> ServerMessage? {
    var isSound = false
    var delta: UnsafeRawBufferPointer?
    var response: JSONScanner.Value?
    var item: JSONScanner.Value?
    let isObject = JSONScanner.members(of: bytes) { name, value in
      if name.equals("type") {
        // The second is the beta protocol's.
        isSound = value.equals("response.output_audio.delta") || value.equals("response.audio.delta")
      } else if name.equals("delta") {
        delta = value.text
      } else if name.equals("response_id") {
        response = value
      } else if name.equals("item_id") {
        item = value
      }
    }
    guard isObject, isSound else { return nil }
    var sound: [UInt8] = []
    guard let delta, Base64.decode(delta, into: &sound) else { return .garbage("sound that is no base 64") }
    return .sound(SoundDelta(response: response?.string ?? "", item: item?.string ?? "", bytes: sound))
  }

  private static func event(_ type: String, _ fields: MessageFields) -> ServerEvent {
    let item = fields.text(.itemID) ?? ""
    let response = fields.text(.responseID) ?? ""
    switch type {
    case "session.created": return .sessionCreated(expiresAt: fields.tree(.session)["expires_at"]?.number)
    case "session.updated": return .sessionUpdated
    case "input_audio_buffer.speech_started": return .speechStarted(item: item)
    case "input_audio_buffer.speech_stopped": return .speechStopped
    case "input_audio_buffer.committed": return .committed(item: item)
    case "response.output_audio_transcript.delta", "response.audio_transcript.delta":
      return .saidPiece(response: response, item: item, fields.text(.delta) ?? "")
    case "response.output_audio_transcript.done", "response.audio_transcript.done":
      return .said(response: response, item: item, fields.text(.transcript) ?? "")
    case "response.function_call_arguments.done":
      guard let id = fields.text(.callID) else { return .other(type) }
      let arguments = fields.text(.arguments) ?? ""
      return .call(
        response: response, ServerEvent.FunctionCall(id: id, name: fields.text(.name), arguments: arguments))
    case "response.output_item.added", "response.output_item.done":
      // Here the beta protocol says the function's name.
      guard let call = ServerEvent.FunctionCall(fields.tree(.item)) else { return .other(type) }
      return .call(response: response, call)
    case "response.created": return .responseCreated(id: fields.tree(.response)["id"]?.string ?? "")
    case "response.done":
      let body = fields.tree(.response)
      return .responseDone(id: body["id"]?.string ?? "", ServerEvent.Outcome(body))
    case "error": return .problem(ServerEvent.Problem(fields.tree(.error)))
    case "rate_limits.updated": return limits(fields.tree(.rateLimits)) ?? .other(type)
    case _ where type.hasPrefix("conversation.item.input_audio_transcription."):
      return hearing(type, item, fields)
    default: return .other(type)
    }
  }

  private static func hearing(_ type: String, _ item: String, _ fields: MessageFields) -> ServerEvent {
    switch type.split(separator: ".").last {
    case "delta": return .heardPiece(item: item, fields.text(.delta) ?? "")
    // Some servers send what was heard so far again and again (xAI).
    case "updated": return .heardSoFar(item: item, fields.text(.transcript) ?? "")
    case "completed" where fields.text(.status) == "in_progress":
      return .heardSoFar(item: item, fields.text(.transcript) ?? "")
    case "completed": return .heard(item: item, fields.text(.transcript) ?? "")
    case "failed":
      return .hearingFailed(item: item, ServerEvent.Problem(fields.tree(.error)).words)
    default: return .other(type)
    }
  }

  private static func limits(_ value: JSONValue) -> ServerEvent? {
    value.array?.lazy.compactMap { limit in
      guard limit["remaining"]?.number == 0, let name = limit["name"]?.string else { return nil }
      return .exhausted(name, seconds: limit["reset_seconds"]?.number ?? 0)
    }.first
  }
}

extension ServerEvent.FunctionCall {
  /// From an item of the conversation; `nil` for other items.
  init?(_ item: JSONValue) {
    guard item["type"]?.string == "function_call", let id = item["call_id"]?.string else { return nil }
    self.init(id: id, name: item["name"]?.string, arguments: item["arguments"]?.string ?? "")
  }
}

extension ServerEvent.Outcome {
  init(_ response: JSONValue) {
    let details = response["status_details"]
    status = response["status"]?.string ?? "completed"
    reason = details?["reason"]?.string
    error = details?["error"].flatMap { $0 == .null ? nil : ServerEvent.Problem($0) }
    let items = response["output"]?.array ?? []
    calls = items.filter { $0["status"]?.string ?? "completed" == "completed" }.compactMap {
      ServerEvent.FunctionCall($0)
    }
  }
}

extension ServerEvent.Problem {
  init(_ error: JSONValue) {
    type = error["type"]?.string ?? ""
    code = error["code"]?.string ?? ""
    message = error["message"]?.string ?? error.string ?? ""
    eventID = error["event_id"]?.string
  }
}
