public import RouterCore
internal import Synchronization

/// Plays the caller's own voice back, frame by frame, in the format of the wire: no conversion, nothing made anew.
///
/// It measures the way through the engine and back, for the bench and for people who ring up to hear whether audio
/// works both ways.
public struct EchoModel: InlineVoiceModel {
  /// The `type:` of a provider in the route files.
  public static let type = "echo"

  public init() {}

  /// Always succeeds.
  public func openInline(
    _ conversation: ConversationRequest, speaker: any Speaker,
    report: @escaping @Sendable (VoiceEvent?) -> Void
  ) throws(VoiceFailure) -> any InlineVoiceSession {
    EchoSession(conversation, speaker, report)
  }
}

/// One echoed call. All it says belongs to one turn, until the engine cuts that turn off.
final class EchoSession: InlineVoiceSession {
  let hearingFormat: AudioFormat

  private let speaker: any Speaker
  private let firstTurn: Int
  private let report: @Sendable (VoiceEvent?) -> Void
  /// The number of the turn that plays; ``unopened`` before the beginning, ``closed`` after the end. An atomic,
  /// because ``hear(_:)`` runs 50 times a second for each call.
  private let turn = Atomic<Int>(unopened)
  /// On hold nobody takes the echo: it would queue up and come late for the rest of the call.
  private let isHeld = Atomic<Bool>(false)
  private static let unopened = Int.min
  private static let closed = Int.min + 1

  init(
    _ conversation: ConversationRequest, _ speaker: any Speaker,
    _ report: @escaping @Sendable (VoiceEvent?) -> Void
  ) {
    hearingFormat = conversation.wireFormat
    firstTurn = conversation.firstTurn.number
    self.speaker = speaker
    self.report = report
  }

  func hear(_ audio: AudioFrame) {
    let turn = turn.load(ordering: .relaxed)
    guard turn > EchoSession.closed, !isHeld.load(ordering: .relaxed) else { return }
    speaker.play(audio, turn: TurnID(turn))
  }

  func take(_ command: VoiceCommand) {
    switch command {
    case .begin:
      let (isFirst, _) = turn.compareExchange(
        expected: EchoSession.unopened, desired: firstTurn, ordering: .relaxed)
      if isFirst { report(.turnStarted(TurnID(firstTurn))) }
    case .truncate(let cut, _):
      // What was flushed takes the rest of its turn with it, so the echo goes on in the next one.
      let (isCurrent, _) = turn.compareExchange(
        expected: cut.number, desired: cut.next.number, ordering: .relaxed)
      guard isCurrent else { return }
      report(.turnEnded(cut))
      report(.turnStarted(cut.next))
    case .close:
      turn.store(EchoSession.closed, ordering: .relaxed)
      report(nil)
    case .held(let held): isHeld.store(held, ordering: .relaxed)
    case .say, .digit, .toolResult, .inform, .played:
      break  // an echo has no words of its own
    }
  }
}
