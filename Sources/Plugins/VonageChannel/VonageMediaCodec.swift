internal import RouterCore

/// The messages of a media socket (https://developer.vonage.com/en/voice/voice-api/concepts/websockets): 16-bit PCM, little
/// end first, in binary messages of exactly 20 ms, and JSON for the rest.
struct VonageMediaCodec: MediaSocketCodec {
  static let rates: Set<Int> = [8000, 16000, 24000]
  static let usualRate = 16000

  /// What the socket was invited with.
  private let sampleRate: Int
  private var hasStarted = false

  init(sampleRate: Int) { self.sampleRate = sampleRate }

  mutating func read(_ message: WebSocketMessage, _ report: (MediaSocketEvent) -> Void) {
    switch message {
    case .binary(let bytes):
      // Sound has been seen before the first event: the rate is what was asked for.
      if !hasStarted { start(sampleRate, report) }
      guard !bytes.isEmpty, bytes.count % 2 == 0 else { return report(.malformed("half a sample")) }
      bytes.withUnsafeBytes { report(.audio($0, number: nil)) }
    case .text(let text): text.withUnsafeBytes { read($0, report) }
    }
  }

  private mutating func start(_ rate: Int, _ report: (MediaSocketEvent) -> Void) {
    hasStarted = true
    report(
      .started(MediaSocketStart(hears: .linear16(rate), speaks: .linear16(rate), codec: "L16/\(rate)")))
  }

  private mutating func read(_ text: UnsafeRawBufferPointer, _ report: (MediaSocketEvent) -> Void) {
    var event: JSONScanner.Value?
    var contentType: String?
    var digit: String?
    var mark: String?
    let isObject = JSONScanner.members(of: text) { name, value in
      // The headers that we could have set stand beside these; ours are none, so the first of a name is Vonage's.
      if name.equals("event"), event == nil { event = value }
      if name.equals("content-type"), contentType == nil { contentType = value.string }
      if name.equals("digit") { digit = value.string }
      if name.equals("payload") { value.members { if $0.equals("mark") { mark = $1.string } } }
    }
    guard isObject, let event else { return report(.malformed("no JSON object with an event")) }
    if event.equals("websocket:connected") {
      if hasStarted { return }
      guard let rate = VonageMediaCodec.rate(of: contentType ?? "") else {
        return report(.malformed("a stream that is no 16-bit PCM of 8, 16 or 24 kHz"))
      }
      start(rate, report)
    } else if event.equals("websocket:dtmf") {
      guard let key = digit?.uppercased(), key.count == 1, let only = key.first,
        "0123456789*#ABCD".contains(only)
      else { return report(.malformed("no key")) }
      report(.digit(only))
    } else if event.equals("websocket:notify") {
      if let mark { report(.mark(mark)) }
    }
    // `websocket:cleared` tells nothing new, and what is new we do not know.
  }

  /// The rate in `audio/l16;rate=16000`.
  static func rate(of contentType: String) -> Int? {
    let parts = contentType.lowercased().split(separator: ";").map { $0.filter { $0 != " " } }
    guard parts.first == "audio/l16" else { return nil }
    return parts.dropFirst().lazy.compactMap { $0.hasPrefix("rate=") ? Int($0.dropFirst(5)) : nil }
      .first { rates.contains($0) }
  }

  mutating func audio(_ frame: UnsafeRawBufferPointer) -> WebSocketMessage { .binary(Array(frame)) }

  mutating func mark(_ name: String) -> WebSocketMessage? {
    .text(#"{"action":"notify","payload":{"mark":"\#(name)"}}"#)
  }

  mutating func clear() -> WebSocketMessage? { .text(#"{"action":"clear"}"#) }
}
