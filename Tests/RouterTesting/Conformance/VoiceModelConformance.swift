public import RouterCore

/// What every ``VoiceModel`` must do.
public enum VoiceModelConformance {
  /// What a model can be expected to do.
  public struct Expectations: Sendable {
    /// It opens the conversation with words of its own.
    public var greets = true
    /// It says what it is told to say.
    public var says = true
    /// It notices when the caller speaks.
    public var hears = true
    public init() {}
  }

  /// Tries a model out.
  /// - Parameters:
  ///   - expectations: What this model can do; an echo, say, has no words.
  ///   - agent: Whom it speaks for.
  ///   - limit: How long anything may take.
  ///   - make: Makes the model.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(
    _ expectations: Expectations = Expectations(), for agent: AgentConfiguration = .example(),
    within limit: Duration = .seconds(30), _ make: () async throws -> any VoiceModel
  ) async -> [Violation] {
    var findings = Findings()
    await findings.attempt("a model is made") { findings in
      let trial = VoiceTrial(model: try await make(), agent: agent, expectations: expectations, limit: limit)
      await findings.attempt("a conversation begins when it is told to") { try await trial.beginning(&$0) }
      await findings.attempt("a turn that is cut off is silent") { try await trial.cutting(&$0) }
      await findings.attempt("it says what it is told to say") { try await trial.saying(&$0) }
      await findings.attempt("the caller is heard") { try await trial.hearing(&$0) }
      await findings.attempt("a conversation can be taken over") { try await trial.takingOver(&$0) }
      await findings.attempt("commands out of place do no harm") { try await trial.oddCommands(&$0) }
      await findings.attempt("a session ends when it is closed") { try await trial.closing(&$0) }
      await findings.attempt("conversations do not mix") { try await trial.concurrency(&$0) }
    }
    return findings.violations
  }
}

/// One session under trial: everything that it does, in one order.
final class VoiceListener: Speaker {
  enum Happening: Sendable {
    case event(VoiceEvent)
    case sound(TurnID, milliseconds: Int)
    case finished
  }

  let happenings = Journal<Happening>()

  func play(_ audio: AudioFrame, turn: TurnID) {
    happenings.note(.sound(turn, milliseconds: audio.milliseconds))
  }

  func read(_ session: any VoiceSession) {
    let (happenings, events) = (happenings, session.events)
    Task {
      for await event in events { happenings.note(.event(event)) }
      happenings.note(.finished)
    }
  }

  var all: [Happening] { happenings.events }

  var events: [VoiceEvent] {
    all.compactMap { if case .event(let event) = $0 { event } else { nil } }
  }

  var failure: VoiceFailure? {
    events.lazy.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }.first
  }

  /// Turns that began, in order.
  var turns: [TurnID] {
    events.compactMap { if case .turnStarted(let turn) = $0 { turn } else { nil } }
  }

  func milliseconds(of turn: TurnID, after start: Int = 0) -> Int {
    all.dropFirst(start).reduce(0) {
      if case .sound(turn, let milliseconds) = $1 { $0 + milliseconds } else { $0 }
    }
  }

  func text(of turn: TurnID) -> String? {
    events.lazy.compactMap { if case .said(let text, turn, isFinal: true) = $0 { text } else { nil } }.first
  }

  /// Waits until all of a turn was handed over; the turn is any if `nil`.
  @discardableResult
  func ended(_ turn: TurnID? = nil, after start: Int = 0, within limit: Duration) async throws -> TurnID {
    let event = try await happenings.first(after: start, within: limit, "the end of a turn") {
      if case .event(.turnEnded(let id)) = $0 { turn == nil || turn == id } else { false }
    }
    guard case .event(.turnEnded(let id)) = event else { throw CancellationError() }
    return id
  }

  func finished(within limit: Duration) async throws {
    try await happenings.first(within: limit, "the end of the events") {
      if case .finished = $0 { true } else { false }
    }
  }
}
