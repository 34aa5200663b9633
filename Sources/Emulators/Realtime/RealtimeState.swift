internal import FoundationEssentials
internal import RouterCore

/// What a realtime session knows: its settings, the items of its conversation and what is still owed. Pure.
struct RealtimeState {
  /// The fault that a real server would answer with an `error` event.
  struct Refusal: Hashable {
    var code: String
    var message: String
    var parameter: String?
    /// Whether a careful client never causes it; a race of both sides is nobody's fault.
    var isViolation = true
  }

  let shape: RealtimeRules.Shape
  private(set) var hasSession = false
  private(set) var format = AudioFormat.linear16(24000)
  private(set) var inputFormat = AudioFormat.linear16(24000)
  private(set) var detection = AgentConfiguration.TurnDetection()
  private(set) var createsResponses = true
  private(set) var interruptsResponses = true
  /// Whether the client leaves it to us to hear when the caller speaks.
  private(set) var detectsTurns = true
  private(set) var transcribes = false
  private(set) var tools: Set<String> = []
  private(set) var instructions = ""
  private(set) var voice: JSONValue?
  private var hasSpoken = false
  /// Bytes of sound of each item of the assistant, as far as they were sent.
  private(set) var spoken: [String: Int] = [:]
  private(set) var truncated: Set<String> = []
  /// Function calls that were made and have no output yet.
  private(set) var owed: Set<String> = []
  private(set) var called: Set<String> = []
  var messages: [String] = []

  init(_ shape: RealtimeRules.Shape) { self.shape = shape }

  /// Bytes of sound in a millisecond.
  var bytesPerMillisecond: Int { format.sampleRate * format.bytesPerSample / 1000 }

  mutating func update(_ session: JSONValue) -> Refusal? {
    let isGA = shape == .ga
    let modalities = session[isGA ? "output_modalities" : "modalities"]?.array?.compactMap(\.string) ?? []
    if isGA, modalities.count > 1 {
      return Refusal(
        code: "invalid_value", message: "audio or text, not both", parameter: "session.output_modalities")
    }
    if !isGA, modalities == ["audio"] {
      return Refusal(code: "invalid_value", message: "audio needs text", parameter: "session.modalities")
    }
    let audio = session["audio"]
    let voice = isGA ? audio?["output"]?["voice"] : session["voice"]
    if hasSpoken, let voice, voice != self.voice {
      return Refusal(code: "cannot_update_voice", message: "it has spoken", parameter: "session.voice")
    }
    self.voice = voice ?? self.voice
    hasSession = true
    instructions = session["instructions"]?.string ?? instructions
    if let given = session["tools"]?.array { tools = Set(given.compactMap { $0["name"]?.string }) }
    let input = isGA ? audio?["input"] : session
    inputFormat = Self.format(isGA ? input?["format"]?["type"] : session["input_audio_format"]) ?? inputFormat
    format =
      Self.format(isGA ? audio?["output"]?["format"]?["type"] : session["output_audio_format"]) ?? format
    if let model = (isGA ? input?["transcription"] : session["input_audio_transcription"]) {
      transcribes = model != .null
    }
    if let turns = input?["turn_detection"] {
      detectsTurns = turns != .null
      detection.threshold = turns["threshold"]?.number ?? 0.5
      detection.silenceDuration = turns["silence_duration_ms"]?.integer ?? 200
      detection.prefixPadding = turns["prefix_padding_ms"]?.integer ?? 300
      createsResponses = turns["create_response"]?.bool ?? true
      interruptsResponses = turns["interrupt_response"]?.bool ?? true
    }
    return nil
  }

  private static func format(_ name: JSONValue?) -> AudioFormat? {
    switch name?.string {
    case "audio/pcmu", "g711_ulaw": .muLaw
    case "audio/pcma", "g711_alaw": .aLaw
    case "audio/pcm", "pcm16": .linear16(24000)
    default: nil
    }
  }

  mutating func spoke(_ item: String, bytes: Int) {
    hasSpoken = true
    spoken[item, default: 0] += bytes
  }

  mutating func called(_ id: String) {
    owed.insert(id)
    called.insert(id)
  }

  /// An item that the client puts into the conversation.
  mutating func create(_ item: JSONValue) -> Refusal? {
    switch item["type"]?.string {
    case "function_call_output":
      let id = item["call_id"]?.string ?? ""
      guard called.contains(id) else {
        return Refusal(
          code: "invalid_tool_call_id", message: "nobody called \(id)", parameter: "item.call_id")
      }
      guard owed.remove(id) != nil else {
        return Refusal(code: "invalid_value", message: "\(id) has its output", parameter: "item.call_id")
      }
    case "message":
      let role = item["role"]?.string ?? ""
      let words = item["content"]?.array?.compactMap { $0["text"]?.string }.joined(separator: " ") ?? ""
      messages.append("\(role): \(words)")
    default: break
    }
    return nil
  }

  /// Cuts what the assistant said. Returns how long it was.
  mutating func truncate(_ item: String, to milliseconds: Int) -> Result<Int, RefusalError> {
    guard let bytes = spoken[item] else {
      return .failure(
        RefusalError(
          Refusal(
            code: "item_truncate_invalid_item_id", message: "no such item with sound", parameter: "item_id")))
    }
    let length = bytes / bytesPerMillisecond
    guard length > 0 else {
      return .failure(
        RefusalError(
          Refusal(
            code: "unsupported_content_type", message: "the item has no sound yet", parameter: "item_id")))
    }
    guard milliseconds <= length else {
      let message = "Audio content of \(length)ms is already shorter than \(milliseconds)ms"
      return .failure(
        RefusalError(Refusal(code: "invalid_value", message: message, parameter: "audio_end_ms")))
    }
    truncated.insert(item)
    return .success(length)
  }

  struct RefusalError: Error { var refusal: Refusal; init(_ refusal: Refusal) { self.refusal = refusal } }

  /// Whether a response may be made now, in the conversation or beside it.
  func respond(isActive: Bool, isAside: Bool) -> Refusal? {
    if isActive {
      return Refusal(
        code: "conversation_already_has_active_response",
        message: "Conversation already has an active response in progress.", parameter: nil,
        isViolation: false)
    }
    guard owed.isEmpty || isAside else {
      let calls = owed.sorted().joined(separator: ", ")
      return Refusal(code: "invalid_request", message: "no output yet for \(calls)", parameter: nil)
    }
    return nil
  }
}
