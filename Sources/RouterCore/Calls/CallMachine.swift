/// The decisions of one call's life. Pure: an event and the time in, actions out; it holds identifiers, never
/// continuations. What comes late (from a session that was given up, a tool that took too long, a leg after the end)
/// falls to nothing here.
///
/// Candidates are tried in order: the route's target, an agent's own `fallback:` before the route's next target. A
/// transfer as a target answers the call and then hands it over (REFER needs a dialog); a rejection refuses it, or
/// hangs up when it was answered before.
struct CallMachine: Sendable {
  enum Phase: Hashable, Sendable {
    case waiting
    /// A session is being opened, while it rings or after another one failed.
    case opening(attempt: Int)
    case answering(Purpose)
    case talking(attempt: Int)
    /// Last words: the agent asked for a hang-up or a transfer.
    case leaving(attempt: Int, Departure)
    /// Last words of the engine's own: no agent is left.
    case parting(Departure)
    /// `attempt` is the session that takes the caller back if it fails; `hungUp` when the caller's side ended
    /// while the outcome is still to come.
    case transferring(id: Int, attempt: Int?, tool: ToolCall?, hungUp: CallEnd?)
    case over(CallEnd)
  }

  enum Purpose: Hashable, Sendable {
    case agent(attempt: Int)
    case transfer(TransferRequest)
  }

  enum Departure: Hashable, Sendable {
    case hangUp(CallEnd)
    case transfer(ToolCall?, TransferRequest)
  }

  enum Candidate: Sendable {
    case target(RouteTarget)
    case agentNamed(String)

    init(_ fallback: AgentConfiguration.Fallback) {
      switch fallback {
      case .agent(let name): self = .agentNamed(name)
      case .transfer(let request): self = .target(.transfer(request))
      }
    }
  }

  /// How long a leg may take for an answer: the 200 is repeated for 64 times T1 (RFC 3261 section 13.3.1.4).
  static let answerSeconds = 40
  /// How long the outcome of a transfer may follow the caller's BYE, and how much longer than its own limit the leg
  /// may take to tell.
  static let transferGraceSeconds = 5

  let settings: EngineSettings
  /// The configuration of an agent by name, for `fallback:`; pure.
  var agentNamed: @Sendable (String) -> AgentConfiguration? = { _ in nil }
  /// The provider types that there are models for.
  let models: @Sendable (String) -> Bool
  /// How long an agent's backend may take by what it was promised.
  var promise: @Sendable (AgentConfiguration) -> Duration? = { _ in nil }
  /// Provider types whose models have no backend that could fail: an echo, a tone.
  var isInline: @Sendable (String) -> Bool = { _ in false }
  /// The providers that an agent depends on.
  var backends: @Sendable (AgentConfiguration) -> VoiceBackends = { VoiceBackends(model: $0.provider) }
  /// The first of some providers whose circuit breaker is open; `nil` when they may be asked now, all of them.
  var leftAlone: @Sendable ([String]) -> String? = { _ in nil }
  /// Whether there is a voice for words of the engine's own.
  var canAnnounce = false

  var phase = Phase.waiting
  var agent: AgentConfiguration?
  var isHeld = false
  /// Whether the caller's side has ended by itself, so that it needs no word of ours.
  var isLegOver = false
  /// When the call was answered, on the engine's clock.
  var answeredAt: Duration?
  var turns: TurnMachine
  var timers = TimerSet()
  /// Tools that are running, by their identifier.
  var tools: [String: ToolCall] = [:]
  /// Seconds that tools of the current agent may take, where they say so, by the name that the model uses.
  var toolSeconds: [String: Int] = [:]
  /// How often the caller was told to wait for a tool.
  var fillers = 0

  var candidates: [Candidate] = []
  var tried: Set<String> = []
  var attempts = 0
  /// The newest attempt that was given up.
  var lastClosed = 0
  var targets = 0
  var transfers = 0
  var lastFailure = CallEnd(.agentUnavailable, text: "no agent")
  var failedWhileAnswering: VoiceFailure?
  /// Whether somebody has said something: who takes over must not greet.
  var hasWords = false
  /// The person whom an agent of this call may hand callers to; the last resort when no agent is left.
  var lastResort: TransferRequest?
  /// What happened with each agent that was tried, at most ``EngineSettings/maximumTargets``.
  var history: [AgentHistory] = []
  /// What the agent gave to the speaker, as it was told last.
  var sound = SoundSoFar()
  var deadAir = DeadAir()
  /// When the caller began the words that are not written down yet.
  var utteranceBegan: Duration?
  /// What had been heard of all agents when the current one began, until it is heard itself.
  var audibleBefore: Int? = nil
  /// Providers of the current agent that have shown that they work.
  var proven: Set<String> = []
  /// Keys that were pressed in a row, and when the first one was.
  var keys: (text: String, since: Duration) = ("", .zero)
  var latency = LatencyClock()

  /// What observers were told last.
  private var told: (state: CallState, agent: String?) = (.received, nil)

  init(settings: EngineSettings, models: @escaping @Sendable (String) -> Bool) {
    self.settings = settings
    self.models = models
    turns = TurnMachine(greetingProtection: .milliseconds(settings.greetingProtectionMilliseconds))
  }

  /// Where the call stands, for people.
  var state: CallState {
    switch phase {
    case .waiting: .received
    case .opening: answeredAt == nil ? .ringing : .failingOver
    case .answering: .ringing
    case .talking: isHeld ? .held : .conversation
    case .leaving, .parting, .over: .ending
    case .transferring: .transferring
    }
  }

  /// What is new for observers since the last time.
  mutating func takeNews() -> (state: CallState?, agent: String?) {
    let (state, agent) = (state, agent?.name)
    defer { told = (state, agent) }
    return (state == told.state ? nil : state, agent == told.agent ? nil : agent)
  }

  var isOver: Bool { if case .over = phase { true } else { false } }

  /// The session that is connected to the call.
  var attached: Int? {
    switch phase {
    case .talking(let attempt), .leaving(let attempt, _): attempt
    case .transferring(_, let attempt, _, _): attempt
    case .waiting, .opening, .answering, .parting, .over: nil
    }
  }

  /// The newest session, connected or not yet.
  var current: Int? {
    switch phase {
    case .opening(let attempt), .answering(.agent(let attempt)): attempt
    default: attached
    }
  }

  /// Takes an event at a time of the engine's clock.
  /// - Parameter sound: What the agent has given to the speaker; `nil` is as before.
  mutating func handle(
    _ event: CallEvent, at now: Duration, sound: SoundSoFar? = nil
  ) -> [CallAction] {
    if let sound {
      self.sound = sound
      turns.sent = sound.sent
    }
    if isOver { return late(event) }
    var actions = decide(event, at: now)
    if !isOver { actions += watch(at: now) }
    return withKeys(actions, at: now)
  }

  private mutating func decide(_ event: CallEvent, at now: Duration) -> [CallAction] {
    switch event {
    case .start(let targets):
      guard phase == .waiting else { return [] }
      candidates = targets.map(Candidate.target)
      timers.set(.ringing, at: now + .seconds(settings.ringSeconds))
      return tryNext(at: now)
    case .leg(let event): return handle(event, at: now)
    case .legFinished:
      isLegOver = true
      return legEnded(CallEnd(.failed, text: "the channel lost the call"), at: now)
    case .answered: return answered(at: now)
    case .answerFailed(let end):
      guard case .answering = phase else { return [] }
      return finish(end)
    case .opened(let attempt): return opened(attempt, at: now)
    case .openFailed(let attempt, let failure):
      guard phase == .opening(attempt: attempt) else { return [] }
      return failOver(attempt, failure, at: now)
    case .voice(let attempt, .failed(let failure)): return lost(attempt, failure, at: now)
    case .voice(let attempt, let event):
      guard attached == attempt else { return [] }  // a session that was given up
      return handle(event, of: attempt, at: now)
    case .voiceFinished(let attempt):
      return lost(attempt, VoiceFailure(.closed, "the session ended"), at: now)
    case .flushed(let played):
      return perform(turns.flushed(played), at: now) + departIfQuiet(at: now)
    case .announced(let turn, let text): return announced(turn, text, at: now)
    case .transferEnded(let id, let outcome): return transferEnded(id, outcome, at: now)
    case .toolFinished(let attempt, let result): return toolFinished(attempt, result, at: now)
    case .tick: return tick(at: now)
    case .stop(let end): return finish(end)
    }
  }

  /// After the end only this matters: a session that was still being opened must be closed, and our sound was
  /// stopped in the middle of words.
  private mutating func late(_ event: CallEvent) -> [CallAction] {
    switch event {
    case .opened(let attempt): return [.close(attempt: attempt)]
    case .flushed(let played):
      let said = turns.flushed(played) + turns.settle()
      return lines(said)
    default: return []
    }
  }

  // MARK: The caller's side

  private mutating func handle(_ event: LegEvent, at now: Duration) -> [CallAction] {
    switch event {
    case .cancelled:
      isLegOver = true
      return finish(CallEnd(.cancelled, text: "the caller gave up before the answer"))
    case .hungUp(let end):
      isLegOver = true
      return legEnded(end, at: now)
    case .mediaLost:
      if case .transferring = phase { return [] }  // the network may be moving the caller's media already
      return finish(CallEnd(.mediaLost, text: "nothing was heard from the caller's network any more"))
    case .digit(let key):
      press(key, at: now)
      guard case .talking(let attempt) = phase else { return [] }
      return [.send(attempt: attempt, .digit(key))]
    case .held(let held):
      guard held != isHeld else { return [] }
      isHeld = held
      deadAir.restart(at: now)
      var actions = [
        line(.system, .note, held ? "the caller put us on hold" : "the caller came back", at: now)
      ]
      if let attempt = attached { actions.append(.send(attempt: attempt, .held(held))) }
      return actions
    case .playbackStarted(let turn):
      turns.playbackStarted(turn, at: now)
      let waterfalls = latency.reached(.firstPacket, of: turn, at: now, sound)
      return timing(waterfalls)
    case .playbackEnded(let turn):
      return perform(turns.playbackEnded(turn), at: now) + departIfQuiet(at: now)
    }
  }

  /// While a transfer is under way, the caller's side also ends when it succeeded: its outcome decides.
  private mutating func legEnded(_ end: CallEnd, at now: Duration) -> [CallAction] {
    guard case .transferring(let id, let attempt, let tool, nil) = phase else {
      if case .transferring = phase { return [] }
      return finish(end)
    }
    phase = .transferring(id: id, attempt: attempt, tool: tool, hungUp: end)
    timers.set(.transfer, at: now + .seconds(CallMachine.transferGraceSeconds))
    return []
  }

  // MARK: The end

  /// Ends the call. An unanswered call that we end ourselves needs a status that refuses.
  mutating func finish(_ end: CallEnd) -> [CallAction] {
    var end = end
    if answeredAt == nil && end.sipStatus < 300 {
      end = CallEnd(end.reason, text: end.text, sipStatus: 480, retryAfter: end.retryAfter)
    }
    var actions = tools.keys.sorted().map { CallAction.cancelTool(id: $0) }
    // One after the other: a machine that changes while it is asked is copied first.
    let settled = turns.settle()
    actions += lines(settled)
    let waterfalls = latency.unfinished(sound)
    actions += timing(waterfalls)
    if !turns.isQuiet { actions.append(.flush) }
    if let attempt = current, attempt > lastClosed { actions.append(.close(attempt: attempt)) }
    tools.removeAll()
    timers.clearAll()
    candidates.removeAll()
    phase = .over(end)
    actions.append(.finish(end, wasAnswered: answeredAt != nil))
    return actions
  }
}
