/// One line of what was said and done in a call.
public struct TranscriptEntry: Hashable, Sendable, Codable {
  /// Who spoke or acted.
  public enum Speaker: String, Sendable, Codable { case caller, agent, system }
  /// What the entry is.
  public enum Kind: String, Sendable, Codable { case speech, digits, toolCall, toolResult, transfer, note }

  public var speaker: Speaker
  public var kind: Kind
  public var text: String
  /// Milliseconds since the call was answered.
  public var at: Int
  /// The agent's turn that this belongs to.
  public var turn: TurnID?
  /// For speech of the agent: whether the caller or a failure cut it off; the text is then what was really heard, as
  /// far as known.
  public var wasInterrupted: Bool
  /// For speech of the caller: how sure the recogniser was, 0…1.
  public var confidence: Double?
  /// For tool calls and their results: which call, as the model named it.
  public var callID: String?
  /// For tool calls: what the tool was given.
  public var arguments: JSONValue?

  public init(
    _ speaker: Speaker, _ kind: Kind = .speech, _ text: String, at: Int, turn: TurnID? = nil,
    wasInterrupted: Bool = false, confidence: Double? = nil, callID: String? = nil,
    arguments: JSONValue? = nil
  ) {
    self.speaker = speaker
    self.kind = kind
    self.text = text
    self.at = at
    self.turn = turn
    self.wasInterrupted = wasInterrupted
    self.confidence = confidence
    self.callID = callID
    self.arguments = arguments
  }
}
