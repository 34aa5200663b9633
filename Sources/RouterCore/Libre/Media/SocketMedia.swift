/// The audio of one call over a provider's media socket: what ``RTPMedia`` is to RTP.
///
/// It outlives its sockets: a provider may take the sound away during a transfer and bring it back on another one. Every
/// method of ``CallMedia`` may be called from any thread and returns at once, unless it says otherwise.
public final class SocketMedia: CallMedia, Sendable {
  /// How it is done; the same for all calls of a provider.
  public struct Settings: Sendable, Hashable {
    /// How far ahead of the caller's ear we send, milliseconds: short enough for a provider without `clear`, long enough
    /// for a network that stumbles.
    public var lead = 160
    /// No sound came for so long: ``LegEvent/mediaLost``. `nil` never says so.
    public var timeout: Duration? = .seconds(60)
    /// How late the network brings our sound to the caller's ear, beyond the provider's queue; for the estimated
    /// quality, milliseconds.
    public var networkDelay = 100

    public init() {}
  }

  let loop: EventLoop
  private let session: SocketMediaSession
  private let mailbox: Lock<MediaMailbox>
  private let input: PlayoutInput
  private let pressKeys: @Sendable (String) async -> Bool

  /// - Parameters:
  ///   - format: What we are expected to send, until a socket says otherwise.
  ///   - pressKeys: Has the provider press keys; `false` when they must be played as tones.
  ///   - events: Called on the loop, inline: digits, playback, lost media. Must not block.
  init(
    _ format: AudioFormat, _ settings: Settings, on loop: EventLoop,
    pressKeys: @escaping @Sendable (String) async -> Bool, events: @escaping @Sendable (LegEvent) -> Void
  ) {
    self.loop = loop
    self.pressKeys = pressKeys
    mailbox = Lock(MediaMailbox())
    mailbox.withLock {
      $0.wireFormat = format
      $0.playout = PlayoutQueue(format: format)
    }
    input = PlayoutInput(mailbox)
    session = SocketMediaSession(settings, mailbox, events)
  }

  /// Sound comes and goes by this socket from now on. On the loop.
  func attach(_ socket: MediaSocket, _ start: MediaSocketStart) {
    session.attach(socket, start, MediaClock.of(loop))
  }

  /// The socket is gone; what is said meanwhile waits. On the loop.
  func detach() { session.detach() }

  /// What a socket reports of sound and marks. On the loop.
  func receive(_ bytes: UnsafeRawBufferPointer, number: Int?) {
    session.receive(bytes, number, MediaClock.of(loop).now)
  }
  func marked(_ name: String) { session.marked(name, MediaClock.of(loop).now) }

  /// Ends it; nothing is reported once the loop has seen it. May be called more than once, from any thread.
  func close() {
    let isFirst = mailbox.withLock { mailbox in
      defer { mailbox.isClosed = true }
      return !mailbox.isClosed
    }
    if isFirst { loop.execute { [session, loop] in session.close(MediaClock.of(loop)) } }
  }

  // MARK: CallMedia

  public var wireFormat: AudioFormat { mailbox.withLock { $0.wireFormat } }

  public func hear(as format: AudioFormat, _ sink: @escaping @Sendable (AudioFrame) -> Void) {
    mailbox.withLock { $0.listener = MediaMailbox.Listener(format: format, sink: sink) }
  }

  public func play(_ audio: AudioFrame, turn: TurnID) { input.play(audio, turn: turn) }
  public func endTurn(_ turn: TurnID) { input.endTurn(turn) }

  @discardableResult public func flush() -> PlayedAudio {
    let now = MediaClock.steadyNow
    let played = mailbox.withLock { mailbox in
      _ = mailbox.playout.flush()
      mailbox.mustClear = true
      return mailbox.remote.flush(at: now)
    }
    // The provider's queue is cleared before anything newer goes out: at once on the loop, else by whoever comes first,
    // this or the next tick.
    if loop.isCurrent { session.clearIfDue() } else { loop.execute { [session] in session.clearIfDue() } }
    return played
  }

  /// Has the provider press keys, or plays them as tones. `,` waits half a second; at most 64 characters are taken.
  /// Returns when the last key was sent, or the call is over.
  public func sendDigits(_ digits: String) async {
    if await pressKeys(digits) { return }
    let press = MediaMailbox.Press(digits: digits, done: OneShot())
    let isTaken = mailbox.withLock { mailbox in
      guard !mailbox.isClosed, mailbox.presses.count < MediaMailbox.maximumPresses else { return false }
      mailbox.presses.append(press)
      return true
    }
    if isTaken { await press.done.value(cancelled: ()) }
  }

  public func statistics() -> AudioStatistics { mailbox.withLock { $0.statistics } }
  public var isConcluded: Bool { mailbox.withLock { $0.isConcluded } }
  public func concluded() async { await mailbox.concluded() }
}
