public import RouterCore

/// The sound of a fake call: notes what is played, and plays it in no time or when the test says so.
public final class FakeMedia: CallMedia {
  /// What the engine did with the sound.
  public enum Deed: Hashable, Sendable {
    case hears(AudioFormat)
    case played(TurnID, milliseconds: Int)
    case endTurn(TurnID)
    case flush
    case digits(String)
    /// Somebody waits for the figures of the whole call.
    case awaited
  }

  private struct State {
    var sink: (@Sendable (AudioFrame) -> Void)?
    var hearingFormat = AudioFormat.muLaw
    var queued: [(turn: TurnID, milliseconds: Int)] = []
    var ended: Set<TurnID> = []
    var sounding: TurnID?
    var flushed = TurnID(0)
    var heard = 0
    var playsAtOnce = true
    var statistics = AudioStatistics()
    /// What the figures of the whole call wait for.
    var counting: Latch?
  }

  public let wireFormat: AudioFormat
  /// Everything that was done, in order.
  public let deeds = Journal<Deed>()

  private let state = Lock(State())
  private let report: @Sendable (LegEvent) -> Void

  /// - Parameter report: Takes the playback events, which come through the leg.
  public init(
    wireFormat: AudioFormat = .muLaw, playsAtOnce: Bool = true,
    report: @escaping @Sendable (LegEvent) -> Void
  ) {
    self.wireFormat = wireFormat
    self.report = report
    state.withLock { state in
      state.playsAtOnce = playsAtOnce
      state.statistics.codec = "PCMU"
    }
  }

  // MARK: For tests

  /// The caller says something: the frame goes where the engine listens. Whether anybody does.
  @discardableResult
  public func speak(_ frame: AudioFrame) -> Bool {
    guard let sink = state.withLock({ $0.sink }) else { return false }
    sink(frame)
    return true
  }

  /// The caller says something for so long, in the frames that the engine asked for. Whether anybody listens.
  @discardableResult
  public func speak(milliseconds: Int) -> Bool {
    let format = state.withLock { $0.hearingFormat }
    let frame = AudioFrame(
      format, bytes: [UInt8](repeating: 0x11, count: format.sampleRate / 50 * format.bytesPerSample))
    return (0..<max(1, milliseconds / 20)).allSatisfy { _ in speak(frame) }
  }

  /// Plays what is queued of the turn to its end. With `playsAtOnce`, that happens by itself.
  public func finishPlaying(_ turn: TurnID) {
    let wasQueued = state.withLock { state in
      let count = state.queued.count
      state.queued.removeAll { $0.turn == turn }
      state.sounding = nil
      return state.queued.count < count
    }
    if wasQueued { report(.playbackEnded(turn)) }
  }

  /// How many milliseconds of the playing turn the next flush says were heard.
  public func setHeard(_ milliseconds: Int) { state.withLock { $0.heard = milliseconds } }

  /// What ``statistics()`` says.
  public func setStatistics(_ statistics: AudioStatistics) { state.withLock { $0.statistics = statistics } }

  /// Goes on counting until the latch is opened, as media on a loop of its own does.
  public func count(until latch: Latch) { state.withLock { $0.counting = latch } }

  // MARK: CallMedia

  public func hear(as format: AudioFormat, _ sink: @escaping @Sendable (AudioFrame) -> Void) {
    state.withLock { state in
      state.sink = sink
      state.hearingFormat = format
    }
    deeds.note(.hears(format))
  }

  public func play(_ audio: AudioFrame, turn: TurnID) {
    let (isNew, isTaken) = state.withLock { state -> (Bool, Bool) in
      guard turn > state.flushed else { return (false, false) }
      let isNew = state.sounding != turn && !state.queued.contains { $0.turn == turn }
      state.sounding = turn
      state.queued.append((turn, audio.milliseconds))
      return (isNew, true)
    }
    guard isTaken else { return }
    deeds.note(.played(turn, milliseconds: audio.milliseconds))
    if isNew { report(.playbackStarted(turn)) }
  }

  public func endTurn(_ turn: TurnID) {
    let playsAtOnce = state.withLock { $0.playsAtOnce }
    // Told before it is noted: a test that waits for it may hang up at once.
    if playsAtOnce { finishPlaying(turn) }
    deeds.note(.endTurn(turn))
  }

  @discardableResult
  public func flush() -> PlayedAudio {
    let played = state.withLock { state -> PlayedAudio in
      defer {
        state.flushed = max(state.flushed, state.queued.map(\.turn).max() ?? state.flushed)
        state.queued = []
        state.sounding = nil
      }
      guard let turn = state.queued.first?.turn else { return PlayedAudio() }
      let all = state.queued.filter { $0.turn == turn }.map(\.milliseconds).reduce(0, +)
      return PlayedAudio(turn: turn, milliseconds: min(state.heard, all))
    }
    deeds.note(.flush)
    return played
  }

  public func sendDigits(_ digits: String) async { deeds.note(.digits(digits)) }

  public func statistics() -> AudioStatistics { state.withLock { $0.statistics } }
  public var isConcluded: Bool { state.withLock { $0.counting == nil } }
  public func concluded() async {
    guard let counting = state.withLock({ $0.counting }) else { return }
    deeds.note(.awaited)
    if await counting.wait() { state.withLock { $0.counting = nil } }
  }
}
