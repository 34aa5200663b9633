internal import RouterCore

/// The messages of a media stream, from Telnyx's side
/// (https://developers.telnyx.com/docs/voice/programmable-voice/media-streaming).
struct TelnyxWire: StreamWire {
  /// What the caller's sound is called; anything but PCMA is sent as µ-law.
  let codec: String
  let callID: String
  private let id = Secret.token()
  private var sequence = 0
  private var chunk = 0
  /// A frame that waits for the next one to overtake it: order is not guaranteed.
  private var held: WebSocketMessage?

  init(codec: String, callID: String) {
    self.codec = codec
    self.callID = callID
  }

  var says: AudioFormat { codec == "PCMA" ? .aLaw : .muLaw }
  var hears: AudioFormat { .muLaw }

  private mutating func message(_ event: String, _ content: JSONValue) -> WebSocketMessage {
    sequence += 1
    let all: JSONValue = .object([
      "event": .string(event), "sequence_number": .string("\(sequence)"), "stream_id": .string(id),
      event: content,
    ])
    return .text(all.text)
  }

  mutating func begin() -> [WebSocketMessage] {
    let rate: JSONValue = codec == "G722" ? 16000 : 8000
    let start: JSONValue = [
      "user_id": "user", "call_control_id": .string(callID), "client_state": "", "tags": [],
      "custom_parameters": [:],
      "media_format": ["encoding": .string(codec), "sample_rate": rate, "channels": 1],
    ]
    return [.text(#"{"event":"connected","version":"1.0.0"}"#), message("start", start)]
  }

  mutating func sound(_ bytes: [UInt8]) -> [WebSocketMessage] {
    chunk += 1
    let frame = message(
      "media",
      [
        "track": "inbound", "chunk": .string("\(chunk)"), "timestamp": .string("\(chunk * 20)"),
        "payload": .string(Base64.encode(bytes)),
      ])
    // Every tenth frame is overtaken by the one after it.
    if chunk % 10 == 9 {
      held = frame
      return []
    }
    defer { held = nil }
    return [frame] + [held].compactMap { $0 }
  }

  mutating func key(_ key: Character) -> [WebSocketMessage] {
    [message("dtmf", ["digit": .string(String(key))])]
  }

  mutating func reached(_ mark: String) -> [WebSocketMessage] {
    [message("mark", ["name": .string(mark)])]
  }

  /// Marks come back although their sound was never played.
  mutating func cleared(_ marks: [String]) -> [WebSocketMessage] { marks.flatMap { reached($0) } }

  mutating func end() -> [WebSocketMessage] {
    [message("stop", ["user_id": "user", "call_control_id": .string(callID)])]
  }

  mutating func read(_ message: WebSocketMessage) -> StreamOrder {
    guard case .text(let text) = message, let value = JSONValue(parsing: text) else {
      return .wrong("a message that is no JSON text")
    }
    switch value["event"]?.string {
    case "media":
      guard let bytes = value["media"]?["payload"]?.string.flatMap({ Base64.decode($0) }),
        (160...240_000).contains(bytes.count)
      else { return .wrong("media that is no 20 ms to 30 s in base 64") }
      return .play(bytes)
    case "mark":
      guard let name = value["mark"]?["name"]?.string else { return .wrong("a mark without a name") }
      return .mark(name)
    case "clear": return .clear
    default: return .wrong("an unknown message \(value["event"]?.string ?? "without an event")")
    }
  }
}
