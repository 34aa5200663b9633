/// Anything that hears and speaks: a realtime model, or a pipeline of recogniser, text model and synthesiser.
public protocol VoiceModel: Sendable {
  /// Starts a conversation. May be called while the phone still rings, so that there is no dead air after the answer.
  /// Throws ``VoiceFailure`` when the backend cannot be had.
  /// - Parameter speaker: Takes the agent's audio; frames go there directly, not through ``VoiceSession/events``.
  func open(_ conversation: ConversationRequest, speaker: any Speaker) async throws -> any VoiceSession
  /// What an agent is configured to do and this model will not do, a line each, for whoever wrote it: `routerd check`
  /// warns with these words.
  static func warnings(for agent: AgentConfiguration) -> [String]
  /// How long an answer may take to begin, and to go on, by what this model's backend was promised; `nil` where nothing was.
  /// A call is then patient for so long, in place of the usual limits of silence; the caller hears a word meanwhile.
  func patience(for agent: AgentConfiguration) -> Duration?
  /// Which providers a conversation of this agent depends on: each has a circuit breaker of its own.
  func backends(of agent: AgentConfiguration) -> VoiceBackends
}

extension VoiceModel {
  /// None.
  public static func warnings(for agent: AgentConfiguration) -> [String] { [] }
  /// Nothing was promised.
  public func patience(for agent: AgentConfiguration) -> Duration? { nil }
  /// One, which hears, thinks and speaks.
  public func backends(of agent: AgentConfiguration) -> VoiceBackends { VoiceBackends(model: agent.provider) }
}

/// What a conversation starts with.
public struct ConversationRequest: Sendable {
  public var call: InboundCall
  public var agent: AgentConfiguration
  /// What the caller's wire carries: a model that can, asks for this format.
  public var wireFormat: AudioFormat
  /// What the agent may do.
  public var tools: [Tool]
  /// What was said before, when this session takes over from another in the middle of a call; else empty.
  public var transcript: [TranscriptEntry]
  /// What the agent remembers of this person from earlier conversations, oldest first; empty when it has no memory.
  /// The same stands in words at the end of ``agent``'s instructions, so a model that reads those need not look here.
  public var memory: [RememberedConversation] = []
  /// Number of the first turn that this session may use.
  public var firstTurn: TurnID
  public var log: Log
  /// Where ``VoiceSession/hear(_:)`` will be called: ``CallLeg/mediaExecutor``, which need not be the executor of the
  /// call itself. A session whose socket lives there passes sound on without a hop.
  public var executor: (any SerialExecutor)?

  public init(
    call: InboundCall, agent: AgentConfiguration, wireFormat: AudioFormat = .muLaw, tools: [Tool] = [],
    transcript: [TranscriptEntry] = [], firstTurn: TurnID = TurnID(1), log: Log,
    executor: (any SerialExecutor)? = nil
  ) {
    self.call = call
    self.agent = agent
    self.wireFormat = wireFormat
    self.tools = tools
    self.transcript = transcript
    self.firstTurn = firstTurn
    self.log = log
    self.executor = executor
  }
}

/// One conversation of a voice model.
public protocol VoiceSession: Sendable {
  /// The format that ``hear(_:)`` wants; constant for the session.
  var hearingFormat: AudioFormat { get }
  /// 20 ms of the caller, inline on the call's media loop: must not block or wait.
  func hear(_ audio: AudioFrame)
  /// What happens, except audio. One reader. Finishes after ``VoiceEvent/failed(_:)`` or when closed.
  var events: AsyncStream<VoiceEvent> { get }
  /// Tells the session something; in order.
  func send(_ command: VoiceCommand) async
}

/// What a voice session reports.
public enum VoiceEvent: Sendable, Hashable {
  /// The caller began to speak: the engine stops our audio at once.
  case speechStarted
  /// How long ago the caller began to say the words that the next ``heard(_:confidence:isFinal:)`` tells: recognisers are
  /// slow, and the answer may be under way by then. Without it that is when ``speechStarted`` was told.
  case callerBegan(millisecondsAgo: Int)
  /// How long ago the caller's voice was last heard, told right before ``speechEnded`` by who knows it: the silence
  /// that ended the turn. Where the latency of an answer is counted from.
  case callerStopped(millisecondsAgo: Int)
  /// The caller's turn is over; an answer is due, unless ``heard(_:confidence:isFinal:)`` follows with an empty text.
  case speechEnded
  /// The agent began a turn: audio under this identifier follows.
  case turnStarted(TurnID)
  /// The model's first token of the turn (text, audio or a tool call) is here. Need not be told when sound or text of
  /// the turn follow at once.
  case firstToken(TurnID)
  /// All audio of the turn was handed to the speaker.
  case turnEnded(TurnID)
  /// What the caller said; a partial is replaced by the next one. A final one without text: that was no speech, and no
  /// answer follows.
  case heard(String, confidence: Double?, isFinal: Bool)
  /// What the agent says: a piece, which joins the one before; with `isFinal`, the whole text of the turn. After a
  /// command to truncate the turn it may come once more, with what the caller has heard of it.
  case said(String, turn: TurnID, isFinal: Bool)
  /// The model wants to use a tool.
  case toolCall(ToolCall)
  /// The model's summary of the conversation so far, for the agent's memory; the last one counts.
  case summary(String)
  /// Something went wrong that the conversation survives, in words for the record and the log. No secret in it.
  case trouble(String)
  /// The backend is gone or useless; the engine goes to the agent's fallback. The last event.
  case failed(VoiceFailure)
}

/// What the engine tells a voice session.
public enum VoiceCommand: Sendable, Hashable {
  /// The call was answered: open the conversation (greeting).
  case begin
  /// Say this, word for word where the model can.
  case say(String)
  /// A key of the caller.
  case digit(Character)
  case toolResult(ToolResult)
  /// Something that the agent is to know from now on, as if the system said it; with `responds`, it says something
  /// about it as soon as it is its turn.
  case inform(String, responds: Bool)
  /// The turn was cut off; the caller has heard only this much of it.
  case truncate(TurnID, playedMilliseconds: Int)
  /// The turn was played to its end.
  case played(TurnID)
  /// The caller put us on hold (nothing is heard and nobody listens) or took us back.
  case held(Bool)
  /// The conversation is over.
  case close
}

/// The providers that a conversation depends on, by their names in the route files.
public struct VoiceBackends: Sendable, Hashable {
  public var model: String
  /// `nil` where the model hears by itself.
  public var recognizer: String?
  /// `nil` where the model speaks by itself.
  public var synthesizer: String?

  public init(model: String, recognizer: String? = nil, synthesizer: String? = nil) {
    self.model = model
    self.recognizer = recognizer
    self.synthesizer = synthesizer
  }

  /// Who has that part.
  public func provider(of part: VoiceFailure.Part) -> String {
    switch part {
    case .model: model
    case .recognizer: recognizer ?? model
    case .synthesizer: synthesizer ?? model
    }
  }

  /// Each of them once.
  public var providers: [String] {
    [recognizer, synthesizer].reduce(into: [model]) { all, name in
      if let name, !all.contains(name) { all.append(name) }
    }
  }
}

/// Why a backend is of no use.
public struct VoiceFailure: Error, Sendable, Hashable {
  public enum Kind: String, Sendable {
    case unreachable, unauthorized, rateLimited, protocolError, closed, timedOut
  }
  /// What of a conversation failed; whoever puts the parts together says so.
  public enum Part: String, Sendable { case model, recognizer, synthesizer }

  public var kind: Kind
  public var part = Part.model
  /// For the log: the backend's own words. No secret in it.
  public var message: String
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The same, of that part.
  public func of(_ part: Part) -> VoiceFailure {
    var failure = self
    failure.part = part
    return failure
  }
}
