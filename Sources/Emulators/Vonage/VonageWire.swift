internal import RouterCore

/// The messages of a media socket, from Vonage's side
/// (https://developer.vonage.com/en/voice/voice-api/concepts/websockets).
struct VonageWire: StreamWire {
  /// Messages that Vonage keeps for a socket; what comes beyond is dropped.
  static let maximumQueue = 3072

  let rate: Int
  /// What stands beside `event` in the first message: the action's own headers.
  let headers: [String: JSONValue]
  /// Whether sound comes before the first event, as has been seen.
  let isSoundFirst: Bool
  private var hasBegun = false
  private var sent = 0
  private var queued = 0

  init(rate: Int, headers: [String: JSONValue], isSoundFirst: Bool) {
    self.rate = rate
    self.headers = headers
    self.isSoundFirst = isSoundFirst
  }

  var says: AudioFormat { .linear16(rate) }
  var hears: AudioFormat { .linear16(rate) }
  private var frameBytes: Int { rate / 50 * 2 }

  private var connected: WebSocketMessage {
    let own: [String: JSONValue] = [
      "event": "websocket:connected", "content-type": .string("audio/l16;rate=\(rate)"),
    ]
    return .text(JSONValue.object(headers.merging(own) { $1 }).text)
  }

  mutating func begin() -> [WebSocketMessage] {
    hasBegun = !isSoundFirst
    return hasBegun ? [connected] : []
  }

  mutating func sound(_ bytes: [UInt8]) -> [WebSocketMessage] {
    sent += 1
    // A frame that was sent is a frame's time that was played.
    queued = max(0, queued - 1)
    guard !hasBegun, sent == 3 else { return [.binary(bytes)] }
    hasBegun = true
    return [connected, .binary(bytes)]
  }

  mutating func key(_ key: Character) -> [WebSocketMessage] {
    [
      .text(
        JSONValue.object(["event": "websocket:dtmf", "digit": .string(String(key)), "duration": 260]).text)
    ]
  }

  /// `mark` is the payload of a `notify`.
  mutating func reached(_ mark: String) -> [WebSocketMessage] {
    [.text(#"{"event":"websocket:notify","payload":"# + mark + "}")]
  }

  /// Notifications that waited are gone with the sound.
  mutating func cleared(_ marks: [String]) -> [WebSocketMessage] {
    queued = 0
    return [.text(#"{"event":"websocket:cleared"}"#)]
  }

  /// There is no last word: the socket closes.
  mutating func end() -> [WebSocketMessage] { [] }

  mutating func read(_ message: WebSocketMessage) -> StreamOrder {
    switch message {
    case .binary(let bytes):
      guard bytes.count == frameBytes else {
        return .fatal("unexpected frame size \(bytes.count), when required \(frameBytes)")
      }
      queued += 1
      guard queued <= VonageWire.maximumQueue else { return .wrong("the queue is full: a frame is dropped") }
      return .play(bytes)
    case .text(let text):
      guard let value = JSONValue(parsing: text) else { return .wrong("a text that is no JSON") }
      switch value["action"]?.string {
      case "clear": return .clear
      case "notify":
        guard let payload = value["payload"], payload.object != nil else {
          return .wrong("a notify without a payload")
        }
        return .mark(payload.text)
      default: return .wrong("an unknown action \(value["action"]?.string ?? "(none)")")
      }
    }
  }
}
