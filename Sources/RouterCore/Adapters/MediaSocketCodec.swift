/// How one VoIP provider writes a call's sound on a WebSocket. One value for each socket, used on its loop alone.
///
/// It is asked 50 times a second for each call and direction: media messages are read and written by hand
/// (``JSONScanner``, ``Base64``), not as trees.
public protocol MediaSocketCodec: Sendable {
  /// Reads one message and reports, inline, what it means. What is unknown means nothing; what is broken is
  /// ``MediaSocketEvent/malformed(_:)``.
  mutating func read(_ message: WebSocketMessage, _ report: (MediaSocketEvent) -> Void)
  /// A piece of our sound: 20 ms in the format that ``MediaSocketStart/speaks`` said.
  mutating func audio(_ frame: UnsafeRawBufferPointer) -> WebSocketMessage
  /// Asks to be told when everything before it was played; `nil` when the provider has no such thing.
  mutating func mark(_ name: String) -> WebSocketMessage?
  /// Empties the provider's queue; `nil` when the provider has no such thing.
  mutating func clear() -> WebSocketMessage?
}

/// What a provider says on a media socket.
public enum MediaSocketEvent {
  /// The call's sound begins. Before it nothing else counts.
  case started(MediaSocketStart)
  /// The caller's sound, in the format that ``MediaSocketStart/hears`` said; the bytes are valid inside the call only.
  /// With a number, frames that come in the wrong order are put right.
  case audio(UnsafeRawBufferPointer, number: Int?)
  case digit(Character)
  /// A mark came back.
  case mark(String)
  /// The provider ends the stream in order.
  case stopped
  /// Not what the provider's documentation allows; the words say what, without the content.
  case malformed(String)
}

/// How a media socket begins.
public struct MediaSocketStart: Sendable, Hashable {
  /// The provider's identifier of the call; `nil` when the socket does not say. Another call's ends the socket.
  public var callID: String?
  /// What the caller's sound comes as.
  public var hears: AudioFormat
  /// What ours has to be.
  public var speaks: AudioFormat
  /// A word for the record, e.g. `PCMU`.
  public var codec: String

  public init(
    callID: String? = nil, hears: AudioFormat = .muLaw, speaks: AudioFormat = .muLaw, codec: String = "PCMU"
  ) {
    self.callID = callID
    self.hears = hears
    self.speaks = speaks
    self.codec = codec
  }
}
