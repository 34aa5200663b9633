public import RouterCore

/// A caller's side that a test plays: it notes what the engine does, and the test says what the caller does.
///
/// It lives on a real event loop, as legs do, so that the engine's actors run where they run in earnest.
public final class FakeLeg: CallLeg {
  /// What the engine did.
  public enum Deed: Hashable, Sendable {
    case ring
    case answer([Header])
    case reject(CallEnd, [Header])
    case transfer(TransferRequest)
    case hangUp(CallEnd)
  }

  /// How the leg answers when the engine wants something. Each closure may wait, throw or never return.
  public struct Script: Sendable {
    public var ring: @Sendable () async -> Void = {}
    public var answer: @Sendable () async throws -> Void = {}
    public var transfer: @Sendable (TransferRequest) async -> TransferOutcome = { _ in .completed }
    public var hangUp: @Sendable () async -> Void = {}
    /// Whether sound is played in no time; else the test says when (``FakeMedia/finishPlaying(_:)``).
    public var playsAtOnce = true
    public init() {}
  }

  /// A loop for all fake legs of a test process that do not bring their own.
  public static let loop = EventLoop(name: "fake legs")

  /// A loop for their media: as in SIP, another one than the call's own.
  public static let mediaLoop = EventLoop(name: "fake media")

  public let executor: any SerialExecutor
  public var mediaExecutor: any SerialExecutor { FakeLeg.mediaLoop }
  public let events: AsyncStream<LegEvent>
  /// Everything that was done, in order.
  public let deeds = Journal<Deed>()
  /// The call's sound; the engine gets it with the answer.
  public let media: FakeMedia

  private let isOver = Lock(false)
  private let script: Script
  private let continuation: AsyncStream<LegEvent>.Continuation

  public init(_ script: Script = Script(), on executor: any SerialExecutor = FakeLeg.loop) {
    let (events, continuation) = AsyncStream.makeStream(of: LegEvent.self)
    self.script = script
    self.executor = executor
    self.events = events
    self.continuation = continuation
    media = FakeMedia(playsAtOnce: script.playsAtOnce) { continuation.yield($0) }
  }

  // MARK: What the caller does

  /// Something happens on the caller's side.
  public func happens(_ event: LegEvent) {
    continuation.yield(event)
    switch event {
    case .cancelled, .hungUp: end()
    default: break
    }
  }

  /// The caller presses keys.
  public func press(_ keys: String) { for key in keys { happens(.digit(key)) } }

  /// The caller hangs up after the answer.
  public func callerHangsUp() { happens(.hungUp(CallEnd(.callerHungUp, text: "BYE"))) }

  /// The leg's events end without a word, as a broken channel's would.
  public func breaks() { end() }

  private func end() {
    isOver.withLock { $0 = true }
    continuation.finish()
  }

  // MARK: CallLeg

  public func ring() async {
    deeds.note(.ring)
    await script.ring()
  }

  public func answer(_ options: AnswerOptions) async throws -> any CallMedia {
    deeds.note(.answer(options.headers))
    try await script.answer()
    if isOver.withLock({ $0 }) { throw LegError(CallEnd(.cancelled)) }
    return media
  }

  public func reject(_ end: CallEnd, headers: [Header]) async {
    deeds.note(.reject(end, headers))
    self.end()
  }

  public func transfer(_ request: TransferRequest) async -> TransferOutcome {
    deeds.note(.transfer(request))
    if isOver.withLock({ $0 }) { return .callerHungUp }
    return await script.transfer(request)
  }

  public func hangUp(_ end: CallEnd) async {
    deeds.note(.hangUp(end))
    await script.hangUp()
    self.end()
  }
}
