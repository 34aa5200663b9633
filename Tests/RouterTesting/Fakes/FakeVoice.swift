public import RouterCore

/// A voice model whose sessions a test plays.
public final class FakeVoiceModel: VoiceModel {
  /// What an `open` comes to.
  public enum Opening: Sendable {
    case ready
    case fails(VoiceFailure)
    /// Not before the gate opens; a cancelled one throws.
    case waits(Latch)
    /// Not before the gate opens, whether cancelled or not, like a careless adapter.
    case ignoresCancellation(Latch)
  }

  /// The requests of all openings, in order.
  public let requests = Journal<ConversationRequest>()
  /// The sessions that were opened, in order.
  public let sessions = Journal<FakeVoiceSession>()

  private let openings: Lock<[Opening]>
  private let hearingFormat: AudioFormat

  /// - Parameter openings: One for each `open`; the last one is repeated.
  public init(_ openings: Opening..., hearingFormat: AudioFormat = .linear16(16000)) {
    self.openings = Lock(openings.isEmpty ? [.ready] : openings)
    self.hearingFormat = hearingFormat
  }

  public func open(
    _ conversation: ConversationRequest, speaker: any Speaker
  ) async throws -> any VoiceSession {
    let opening = openings.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    requests.note(conversation)
    switch opening {
    case .ready: break
    case .fails(let failure): throw failure
    case .waits(let latch): if await !latch.wait() { throw CancellationError() }
    case .ignoresCancellation(let latch): await latch.waitStubbornly()
    }
    let session = FakeVoiceSession(conversation, speaker, hearingFormat)
    sessions.note(session)
    return session
  }

  /// The session of the opening with this number, from 0, when it is there.
  public func session(_ number: Int = 0) async throws -> FakeVoiceSession {
    try await sessions.first(after: number, "session \(number)") { _ in true }
  }
}

/// A conversation that a test plays.
public final class FakeVoiceSession: VoiceSession {
  public let request: ConversationRequest
  public let hearingFormat: AudioFormat
  public let events: AsyncStream<VoiceEvent>
  /// What the engine told the session, in order.
  public let commands = Journal<VoiceCommand>()
  /// What it heard of the caller.
  public let heard = Journal<AudioFrame>()

  private let speaker: any Speaker
  private let continuation: AsyncStream<VoiceEvent>.Continuation

  init(_ request: ConversationRequest, _ speaker: any Speaker, _ hearingFormat: AudioFormat) {
    self.request = request
    self.speaker = speaker
    self.hearingFormat = hearingFormat
    (events, continuation) = AsyncStream.makeStream(of: VoiceEvent.self)
  }

  public func hear(_ audio: AudioFrame) { heard.note(audio) }

  public func send(_ command: VoiceCommand) async {
    commands.note(command)
    if command == .close { continuation.finish() }
  }

  // MARK: For tests

  /// Reports events, in order.
  public func report(_ events: VoiceEvent...) { for event in events { continuation.yield(event) } }

  /// Speaks sound of a turn.
  public func play(_ milliseconds: Int, _ turn: TurnID) {
    speaker.play(AudioFrame(.muLaw, bytes: [UInt8](repeating: 0x55, count: 8 * milliseconds)), turn: turn)
  }

  /// Speaks sound that nobody can hear.
  public func playSilence(_ milliseconds: Int, _ turn: TurnID) {
    speaker.play(AudioFrame(.muLaw, bytes: [UInt8](repeating: 0xFF, count: 8 * milliseconds)), turn: turn)
  }

  /// A whole turn: its words and its sound.
  public func say(_ text: String, _ turn: TurnID, milliseconds: Int = 1000) {
    report(.turnStarted(turn), .said(text, turn: turn, isFinal: true))
    play(milliseconds, turn)
    report(.turnEnded(turn))
  }

  /// The events end without a word.
  public func breaks() { continuation.finish() }
}

/// A door that a test opens once.
public final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var waiters: [OneShot<Bool>] = []
    var stubborn: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Lock(State())

  public init() {}

  /// Lets everybody through, from now on.
  public func open() {
    let (waiters, stubborn) = state.withLock { state in
      state.isOpen = true
      defer { (state.waiters, state.stubborn) = ([], []) }
      return (state.waiters, state.stubborn)
    }
    for waiter in waiters { waiter.resolve(true) }
    for continuation in stubborn { continuation.resume() }
  }

  /// Waits until it is open; `false` when the task was cancelled.
  public func wait() async -> Bool {
    let waiter = OneShot<Bool>()
    let isOpen = state.withLock { state in
      if !state.isOpen { state.waiters.append(waiter) }
      return state.isOpen
    }
    return isOpen ? true : await waiter.value(cancelled: false)
  }

  /// Waits until it is open, even when the task is cancelled.
  public func waitStubbornly() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.stubborn.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}
