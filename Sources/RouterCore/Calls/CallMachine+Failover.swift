/// When a backend fails or falls silent: the watch over dead air, words of the engine's own, the last resort.
extension CallMachine {
  /// How long the current agent may take to be ready.
  var openLimit: Duration {
    agent?.patience.open.map { .milliseconds($0) } ?? .seconds(settings.answerDeadline)
  }

  private var deadAirLimits: DeadAir.Limits {
    func limit(_ own: Int?, _ usual: Int) -> Duration? {
      let milliseconds = own ?? usual
      return milliseconds > 0 ? .milliseconds(milliseconds) : nil
    }
    // What the backend was promised holds, unless the agent says otherwise.
    let promised = agent.flatMap(promise) ?? .zero
    let firstAudio = limit(agent?.patience.firstAudio, settings.failover.firstAudioMilliseconds)
    let isOwn = agent?.patience.firstAudio != nil
    return DeadAir.Limits(
      word: limit(agent?.patience.word, settings.failover.wordMilliseconds),
      firstAudio: isOwn ? firstAudio : firstAudio.map { max($0, promised) },
      silentTurn: agent?.patience.firstAudio == 0 ? nil : max(.seconds(settings.silentTurnSeconds), promised),
      longestTurn: .seconds(settings.failover.maximumTurnSeconds))
  }

  /// An agent that opens the conversation, or takes it over, owes sound from the start; another may wait for the
  /// caller.
  mutating func expectOpening(at now: Duration) {
    audibleBefore = sound.audible
    let opens = agent?.initialSpeech?.contains { !$0.isWhitespace } ?? false
    if opens || hasWords { deadAir.expect(.beginning, at: now, sound) } else { deadAir.release() }
    deadAir.restart(at: now)
  }

  /// Looks whether the agent owes sound; sets the alarm for the next look.
  mutating func watch(at now: Duration) -> [CallAction] {
    guard case .talking(let attempt) = phase, let agent, !isInline(agent.providerType) else {
      timers.clear(.silentTurn)
      return []
    }
    var actions: [CallAction] = []
    if let before = audibleBefore, sound.audible > before {
      audibleBefore = nil
      actions += worked(.synthesizer)
    }
    guard !isHeld, tools.isEmpty else {
      timers.clear(.silentTurn)
      return actions
    }
    switch deadAir.look(at: now, sound, turn: turns.speaking, deadAirLimits) {
    case .nothing: timers.clear(.silentTurn)
    case .wait(let until): timers.set(.silentTurn, at: until)
    case .word: return actions + announce(.moment, at: now) + watch(at: now)
    case .failed(let text, let drop):
      var failure = VoiceFailure(drop ? .protocolError : .timedOut, text)
      // Words that are not heard are the synthesiser's business.
      if let turn = turns.speaking, turns.words(of: turn.id)?.text.isEmpty == false {
        failure.part = .synthesizer
      }
      return actions + (drop ? [.flush] : []) + failOver(attempt, failure, at: now)
    }
    return actions
  }

  /// A part of the current agent did what it is for; the provider that this proves is told of once.
  mutating func worked(_ part: VoiceFailure.Part) -> [CallAction] {
    guard let agent else { return [] }
    let backends = backends(agent)
    let provider: String? =
      switch part {
      case .synthesizer: backends.provider(of: .synthesizer)
      // A model that hears by itself has yet to answer.
      case .recognizer: backends.recognizer
      // Of a model that speaks by itself the sound is the proof; and first words that were given to it prove nothing.
      case .model where backends.synthesizer == nil: nil
      case .model: hasWords || agent.initialSpeech == nil ? backends.model : nil
      }
    guard let provider, proven.insert(provider).inserted else { return [] }
    return [.backend(provider: provider, .worked)]
  }

  // MARK: Words of the engine's own

  /// Says something between the turns of agents; nothing when there is no voice for it, or nobody to hear it.
  mutating func announce(_ phrase: Phrase, at now: Duration) -> [CallAction] {
    guard canAnnounce, answeredAt != nil, !isHeld else { return [] }
    let turn = turns.nextInterjection
    let begun = perform(turns.started(turn, at: now), at: now)
    return begun + [.announce(turn, phrase, language: agent?.language)]
  }

  /// The words are on their way to the caller.
  mutating func announced(_ turn: TurnID, _ text: String, at now: Duration) -> [CallAction] {
    let said = perform(turns.said(text, turn, isFinal: true, at: now), at: now)
    return said + perform(turns.ended(turn), at: now) + departIfQuiet(at: now)
  }

  /// Nobody is left: a person gets the caller if there is one, else the call ends; in both cases with a word.
  mutating func noneLeft(at now: Duration) -> [CallAction] {
    guard answeredAt != nil else { return finish(lastFailure) }
    if let request = lastResort {
      lastResort = nil
      if targets < settings.maximumTargets { return part(.transfer(nil, request), .handOver, at: now) }
    }
    let end = CallEnd(
      .agentUnavailable, text: lastFailure.text, sipStatus: 200, q850: CallEnd.cause(ofStatus: 500))
    return settings.apology.isEmpty ? finish(end) : part(.hangUp(end), .apology, at: now)
  }

  /// Says last words, if there is a voice for them, and goes.
  mutating func part(_ departure: Departure, _ phrase: Phrase, at now: Duration) -> [CallAction] {
    phase = .parting(departure)
    timers.clear(.noAgent)
    timers.clear(.switchWord)
    // What the last agent gave is still played.
    timers.set(.goodbye, at: max(now, sound.audibleUntil) + .seconds(settings.goodbyeSeconds))
    let words = announce(phrase, at: now)
    return words.isEmpty ? depart(at: now) : words
  }

  // MARK: What is remembered of it

  /// An agent that is not even tried.
  mutating func passOver(
    _ agent: AgentConfiguration, _ level: LogLevel, _ reason: String, _ text: String, at now: Duration
  ) -> [CallAction] {
    lastFailure = CallEnd(.agentUnavailable, text: "agent \(agent.name): \(text)")
    history.append(
      AgentHistory(
        attempt: nil, agent: agent.name, provider: agent.provider, at: now, failedAt: now, reason: reason,
        message: text))
    candidates.insert(contentsOf: agent.fallback.map(Candidate.init), at: 0)
    return [.log(level, lastFailure.text)]
  }

  mutating func note(_ agent: AgentConfiguration, _ attempt: Int, at now: Duration) {
    history.append(
      AgentHistory(attempt: attempt, agent: agent.name, provider: agent.provider, at: now))
  }

  mutating func noteFailure(of attempt: Int, _ reason: String, _ message: String, at now: Duration) {
    guard let index = history.lastIndex(where: { $0.attempt == attempt && $0.failedAt == nil }) else {
      return
    }
    history[index].failedAt = now
    history[index].reason = reason
    history[index].message = message
  }
}

/// An agent of one call, on the engine's clock.
struct AgentHistory: Sendable, Hashable {
  var attempt: Int?
  var agent: String
  var provider: String
  var at: Duration
  var failedAt: Duration?
  var reason: String?
  var message: String?
}

extension AgentConfiguration {
  /// A backend's words without what the provider's configuration keeps secret, and no longer than a line.
  func withoutSecrets(_ text: String) -> String {
    String(SecretTexts(in: providerConfiguration).hidden(in: String(text.prefix(4000))).prefix(400))
  }
}
