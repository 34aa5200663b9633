public import FoundationEssentials

/// What stays of a conversation for the next time that the same person talks to the same agent.
public struct RememberedConversation: Hashable, Sendable, Codable {
  /// One turn of it.
  public struct Line: Hashable, Sendable, Codable {
    public var speaker: TranscriptEntry.Speaker
    public var text: String
    public init(_ speaker: TranscriptEntry.Speaker, _ text: String) {
      self.speaker = speaker
      self.text = text
    }
  }

  /// When it began.
  public var date: Date
  public var channel: ChannelKind
  /// The model's own summary, if it gave one.
  public var summary: String?
  /// The last turns, oldest first, within ``maximumCharacters``.
  public var lines: [Line]

  /// Characters of its lines that a conversation keeps; older lines are forgotten first.
  public static let maximumCharacters = 2000

  public init(date: Date, channel: ChannelKind, summary: String? = nil, lines: [Line] = []) {
    self.date = date
    self.channel = channel
    self.summary = summary
    self.lines = lines
  }
}

/// Whose memory it is: an agent's, of a person.
public struct MemoryKey: Hashable, Sendable, Codable {
  /// The agent's name in the route files.
  public var agent: String
  /// The caller's number in E.164, or the `externalClientId` of a session.
  public var person: String
  public init(agent: String, person: String) {
    self.agent = agent
    self.person = person
  }
}
