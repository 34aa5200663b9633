public import FoundationEssentials

/// Where a call stands, for people who watch.
public enum CallState: String, Sendable, Codable, Hashable {
  /// Admitted, being routed.
  case received
  /// The agent is being made ready while the caller hears ringing.
  case ringing
  /// Answered; the agent hears and speaks.
  case conversation
  /// Answered; the caller put us on hold.
  case held
  /// Answered; the agent failed and the next one is being made ready.
  case failingOver
  /// The caller is being handed to somebody else.
  case transferring
  /// Last words, or the record is being written.
  case ending
}

/// A call that is up, as it was at one moment.
public struct LiveCall: Sendable, Codable, Identifiable {
  public var id: CallID
  public var channel: ChannelKind
  public var trunk: String?
  public var from: Party
  public var to: Party
  public var route: String?
  public var agent: String?
  public var state: CallState
  /// When the call came in.
  public var since: Date
  public var answeredAt: Date?
  /// The last lines of the transcript, oldest first; at most ``tailLength``.
  public var transcriptTail: [TranscriptEntry]

  /// How many lines of the transcript a snapshot carries.
  public static let tailLength = 20
}

/// What an observer of the engine sees, in order for each call.
public enum EngineEvent: Sendable {
  /// A call came in; nothing is decided yet.
  case received(InboundCall)
  /// The route table answered. Not sent for a call that was refused before (full, draining).
  case decided(CallID, RouteDecision)
  /// The call stands elsewhere now.
  case changed(CallID, CallState)
  /// The call's agent is another one now (at first, and when one takes over from another).
  case agent(CallID, name: String)
  /// A line of the transcript was finished.
  case transcript(CallID, TranscriptEntry)
  /// The agent uses an implicit function: whoever serves it answers with ``CallEngine/functionOutput(_:_:)``.
  case functionCalled(CallID, ToolCall)
  /// A tool took too long; the agent goes on without its result.
  case functionTimedOut(CallID, toolCall: String)
  /// A tool's server has something for the caller's screen.
  case functionUpdate(CallID, function: String, JSONValue)
  /// A line of the transcript that is not finished: its words so far, at most a thousand characters. Replaced by the
  /// next one, and by ``transcript(_:_:)``.
  case partial(CallID, TranscriptEntry)
  /// The caller stopped a turn of the agent, in milliseconds since the answer; so much of it was heard.
  case interrupted(CallID, TurnID, at: Int, playedMilliseconds: Int)
  /// How long an answer took.
  case timing(CallID, TurnTiming)
  /// The call is over; its record is being saved. Exactly one for each ``received(_:)``.
  case ended(CallRecord)

  /// Which call it is about.
  public var call: CallID {
    switch self {
    case .received(let call): call.id
    case .decided(let id, _), .changed(let id, _), .agent(let id, _), .transcript(let id, _),
      .partial(let id, _), .interrupted(let id, _, _, _), .timing(let id, _),
      .functionCalled(let id, _), .functionTimedOut(let id, _), .functionUpdate(let id, _, _):
      id
    case .ended(let record): record.id
    }
  }
}
