/// How long one turn of the agent took to be heard, step by step, in milliseconds since the call was answered; what is
/// `nil` was not told or did not happen.
public struct TurnTiming: Hashable, Sendable, Codable {
  public var turn: TurnID
  /// Who spoke.
  public var agent: String?
  /// The caller's voice was last heard. `nil` for what answers to nothing, a greeting.
  public var callerStopped: Int?
  /// The caller's turn counted as over.
  public var turnDetected: Int?
  /// The model's first token was there.
  public var firstToken: Int?
  /// The first sound that is no silence was handed to the speaker.
  public var firstAudio: Int?
  /// The first packet of it left for the caller.
  public var firstPacket: Int?

  public init(
    turn: TurnID, agent: String? = nil, callerStopped: Int? = nil, turnDetected: Int? = nil,
    firstToken: Int? = nil, firstAudio: Int? = nil, firstPacket: Int? = nil
  ) {
    self.turn = turn
    self.agent = agent
    self.callerStopped = callerStopped
    self.turnDetected = turnDetected
    self.firstToken = firstToken
    self.firstAudio = firstAudio
    self.firstPacket = firstPacket
  }

  /// One step of the way: its name, and how long it took.
  public struct Step: Hashable, Sendable {
    public var name: String
    public var milliseconds: Int
  }

  /// The steps whose both ends are known, in their order: `endOfTurn` (the silence that ends the caller's turn),
  /// `model` (to the first token), `voice` (to the first sound), `wire` (to the first packet).
  public var steps: [Step] {
    let points: [(name: String, at: Int?)] = [
      ("", callerStopped), ("endOfTurn", turnDetected), ("model", firstToken), ("voice", firstAudio),
      ("wire", firstPacket),
    ]
    return zip(points, points.dropFirst()).compactMap { before, after in
      guard let start = before.at, let end = after.at else { return nil }
      return Step(name: after.name, milliseconds: max(0, end - start))
    }
  }

  /// From the caller's last sound to the first packet of the answer.
  public var total: Int? {
    guard let start = callerStopped ?? turnDetected, let end = firstPacket else { return nil }
    return max(0, end - start)
  }
}

/// One agent that was tried in a call, and what became of it.
public struct AgentAttempt: Hashable, Sendable, Codable {
  public var agent: String
  /// The provider's name in the route files.
  public var provider: String
  /// When it was tried, in milliseconds since the call came in.
  public var at: Int
  /// When it was given up; `nil` for an agent that had the call to its end.
  public var failedAt: Int?
  /// Why: a ``VoiceFailure/Kind``, `noModel`, or `leftAlone` (its circuit breaker was open).
  public var reason: String?
  /// The backend's own words, without secrets.
  public var message: String?

  public init(
    agent: String, provider: String, at: Int, failedAt: Int? = nil, reason: String? = nil,
    message: String? = nil
  ) {
    self.agent = agent
    self.provider = provider
    self.at = at
    self.failedAt = failedAt
    self.reason = reason
    self.message = message
  }
}
