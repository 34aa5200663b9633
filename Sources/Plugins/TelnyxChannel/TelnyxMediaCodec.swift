internal import RouterCore

/// The messages of a media stream (https://developers.telnyx.com/docs/voice/programmable-voice/media-streaming): JSON text,
/// G.711 in base 64, both ways.
///
/// We speak the codec that was asked for; what we hear follows the caller's network, and only `start` says which it is.
struct TelnyxMediaCodec: MediaSocketCodec {
  /// What the call has to know besides its sound.
  enum Notice: Hashable, Sendable {
    /// The stream carries what we cannot hear; the reason is for a person.
    case unusable(String)
    /// An `error` frame.
    case fault(String)
  }

  /// An `error` frame may come with every frame of ours; so many are told.
  private static let maximumFaults = 5

  /// Whether `start` names the call as its webhook did.
  private let namesCall: Bool
  /// Asked for each key: whether this is the first that is heard of it.
  private let takesKey: @Sendable () -> Bool
  private let notice: @Sendable (Notice) -> Void
  private var faults = 0
  private var payload: [UInt8] = []

  init(
    namesCall: Bool = true, takesKey: @escaping @Sendable () -> Bool = { true },
    notice: @escaping @Sendable (Notice) -> Void
  ) {
    self.namesCall = namesCall
    self.takesKey = takesKey
    self.notice = notice
  }

  mutating func read(_ message: WebSocketMessage, _ report: (MediaSocketEvent) -> Void) {
    guard case .text(let text) = message else { return report(.malformed("a binary message")) }
    text.withUnsafeBytes { read($0, report) }
  }

  private mutating func read(_ text: UnsafeRawBufferPointer, _ report: (MediaSocketEvent) -> Void) {
    var event: JSONScanner.Value?
    /// The member that is named like the event; that of an error is called `payload`.
    var content: JSONScanner.Value?
    let isObject = JSONScanner.members(of: text) { name, value in
      if name.equals("event") {
        event = value
      } else if name.equals("media") || name.equals("start") || name.equals("dtmf") || name.equals("mark")
        || name.equals("payload")
      {
        content = value
      }
    }
    guard isObject, let event else { return report(.malformed("no JSON object with an event")) }
    if event.equals("media") {
      readMedia(content, report)
    } else if event.equals("mark") {
      var name: String?
      content?.members { if $0.equals("name") { name = $1.string } }
      if let name { report(.mark(name)) } else { report(.malformed("a mark without a name")) }
    } else if event.equals("dtmf") {
      readKey(content, report)
    } else if event.equals("start") {
      readStart(content, report)
    } else if event.equals("stop") {
      report(.stopped)
    } else if event.equals("error") {
      readFault(content)
    }
    // `connected` comes before the answer and says nothing; what is new we do not know.
  }

  private mutating func readMedia(_ content: JSONScanner.Value?, _ report: (MediaSocketEvent) -> Void) {
    var text: UnsafeRawBufferPointer?
    var chunk: Int?
    var isOurs = false
    content?.members { name, value in
      if name.equals("payload") { text = value.text }
      if name.equals("chunk") { chunk = value.integer }
      if name.equals("track") { isOurs = value.equals("outbound") }
    }
    payload.removeAll(keepingCapacity: true)
    guard let text, Base64.decode(text, into: &payload), !payload.isEmpty else {
      return report(.malformed("no payload in base 64"))
    }
    if isOurs { return }
    payload.withUnsafeBytes { report(.audio($0, number: chunk)) }
  }

  private func readKey(_ content: JSONScanner.Value?, _ report: (MediaSocketEvent) -> Void) {
    var digit: String?
    content?.members { if $0.equals("digit") { digit = $1.string } }
    guard let key = digit?.uppercased(), key.count == 1, let only = key.first,
      "0123456789*#ABCD".contains(only)
    else { return report(.malformed("no key")) }
    if takesKey() { report(.digit(only)) }
  }

  private func readStart(_ content: JSONScanner.Value?, _ report: (MediaSocketEvent) -> Void) {
    var call: String?
    var encoding: String?
    var sampleRate: Int?
    var channels: Int?
    let isObject = content?.members { name, value in
      if name.equals("call_control_id") { call = value.string }
      guard name.equals("media_format") else { return }
      value.members {
        if $0.equals("encoding") { encoding = $1.string }
        if $0.equals("sample_rate") { sampleRate = $1.integer }
        if $0.equals("channels") { channels = $1.integer }
      }
    }
    guard isObject == true else { return report(.malformed("a start without its parameters")) }
    let name = encoding?.uppercased() ?? "no codec that it would name"
    let format: AudioFormat? =
      switch name {
      case "PCMU": .muLaw
      case "PCMA": .aLaw
      default: nil
      }
    guard let format, (sampleRate ?? 8000) == 8000, (channels ?? 1) == 1 else {
      report(.malformed("a stream of a codec that we cannot hear"))
      let rate = sampleRate.map { " at \($0) Hz" } ?? ""
      return notice(
        .unusable("the stream comes as \(name.prefix(40))\(rate), only PCMU and PCMA at 8000 Hz can be heard")
      )
    }
    report(
      .started(
        MediaSocketStart(callID: namesCall ? call : nil, hears: format, speaks: .muLaw, codec: name)))
  }

  private mutating func readFault(_ content: JSONScanner.Value?) {
    guard faults < TelnyxMediaCodec.maximumFaults else { return }
    faults += 1
    var words: [String] = []
    content?.members { name, value in
      if name.equals("code") || name.equals("title") || name.equals("detail") {
        words.append(value.string ?? value.integer.map(String.init) ?? "")
      }
    }
    notice(.fault(String(words.joined(separator: ", ").prefix(200))))
  }

  /// Telnyx wants no `stream_id` back.
  mutating func audio(_ frame: UnsafeRawBufferPointer) -> WebSocketMessage {
    var text: [UInt8] = []
    text.reserveCapacity(frame.count * 4 / 3 + 60)
    text += #"{"event":"media","media":{"payload":""#.utf8
    Base64.encode(frame, into: &text)
    text += #""}}"#.utf8
    return .text(text)
  }

  mutating func mark(_ name: String) -> WebSocketMessage? {
    .text(#"{"event":"mark","mark":{"name":"\#(name)"}}"#)
  }

  mutating func clear() -> WebSocketMessage? { .text(#"{"event":"clear"}"#) }
}
