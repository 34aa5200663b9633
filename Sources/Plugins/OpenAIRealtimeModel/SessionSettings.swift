internal import RouterCore

/// What a session is told at its beginning: an agent's configuration in the words of the protocol.
///
/// https://platform.openai.com/docs/api-reference/realtime-client-events/session/update
struct SessionSettings {
  let agent: AgentConfiguration
  let tools: [Tool]
  let format: AudioFormat
  let endpoint: Endpoint

  /// What the wire speaks is passed through where the protocol speaks it too; everything else travels as 24 kHz.
  static func format(for wire: AudioFormat) -> AudioFormat {
    wire == .muLaw || wire == .aLaw ? wire : .linear16(24000)
  }

  /// Keys of `providerSettings` that have a place of their own in the session.
  private static let placed: Set<String> = [
    "instructions", "temperature", "turnDetection", "noiseReduction", "transcription", "speed",
  ]

  /// The `session` of `session.update`.
  var session: JSONValue {
    var session: [String: JSONValue] = [:]
    // What we have no word for goes to the server as it stands in the route files.
    for (key, value) in agent.providerSettings.object ?? [:] where !SessionSettings.placed.contains(key) {
      session[key] = value
    }
    session["instructions"] = .string(instructions)
    session["tools"] = .array(tools.map(SessionSettings.function))
    if session["tool_choice"] == nil { session["tool_choice"] = "auto" }
    switch endpoint.shape {
    case .ga: addGA(&session)
    case .beta: addBeta(&session)
    }
    return .object(session)
  }

  private func addGA(_ session: inout [String: JSONValue]) {
    var input: [String: JSONValue] = ["format": formatGA, "turn_detection": turnDetection]
    if let transcription { input["transcription"] = transcription }
    if let noiseReduction { input["noise_reduction"] = noiseReduction }
    var output: [String: JSONValue] = ["format": formatGA, "voice": voice]
    if let speed = agent.providerSettings["speed"] { output["speed"] = speed }
    session["type"] = "realtime"
    // Words come with the sound; both at once is refused.
    session["output_modalities"] = ["audio"]
    session["audio"] = ["input": .object(input), "output": .object(output)]
    // There is no temperature in this form any more: it would be refused as an unknown parameter.
  }

  private func addBeta(_ session: inout [String: JSONValue]) {
    session["modalities"] = ["audio", "text"]  // Azure refuses audio alone
    session["voice"] = agent.voiceId.map(JSONValue.string) ?? .string(endpoint.voice)
    session["input_audio_format"] = formatBeta
    session["output_audio_format"] = formatBeta
    session["turn_detection"] = turnDetection
    if let transcription { session["input_audio_transcription"] = transcription }
    if let noiseReduction { session["input_audio_noise_reduction"] = noiseReduction }
    if let temperature = agent.providerSettings["temperature"] { session["temperature"] = temperature }
    if let speed = agent.providerSettings["speed"] { session["speed"] = speed }
  }

  private var formatGA: JSONValue {
    switch format.encoding {
    case .muLaw: ["type": "audio/pcmu"]
    case .aLaw: ["type": "audio/pcma"]
    case .linear16: ["type": "audio/pcm", "rate": 24000]
    }
  }

  private var formatBeta: JSONValue {
    switch format.encoding {
    case .muLaw: "g711_ulaw"
    case .aLaw: "g711_alaw"
    case .linear16: "pcm16"
    }
  }

  /// Voices of one's own have identifiers, the vendor's have names.
  private var voice: JSONValue {
    let name = agent.voiceId ?? endpoint.voice
    return name.hasPrefix("voice_") ? ["id": .string(name)] : .string(name)
  }

  /// Always complete: the defaults in the text and in service differ (500 and 200 ms of silence).
  private var turnDetection: JSONValue {
    if !detectsTurns { return .null }
    var given = agent.providerSettings["turnDetection"]?.object ?? [:]
    let type = given.removeValue(forKey: "type")?.string ?? "server_vad"
    var detection: [String: JSONValue] = [
      "type": .string(type), "create_response": true, "interrupt_response": true,
    ]
    if type == "server_vad" {
      detection["threshold"] = .number(agent.turnDetection.threshold)
      detection["prefix_padding_ms"] = .integer(agent.turnDetection.prefixPadding)
      detection["silence_duration_ms"] = .integer(agent.turnDetection.silenceDuration)
    } else {
      // Those are the other kind's; a channel may have inherited them from its agent.
      for key in ["threshold", "prefix_padding_ms", "silence_duration_ms"] { given[key] = nil }
      detection["eagerness"] = "auto"
    }
    return .object(detection.merging(given) { _, given in given })
  }

  /// Whether the server hears when the caller speaks. With `none` it does not (`turn_detection: null`, turns by hand), and
  /// we do it for it: a telephone has no key to push for talking.
  var detectsTurns: Bool {
    let given = agent.providerSettings["turnDetection"]
    return given != .null && given?["type"]?.string != "none"
  }

  /// Whether the server answers a caller's turn by itself.
  var createsResponses: Bool { detectsTurns && turnDetection["create_response"]?.bool ?? true }
  /// Whether the server stops its answer when the caller speaks.
  var interruptsResponses: Bool { detectsTurns && turnDetection["interrupt_response"]?.bool ?? true }

  /// The silence in milliseconds that ends a caller's turn; `nil` when the server decides by the meaning.
  var silence: Int? {
    if !detectsTurns { return agent.turnDetection.silenceDuration }
    return turnDetection["type"] == "server_vad" ? turnDetection["silence_duration_ms"]?.integer : nil
  }

  /// Whether what the caller says is written down.
  var isTranscribed: Bool { transcription != nil && transcription != .null }

  private var noiseReduction: JSONValue? {
    guard let type = agent.providerSettings["noiseReduction"]?["type"]?.string else { return nil }
    let names = ["nearField": "near_field", "farField": "far_field"]
    return ["type": .string(names[type] ?? type)]
  }

  private var transcription: JSONValue? {
    if let given = agent.providerSettings["transcription"] { return given }
    guard let model = endpoint.transcriptionModel else { return nil }
    var transcription: [String: JSONValue] = ["model": .string(model)]
    // ISO 639: the first part of the tag.
    if let language = agent.language?.split(separator: "-").first {
      transcription["language"] = .string(language.lowercased())
    }
    return .object(transcription)
  }

  // MARK: Words

  /// The agent's instructions, with the language if it is locked.
  var instructions: String {
    guard let language = agent.language else { return agent.instructions }
    let lock = "Speak only this language, whatever the caller speaks: \(language)."
    return agent.instructions.isEmpty ? lock : agent.instructions + "\n\n" + lock
  }

  /// Instructions for one response: they replace the session's, so they begin with them.
  func instructions(adding more: String) -> String {
    instructions.isEmpty ? more : instructions + "\n\n" + more
  }

  private static func function(_ tool: Tool) -> JSONValue {
    [
      "type": "function", "name": .string(tool.name), "description": .string(tool.description),
      "parameters": tool.parameters,
    ]
  }
}
