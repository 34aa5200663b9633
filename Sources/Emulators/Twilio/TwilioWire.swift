internal import RouterCore

/// The messages of a media stream, from Twilio's side
/// (https://www.twilio.com/docs/voice/media-streams/websocket-messages).
struct TwilioWire: StreamWire {
  let account: String
  let callSid: String
  let parameters: [XMLElement]
  private let sid = "MZ" + Secret.token().prefix(32)
  private var sequence = 0
  private var chunk = 0

  init(account: String, callSid: String, parameters: [XMLElement]) {
    self.account = account
    self.callSid = callSid
    self.parameters = parameters
  }

  var says: AudioFormat { .muLaw }
  var hears: AudioFormat { .muLaw }

  private mutating func message(_ event: String, _ content: JSONValue) -> WebSocketMessage {
    sequence += 1
    let all: JSONValue = .object([
      "event": .string(event), "sequenceNumber": .string("\(sequence)"), "streamSid": .string(sid),
      event: content,
    ])
    return .text(all.text)
  }

  mutating func begin() -> [WebSocketMessage] {
    var custom: [String: JSONValue] = [:]
    for parameter in parameters where parameter.name == "Parameter" {
      custom[parameter.attributes["name"] ?? ""] = .string(parameter.attributes["value"] ?? "")
    }
    let start: JSONValue = [
      "streamSid": .string(sid), "accountSid": .string(account), "callSid": .string(callSid),
      "tracks": ["inbound"], "customParameters": .object(custom),
      "mediaFormat": ["encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1],
    ]
    return [
      .text(#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#), message("start", start),
    ]
  }

  mutating func sound(_ bytes: [UInt8]) -> [WebSocketMessage] {
    chunk += 1
    return [
      message(
        "media",
        [
          "track": "inbound", "chunk": .string("\(chunk)"), "timestamp": .string("\(chunk * 20)"),
          "payload": .string(Base64.encode(bytes)),
        ])
    ]
  }

  mutating func key(_ key: Character) -> [WebSocketMessage] {
    [message("dtmf", ["track": "inbound_track", "digit": .string(String(key))])]
  }

  mutating func reached(_ mark: String) -> [WebSocketMessage] {
    [message("mark", ["name": .string(mark)])]
  }

  /// Marks come back although their sound was never played.
  mutating func cleared(_ marks: [String]) -> [WebSocketMessage] { marks.flatMap { reached($0) } }

  mutating func end() -> [WebSocketMessage] {
    [message("stop", ["accountSid": .string(account), "callSid": .string(callSid)])]
  }

  mutating func read(_ message: WebSocketMessage) -> StreamOrder {
    guard case .text(let text) = message else { return .wrong("a binary message on a stream") }
    guard let value = JSONValue(parsing: text), value.object != nil else {
      return .wrong("no JSON: \(String(decoding: text, as: UTF8.self).prefix(200))")
    }
    guard value["streamSid"]?.string == sid else {
      return .wrong("a message for the stream \(value["streamSid"]?.string ?? "(none)")")
    }
    switch value["event"]?.string {
    case "media":
      guard let bytes = value["media"]?["payload"]?.string.flatMap({ Base64.decode($0) }), !bytes.isEmpty
      else { return .wrong("media without a payload in base 64") }
      return .play(bytes)
    case "mark":
      guard let name = value["mark"]?["name"]?.string else { return .wrong("a mark without a name") }
      return .mark(name)
    case "clear": return .clear
    default: return .wrong("an unknown message \(value["event"]?.string ?? "without an event")")
    }
  }
}
