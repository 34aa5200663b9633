/// A model that reads a conversation and writes the agent's next turn.
public protocol TextModel: Sendable {
  /// The agent's next turn as a stream; cancelling the reader ends the work. Throws ``VoiceFailure``.
  func respond(to request: TextRequest) -> AsyncThrowingStream<TextEvent, any Error>
  /// What callers are likely to say to this agent: a recogniser that needs a grammar makes it from these.
  func phrases(for agent: AgentConfiguration) -> [String]
  /// Whether keys pressed so far are a whole answer. Until they are, the pipeline waits a little for the next one.
  func isComplete(_ digits: String, for agent: AgentConfiguration) -> Bool
  /// How long an answer may take to begin, and to go on, by what this model's backend was promised; `nil` where nothing was.
  /// A call is then patient for so long, in place of the usual limits of silence; the caller hears a word meanwhile.
  func patience(for agent: AgentConfiguration) -> Duration?
}

extension TextModel {
  /// The questions of the agent's FAQs, in every wording.
  public func phrases(for agent: AgentConfiguration) -> [String] {
    agent.faqs.flatMap { [$0.question] + $0.phrases }
  }

  /// Nothing was promised.
  public func patience(for agent: AgentConfiguration) -> Duration? { nil }

  /// `#` ends a number, as everywhere on telephones.
  public func isComplete(_ digits: String, for agent: AgentConfiguration) -> Bool { digits.hasSuffix("#") }
}

/// What a text model answers to.
public struct TextRequest: Sendable {
  /// What the turn answers to.
  public enum Prompt: Sendable, Hashable {
    /// The call was answered: greet.
    case greeting
    /// Another agent had the call and failed, perhaps in the middle of a sentence: go on in its sense, without a second
    /// greeting. The transcript's last line of the agent is what the caller has heard.
    case takeover
    /// The caller said something; `confidence` is the recogniser's, 0…1, `nil` if it has none.
    case speech(String, confidence: Double?)
    /// The caller pressed keys.
    case digits(String)
    /// The caller said nothing for a while.
    case silence
    /// Tools that the last turn asked for gave results.
    case toolResults([ToolResult])
    /// The system told the agent something, and wants it to say something about it.
    case information(String)
  }

  public var agent: AgentConfiguration
  public var prompt: Prompt
  /// What was said before, oldest first, without the prompt.
  public var transcript: [TranscriptEntry]
  public var tools: [Tool]
  public var turn: TurnID
  /// The call that it belongs to; `nil` outside of one.
  public var call: InboundCall?
  public var log: Log

  public init(
    agent: AgentConfiguration, prompt: Prompt, transcript: [TranscriptEntry] = [], tools: [Tool] = [],
    turn: TurnID = TurnID(1), call: InboundCall? = nil, log: Log
  ) {
    self.agent = agent
    self.call = call
    self.prompt = prompt
    self.transcript = transcript
    self.tools = tools
    self.turn = turn
    self.log = log
  }
}

/// A piece of the agent's turn.
public enum TextEvent: Sendable, Hashable {
  /// More text; pieces join without a space.
  case text(String)
  case toolCall(ToolCall)
  /// Something that the model wants to remember about the conversation. Nobody hears it; it comes back in the
  /// transcript of later requests, as a ``TranscriptEntry/Kind/note`` of the system.
  case note(String)
  /// Something went wrong that the conversation survives, in words for the record; the model goes on. No secret in it.
  case trouble(String)
}
