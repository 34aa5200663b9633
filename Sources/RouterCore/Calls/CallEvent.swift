/// What happens to a call: everything that ``CallMachine`` is told. An `attempt` numbers the voice sessions of one
/// call, so what a session reports after it was given up falls to nothing.
enum CallEvent: Sendable {
  /// The call is admitted and routed. Never empty.
  case start([RouteTarget])
  case leg(LegEvent)
  /// The leg's events ended without a word about the end.
  case legFinished
  /// The leg answered, and there is media now.
  case answered
  case answerFailed(CallEnd)
  case opened(attempt: Int)
  case openFailed(attempt: Int, VoiceFailure)
  case voice(attempt: Int, VoiceEvent)
  /// The session's events ended without a word about a failure.
  case voiceFinished(attempt: Int)
  /// The answer to ``CallAction/flush``.
  case flushed(PlayedAudio)
  /// Words of the engine's own were handed to the speaker; empty when there is no sound of them.
  case announced(TurnID, String)
  case transferEnded(id: Int, TransferOutcome)
  case toolFinished(attempt: Int, ToolResult)
  /// Time passed.
  case tick
  /// Somebody of ours ends the call: an operator, a drain, the cancelled task.
  case stop(CallEnd)
}

/// What is to be done: everything that ``CallMachine`` asks for. Each is carried out without waiting; what takes time
/// reports back as a ``CallEvent``.
enum CallAction: Sendable, Hashable {
  case ring
  /// Open a voice session for an agent, with the transcript so far.
  case open(attempt: Int, AgentConfiguration)
  /// Close a session and forget it, also one that is still being opened.
  case close(attempt: Int)
  case answer
  /// Connect the session's ears and mouth to the call.
  case attach(attempt: Int)
  /// Let the session hear silence instead of the caller (`true`), or the caller again.
  case mute(attempt: Int, Bool)
  case send(attempt: Int, VoiceCommand)
  /// Stop our sound at once; ``CallEvent/flushed(_:)`` follows.
  case flush
  /// The turn's audio is complete.
  case endTurn(TurnID)
  case transfer(id: Int, TransferRequest)
  case runTool(attempt: Int, ToolCall)
  case cancelTool(id: String)
  /// A tool was given up because its time was over.
  case toolTimedOut(id: String)
  /// Say words of the engine's own; ``CallEvent/announced(_:_:)`` follows.
  case announce(TurnID, Phrase, language: String?)
  /// How a backend fared, for its circuit breaker.
  case backend(provider: String, BackendNews)
  /// A line of the transcript.
  case transcript(TranscriptEntry)
  /// A line of the transcript that is not finished yet: the words so far.
  case partial(TranscriptEntry)
  /// The caller stopped a turn; so much of it was heard.
  case interrupted(TurnID, at: Int, playedMilliseconds: Int)
  /// How long an answer took.
  case timing(TurnTiming)
  /// The model's summary of the conversation.
  case summary(String)
  case log(LogLevel, String)
  /// The call is over: tell the caller's side, close what is open, write the record. The last action.
  case finish(CallEnd, wasAnswered: Bool)
}

/// What a call has learnt of a backend.
enum BackendNews: Sendable, Hashable {
  /// It was heard.
  case worked
  case failed(VoiceFailure.Kind)
}
