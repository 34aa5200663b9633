/// The audio of one call over RTP: a socket, and all that happens to it every 20 ms on a media loop.
///
/// Every method may be called from any thread and returns at once, unless it says otherwise.
public final class RTPMedia: CallMedia, Sendable {
  /// The port that SDP has to name.
  public let port: UInt16
  /// Where the call's ticks run; actors of the call should be pinned to it.
  public let loop: EventLoop

  /// Binds a port. Packets are read and sent only after the first ``apply(_:)``.
  ///
  /// - Parameter events: Called on the media loop, inline: digits, ``LegEvent/held(_:)`` on each change,
  ///   ``LegEvent/mediaLost`` once for each silence, and the beginning and end of playback. Must not block.
  public static func open(
    _ settings: MediaSettings, on loop: EventLoop, events: @escaping @Sendable (LegEvent) -> Void
  ) throws(MediaError) -> RTPMedia {
    throw .noPort(settings.ports.range)
  }

  private init(port: UInt16, loop: EventLoop) {
    self.port = port
    self.loop = loop
  }

  /// Sets what was agreed, first or anew: address, codec, payload types, direction, keys. The sending SSRC, and the
  /// rollover counters of keys that stayed the same, live on.
  public func apply(_ parameters: MediaParameters) {}

  /// Ends it: sockets are closed, the port goes back to its range, a waiting ``sendDigits(_:)`` returns, and no event
  /// or frame follows once the loop has seen it. May be called more than once.
  public func close() {}

  /// What the wire carries; µ-law before the first ``apply(_:)``.
  public var wireFormat: AudioFormat { .muLaw }

  public func hear(as format: AudioFormat, _ sink: @escaping @Sendable (AudioFrame) -> Void) {}
  public func play(_ audio: AudioFrame, turn: TurnID) {}
  public func endTurn(_ turn: TurnID) {}
  @discardableResult public func flush() -> PlayedAudio { PlayedAudio() }

  /// Presses keys: RTP events where they were agreed, else tones in the audio. `,` waits half a second; what is no key
  /// is skipped, and at most 64 characters are taken. Returns when the last key was sent, or the call is over.
  public func sendDigits(_ digits: String) async {}

  /// The figures so far; while the call lasts they may be a second old.
  public func statistics() -> AudioStatistics { AudioStatistics() }
}
