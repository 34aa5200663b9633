internal import FoundationEssentials

/// What a call keeps and tells besides its words: the engine's own words, backends, latency, partial words.
extension CallSession {
  /// How many turns a record says the latency of.
  static let maximumTimings = 500

  /// Tells the machine what it may count on.
  func prepareMachine() {
    machine.promise = { [models = surroundings.models] in models[$0.providerType]?.patience(for: $0) }
    machine.isInline = { [inline = surroundings.inlineModels] in inline.contains($0) }
    machine.backends = { [models = surroundings.models] agent in
      models[agent.providerType]?.backends(of: agent) ?? VoiceBackends(model: agent.provider)
    }
    machine.leftAlone = { [breakers = surroundings.breakers] in breakers.leftAlone(of: $0) }
    machine.canAnnounce = surroundings.announcer != nil
  }

  /// Says words of the engine's own, as soon as there is a sound of them.
  func announce(_ turn: TurnID, _ phrase: Phrase, _ language: String?) {
    guard let announcer = surroundings.announcer else { return handle(.announced(turn, "")) }
    let settings = surroundings.settings
    Task {
      let spoken = await announcer.sound(of: phrase, language: language, settings)
      var isSaid = !spoken.frames.isEmpty && machine.turns.isWanted(turn)
      // The agent was quicker than the word that it takes a moment.
      if phrase == .moment, mouth.sound.audibleUntil > now { isSaid = false }
      if isSaid, let media {
        _ = mouth.interject(spoken.frames, turn, to: media)
        surroundings.metrics.add("routerd_announcements_total", 1, ["phrase": "\(phrase)"])
      }
      handle(.announced(turn, isSaid ? spoken.text : ""))
    }
  }

  func tell(_ news: BackendNews, of provider: String) {
    switch news {
    case .worked: surroundings.breakers.succeeded(provider)
    case .failed(let kind): surroundings.breakers.failed(provider, kind.rawValue)
    }
  }

  func note(_ timing: TurnTiming) {
    if timings.count < CallSession.maximumTimings { timings.append(timing) }
    live.tell(.timing(sheet.call.id, timing))
    for step in timing.steps { observe(step.name, step.milliseconds, timing) }
    if let total = timing.total { observe("total", total, timing) }
  }

  private func observe(_ step: String, _ milliseconds: Int, _ timing: TurnTiming) {
    surroundings.metrics.observe(
      "routerd_answer_seconds", Double(milliseconds) / 1000,
      ["step": step, "provider": machine.history.last?.provider ?? ""])
  }

  /// The agents that were tried, in milliseconds since the call came in.
  var attempts: [AgentAttempt] {
    func milliseconds(_ time: Duration) -> Int { Int((time - startedAt) / .milliseconds(1)) }
    return machine.history.map { agent in
      AgentAttempt(
        agent: agent.agent, provider: agent.provider, at: milliseconds(agent.at),
        failedAt: agent.failedAt.map(milliseconds), reason: agent.reason, message: agent.message)
    }
  }
}
