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
  private let producer = Lock(Producer())

  /// Conversion of what is being said, on the thread of whoever says it.
  private struct Producer {
    var converter: AudioConverter?
    var turn: TurnID?
    var converted: [UInt8] = []
  }

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

  public func play(_ audio: AudioFrame, turn: TurnID) {
    let isDone = mailbox.withLock { mailbox in
      if mailbox.isClosed || !mailbox.playout.accepts(turn) { return true }
      guard audio.format == mailbox.playout.format else { return false }
      audio.bytes.withUnsafeBytes { mailbox.playout.append($0, turn: turn) }
      return true
    }
    if !isDone { producer.withLock { convert(audio, turn, &$0) } }
  }

  private func convert(_ audio: AudioFrame, _ turn: TurnID, _ producer: inout Producer) {
    // Converted outside of the mailbox's lock; when the codec changed meanwhile, once more.
    for _ in 0..<3 {
      let wanted = mailbox.withLock { $0.playout.format }
      if producer.turn != turn || producer.converter?.from != audio.format || producer.converter?.to != wanted
      {
        producer.converter = AudioConverter(from: audio.format, to: wanted)
        producer.turn = turn
      }
      producer.converted.removeAll(keepingCapacity: true)
      audio.bytes.withUnsafeBytes { producer.converter?.convert($0, into: &producer.converted) }
      let isQueued = mailbox.withLock { mailbox in
        guard mailbox.playout.format == wanted else { return false }
        producer.converted.withUnsafeBytes { mailbox.playout.append($0, turn: turn) }
        return true
      }
      if isQueued { return }
    }
  }

  public func endTurn(_ turn: TurnID) {
    producer.withLock { producer in
      // The filter still holds the last millisecond or two: a little silence drives it out.
      if producer.turn == turn, let converter = producer.converter,
        converter.from.sampleRate != converter.to.sampleRate
      {
        let silence = AudioFrame(
          converter.from,
          bytes: Array(repeating: converter.from.silence, count: converter.from.frameBytes / 4 & ~1))
        convert(silence, turn, &producer)
      }
      mailbox.withLock { $0.playout.end(turn) }
    }
  }

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
}
