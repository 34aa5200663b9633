internal import RouterCore

/// The messages of a media stream (https://www.twilio.com/docs/voice/media-streams/websocket-messages): JSON text, µ-law
/// 8 kHz in base 64, both ways.
struct TwilioMediaCodec: MediaSocketCodec {
  private var streamSid: [UInt8] = []
  private var payload: [UInt8] = []

  /// The parts of a message that matter, as they stand in it.
  private struct Parts {
    var event: JSONScanner.Value?
    var streamSid: JSONScanner.Value?
    /// The member that is named like the event.
    var content: JSONScanner.Value?
  }

  mutating func read(_ message: WebSocketMessage, _ report: (MediaSocketEvent) -> Void) {
    guard case .text(let text) = message else { return report(.malformed("a binary message")) }
    text.withUnsafeBytes { read($0, report) }
  }

  private mutating func read(_ text: UnsafeRawBufferPointer, _ report: (MediaSocketEvent) -> Void) {
    var parts = Parts()
    let isObject = JSONScanner.members(of: text) { name, value in
      if name.equals("event") {
        parts.event = value
      } else if name.equals("streamSid") {
        parts.streamSid = value
      } else if name.equals("media") || name.equals("start") || name.equals("dtmf") || name.equals("mark") {
        parts.content = value
      }
    }
    guard isObject, let event = parts.event else { return report(.malformed("no JSON object with an event")) }
    if event.equals("media") {
      readMedia(parts.content, report)
    } else if event.equals("mark") {
      var name: String?
      parts.content?.members { if $0.equals("name") { name = $1.string } }
      if let name { report(.mark(name)) } else { report(.malformed("a mark without a name")) }
    } else if event.equals("dtmf") {
      var digit: String?
      parts.content?.members { if $0.equals("digit") { digit = $1.string } }
      guard let key = digit?.uppercased(), key.count == 1, let only = key.first,
        "0123456789*#ABCD".contains(only)
      else { return report(.malformed("no key")) }
      report(.digit(only))
    } else if event.equals("start") {
      readStart(parts, report)
    } else if event.equals("stop") {
      report(.stopped)
    }
    // `connected` says nothing, and what is new we do not know.
  }

  private mutating func readMedia(_ content: JSONScanner.Value?, _ report: (MediaSocketEvent) -> Void) {
    var text: UnsafeRawBufferPointer?
    var isOurs = false
    content?.members { name, value in
      if name.equals("payload") { text = value.text }
      if name.equals("track") { isOurs = value.equals("outbound") }
    }
    payload.removeAll(keepingCapacity: true)
    guard let text, Base64.decode(text, into: &payload), !payload.isEmpty else {
      return report(.malformed("no payload in base 64"))
    }
    if isOurs { return }
    payload.withUnsafeBytes { report(.audio($0, number: nil)) }
  }

  private mutating func readStart(_ parts: Parts, _ report: (MediaSocketEvent) -> Void) {
    var callSid: String?
    var encoding: String?
    var sampleRate: Int?
    var sid = parts.streamSid
    parts.content?.members { name, value in
      if name.equals("callSid") { callSid = value.string }
      if name.equals("streamSid"), sid == nil { sid = value }
      guard name.equals("mediaFormat") else { return }
      value.members {
        if $0.equals("encoding") { encoding = $1.string }
        if $0.equals("sampleRate") { sampleRate = $1.integer }
      }
    }
    guard let sid = sid?.text, !sid.isEmpty, sid.count <= 64, sid.allSatisfy(TwilioMediaCodec.isPlain),
      let callSid
    else { return report(.malformed("a start without its identifiers")) }
    guard encoding == "audio/x-mulaw", sampleRate == 8000 else {
      return report(.malformed("a stream that is no µ-law of 8 kHz"))
    }
    streamSid = Array(sid)
    report(.started(MediaSocketStart(callID: callSid, hears: .muLaw, speaks: .muLaw, codec: "PCMU")))
  }

  /// What an identifier is made of; it goes into our messages as it is.
  private static func isPlain(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
      || byte == UInt8(ascii: "-")
  }

  mutating func audio(_ frame: UnsafeRawBufferPointer) -> WebSocketMessage {
    var text: [UInt8] = []
    text.reserveCapacity(frame.count * 4 / 3 + 100)
    text += #"{"event":"media","streamSid":""#.utf8
    text += streamSid
    text += #"","media":{"payload":""#.utf8
    Base64.encode(frame, into: &text)
    text += #""}}"#.utf8
    return .text(text)
  }

  mutating func mark(_ name: String) -> WebSocketMessage? {
    .text(
      Array(#"{"event":"mark","streamSid":""#.utf8) + streamSid + Array(#"","mark":{"name":""#.utf8)
        + Array(name.utf8) + Array(#""}}"#.utf8))
  }

  mutating func clear() -> WebSocketMessage? {
    .text(Array(#"{"event":"clear","streamSid":""#.utf8) + streamSid + Array(#""}"#.utf8))
  }
}
