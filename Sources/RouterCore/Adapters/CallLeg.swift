/// The caller's side of one call, as the engine drives it.
///
/// Every method may be called at any time and after the end: what no longer makes sense does nothing.
public protocol CallLeg: Sendable {
  /// The executor that the call's own actors share with the leg.
  var executor: any SerialExecutor { get }
  /// Where the call's sound comes and goes, known before the answer: a session whose socket lives there passes sound on
  /// without a change of threads. ``executor``, unless the leg keeps its media elsewhere.
  var mediaExecutor: any SerialExecutor { get }
  /// What the wire is going to carry, as far as it is known before the answer: voice sessions are opened with it.
  var expectedFormat: AudioFormat { get }
  /// What happens on the caller's side. One reader. Finishes after ``LegEvent/hungUp(_:)`` or ``LegEvent/cancelled``,
  /// or when the leg was rejected or hung up by us.
  var events: AsyncStream<LegEvent> { get }
  /// Tells the caller's network that somebody is being looked for (180 in SIP). May be called again.
  func ring() async
  /// Answers. Media exists only after this. Throws ``CallEnd`` wrapped in ``LegError`` when the call is gone or no
  /// codec fits.
  func answer(_ options: AnswerOptions) async throws -> any CallMedia
  /// Refuses a call that was not answered.
  func reject(_ end: CallEnd, headers: [Header]) async
  /// Hands the caller over. Returns when the outcome is known; the leg's own time limit is `request.timeout`.
  /// After ``TransferOutcome/completed`` the leg hangs up by itself.
  func transfer(_ request: TransferRequest) async -> TransferOutcome
  /// Ends an answered call.
  func hangUp(_ end: CallEnd) async
}

extension CallLeg {
  public var mediaExecutor: any SerialExecutor { executor }
  public var expectedFormat: AudioFormat { .muLaw }
}

/// What goes into an answer besides media.
public struct AnswerOptions: Sendable {
  /// Extra headers where the channel has headers, e.g. `X-Route-Decision`.
  public var headers: [Header]
  public init(headers: [Header] = []) { self.headers = headers }
}

/// A leg could not do what was asked, because the call is over.
public struct LegError: Error, Hashable, Sendable {
  public var end: CallEnd
  public init(_ end: CallEnd) { self.end = end }
}

/// What happens on the caller's side.
public enum LegEvent: Sendable, Hashable {
  /// A key: `0`–`9`, `*`, `#`, `A`–`D`. Once for each press, however it was sent.
  case digit(Character)
  /// The caller gave up before we answered.
  case cancelled
  /// An answered call ended on the caller's side, or its network gave it up.
  case hungUp(CallEnd)
  /// The caller put us on hold, or took us back.
  case held(Bool)
  /// No audio came for longer than the limit, outside of hold.
  case mediaLost
  /// The first audio of a turn left for the caller.
  case playbackStarted(TurnID)
  /// The last audio of a turn, after ``CallMedia/endTurn(_:)``, was played. Not sent for a turn that was flushed.
  case playbackEnded(TurnID)
}
