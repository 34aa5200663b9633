/// The audio of one call over RTP: a socket, and all that happens to it every 20 ms on a media loop.
///
/// Every method may be called from any thread and returns at once, unless it says otherwise.
public final class RTPMedia: CallMedia, Sendable {
  /// The port that SDP has to name.
  public let port: UInt16
  /// Where the call's ticks run.
  public let loop: EventLoop

  private let settings: MediaSettings
  private let session: RTPSession
  private let mailbox: Lock<MediaMailbox>
  private let input: PlayoutInput

  /// Binds a port. Packets are read and sent only after the first ``apply(_:)``.
  ///
  /// - Parameter events: Called on the media loop, inline: digits, ``LegEvent/held(_:)`` on each change,
  ///   ``LegEvent/mediaLost`` once for each silence, and the beginning and end of playback. Must not block.
  public static func open(
    _ settings: MediaSettings, on loop: EventLoop, events: @escaping @Sendable (LegEvent) -> Void
  ) throws(MediaError) -> RTPMedia {
    let sockets = try settings.ports.open(settings.bindAddress, dscp: settings.dscp)
    return RTPMedia(sockets, settings, loop, events)
  }

  private init(
    _ sockets: MediaSockets, _ settings: MediaSettings, _ loop: EventLoop,
    _ events: @escaping @Sendable (LegEvent) -> Void
  ) {
    port = sockets.port
    self.loop = loop
    self.settings = settings
    mailbox = Lock(MediaMailbox())
    input = PlayoutInput(mailbox)
    session = RTPSession(sockets, settings, mailbox, events)
  }

  deinit { close() }

  /// Sets what was agreed, first or anew: address, codec, payload types, direction, keys. The sending SSRC, and the
  /// rollover counters of keys that stayed the same, live on.
  public func apply(_ parameters: MediaParameters) {
    mailbox.withLock { $0.wireFormat = parameters.codec.wireFormat }
    onClock { [session] clock in session.apply(parameters, clock) }
  }

  /// Does something with the loop's clock: at once where that can be, else in a moment.
  private func onClock(_ body: @escaping @Sendable (MediaClock) -> Void) {
    if loop.isCurrent {
      let clock = MediaClock.of(loop)
      if !clock.isTicking { return body(clock) }
    }
    loop.execute { [loop] in body(MediaClock.of(loop)) }
  }

  /// Ends it: sockets are closed, the port goes back to its range, a waiting ``sendDigits(_:)`` returns, and no event
  /// or frame follows once the loop has seen it. May be called more than once.
  public func close() {
    let isFirst = mailbox.withLock { mailbox in
      defer { mailbox.isClosed = true }
      return !mailbox.isClosed
    }
    if isFirst { onClock { [session] clock in session.close(clock) } }
  }

  /// What the wire carries; µ-law before the first ``apply(_:)``.
  public var wireFormat: AudioFormat { mailbox.withLock { $0.wireFormat } }

  public func hear(as format: AudioFormat, _ sink: @escaping @Sendable (AudioFrame) -> Void) {
    mailbox.withLock { $0.listener = MediaMailbox.Listener(format: format, sink: sink) }
  }

  public func play(_ audio: AudioFrame, turn: TurnID) { input.play(audio, turn: turn) }
  public func endTurn(_ turn: TurnID) { input.endTurn(turn) }

  @discardableResult public func flush() -> PlayedAudio {
    mailbox.withLock { $0.playout.flush(fade: settings.fadeOut) }
  }

  /// Presses keys: RTP events where they were agreed, else tones in the audio. `,` waits half a second; what is no key
  /// is skipped, and at most 64 characters are taken. Returns when the last key was sent, or the call is over.
  public func sendDigits(_ digits: String) async {
    let press = MediaMailbox.Press(digits: digits, done: OneShot())
    let isTaken = mailbox.withLock { mailbox in
      guard !mailbox.isClosed, mailbox.presses.count < MediaMailbox.maximumPresses else { return false }
      mailbox.presses.append(press)
      return true
    }
    if isTaken { await press.done.value(cancelled: ()) }
  }

  /// The figures so far; while the call lasts they may be a second old.
  public func statistics() -> AudioStatistics { mailbox.withLock { $0.statistics } }
  public var isConcluded: Bool { mailbox.withLock { $0.isConcluded } }
  public func concluded() async { await mailbox.concluded() }
}
