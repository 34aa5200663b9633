internal import RouterCore

/// What the server says.
extension ConversationMachine {
  mutating func receive(_ event: ServerEvent, at now: Duration) -> [Action] {
    switch event {
    case .sessionCreated, .sessionUpdated, .other: return []
    case .speechStarted(let item):
      hearing.began(item, at: now)
      callerSpeaks = true
      expected = nil
      return [.report(.speechStarted)]
    case .speechStopped:
      guard callerSpeaks else { return [] }
      callerSpeaks = false
      if settings.createsResponses { expected = now + ConversationMachine.ownResponseTime }
      let silence = settings.silence.map { [Action.report(.callerStopped(millisecondsAgo: $0))] } ?? []
      return silence + [.report(.speechEnded)] + ask(at: now)
    case .committed(let item):
      var actions: [Action] = []
      if let ownTurnBegan { hearing.began(item, at: ownTurnBegan) }
      if settings.isTranscribed { actions = hearing.committed(item).flatMap { heard($0, at: now) } }
      return settings.createsResponses ? actions : actions + want(.reply(instructions: nil), at: now)
    case .heardPiece(let item, let text):
      return began(hearing.beginning(of: item), at: now)
        + [.report(.heard(hearing.piece(item, text), confidence: nil, isFinal: false))]
    case .heardSoFar(let item, let text):
      return began(hearing.beginning(of: item), at: now)
        + [.report(.heard(text, confidence: nil, isFinal: false))]
    case .heard(let item, let text): return hearing.heard(item, text).flatMap { heard($0, at: now) }
    case .hearingFailed(let item, let words):
      return [.log(.warning, "the caller's words could not be written down: \(words)")]
        + hearing.heard(item, "").flatMap { heard($0, at: now) }
    case .responseCreated(let id): return responseCreated(id, at: now)
    case .saidPiece(let response, _, let text): return said(response, piece: text, at: now)
    case .said(let response, _, let text):
      guard let index = index(response) else { return [] }
      turns[index].pieces = ""
      turns[index].text = ConversationMachine.joined(turns[index].text, text)
      return []
    case .call(let response, let call):
      if let index = index(response) { merge(call, into: index) }
      return []
    case .responseDone(let id, let outcome): return responseDone(id, outcome, at: now)
    case .problem(let problem): return receive(problem, at: now)
    case .exhausted(let name, let seconds):
      return [.log(.warning, "the rate limit of \(name) is reached; there is more in \(seconds) s")]
    }
  }

  /// A turn of the caller that we heard ourselves, where the server does not listen for them.
  mutating func receive(_ change: TurnDetector.Change, at now: Duration) -> [Action] {
    switch change {
    case .started:
      callerSpeaks = true
      ownTurnBegan = now
      return [.report(.speechStarted)]
    case .ended(_, let reason):
      callerSpeaks = false
      let silence = reason == .silence ? settings.silence ?? 0 : 0
      return [.report(.callerStopped(millisecondsAgo: silence)), .report(.speechEnded), send(.commit)]
    }
  }

  /// A message that makes no sense.
  mutating func receiveGarbage(_ words: String) -> [Action] {
    garbage += 1
    if garbage > ConversationMachine.maximumGarbage {
      return [.fail(VoiceFailure(.protocolError, "the server does not speak the protocol: \(words)"))]
    }
    return [.log(.warning, "a message that makes no sense: \(words)")]
  }

  private mutating func heard(_ words: HearingOrder.Words, at now: Duration) -> [Action] {
    // Without words it would mean that no answer follows, which is the server's to decide.
    if words.text.isEmpty { return [] }
    memory.add(.user, words.text, at: words.began ?? now)
    return began(words.began, at: now) + [.report(.heard(words.text, confidence: nil, isFinal: true))]
  }

  private func began(_ time: Duration?, at now: Duration) -> [Action] {
    time.map { [.report(.callerBegan(millisecondsAgo: Int((now - $0) / .milliseconds(1))))] } ?? []
  }

  // MARK: Responses

  private func index(_ response: String) -> Int? {
    let name = response.isEmpty ? active : response
    return turns.lastIndex { $0.response == name }
  }

  private mutating func responseCreated(_ id: String, at now: Duration) -> [Action] {
    if asked == nil {
      // The server's own, to the caller's words: it knows the results of tools that were sent before.
      if outstanding.isEmpty { wishes.removeAll { $0 == .goOn } }
    }
    answered = asked?.wish
    let isAside = asked?.isAside ?? false
    asked = nil
    expected = nil
    active = id
    return begin(id, isAside: isAside, at: now)
  }

  private mutating func begin(_ response: String, isAside: Bool = false, at now: Duration) -> [Action] {
    guard !turns.contains(where: { $0.response == response }) else { return [] }
    var actions: [Action] = []
    if turns.count >= ConversationMachine.maximumTurns {
      if !turns[0].isOver { actions += end(0) }
      turns.removeFirst()
    }
    turns.append(Turn(id: nextTurn, response: response, began: now, isAside: isAside))
    actions.append(.report(.turnStarted(nextTurn)))
    nextTurn = nextTurn.next
    return actions
  }

  /// A piece of the agent's sound. Returns under which turn it is to be played, if the caller is to hear it.
  mutating func sound(_ delta: SoundDelta, at now: @autoclosure () -> Duration) -> (
    turn: TurnID?, actions: [Action]
  ) {
    var actions: [Action] = []
    if index(delta.response) == nil {
      // A server that says nothing of the beginning of its responses.
      guard !delta.response.isEmpty || active == nil else { return (nil, []) }
      asked = nil
      active = delta.response
      actions = begin(delta.response, at: now())
    }
    guard hasBegun, let index = index(delta.response), !turns[index].isOver, !turns[index].isCut else {
      return (nil, actions)
    }
    unplayed.insert(turns[index].id)
    if let last = turns[index].items.indices.last, turns[index].items[last].id == delta.item {
      turns[index].items[last].bytes += delta.bytes.count
    } else if turns[index].items.count < ConversationMachine.maximumItems {
      turns[index].items.append((delta.item, delta.bytes.count))
    }
    return (turns[index].id, actions)
  }

  private mutating func said(_ response: String, piece: String, at now: Duration) -> [Action] {
    guard let index = index(response), !turns[index].isOver, !turns[index].isCut, !piece.isEmpty else {
      return []
    }
    guard turns[index].text.utf8.count + turns[index].pieces.utf8.count < ConversationMachine.maximumText
    else { return [] }
    turns[index].pieces += piece
    return [.report(.said(piece, turn: turns[index].id, isFinal: false))]
  }

  private mutating func merge(_ call: ServerEvent.FunctionCall, into index: Int) {
    if let known = turns[index].calls.firstIndex(where: { $0.id == call.id }) {
      if turns[index].calls[known].name == nil { turns[index].calls[known].name = call.name }
      if !call.arguments.isEmpty { turns[index].calls[known].arguments = call.arguments }
    } else if turns[index].calls.count < ConversationMachine.maximumCalls {
      turns[index].calls.append(call)
    }
  }

  private mutating func responseDone(
    _ id: String, _ outcome: ServerEvent.Outcome, at now: Duration
  ) -> [Action] {
    guard let index = index(id) else {
      if active == id || id.isEmpty { active = nil }
      return ask(at: now)
    }
    if active == turns[index].response || id.isEmpty { active = nil }
    for call in outcome.calls { merge(call, into: index) }
    let hasSounded = !turns[index].items.isEmpty
    let wasCut = turns[index].isCut
    let calls = turns[index].calls
    let turn = turns[index].id
    var actions = end(index)
    switch outcome.status {
    case "completed":
      hasRetried = false
      actions += use(calls, turn: turn, at: now)
    case "failed", "incomplete":
      let words = ConversationMachine.words(of: outcome)
      actions.append(.log(.warning, "the response is \(outcome.status): \(words)"))
      if let error = outcome.error, error.isFatal { return actions + [.fail(error.failure)] }
      if case .say = answered { break }
      if !hasSounded, !wasCut {
        // The caller waits for an answer and hears nothing: once more, and then somebody else.
        if hasRetried { return actions + [.fail(VoiceFailure(.protocolError, words))] }
        hasRetried = true
        wantFirst(answered ?? .reply(instructions: nil))
      }
    default: break  // cancelled: the caller spoke, or we asked for it
    }
    return actions + ask(at: now) + moveOverIfQuiet(at: now)
  }

  private static func words(of outcome: ServerEvent.Outcome) -> String {
    let words = [outcome.error?.words, outcome.reason].compactMap { $0 }.filter { !$0.isEmpty }
    return words.isEmpty ? outcome.status : words.joined(separator: ", ")
  }

  /// Nothing more comes of a turn.
  mutating func end(_ index: Int) -> [Action] {
    guard !turns[index].isOver else { return [] }
    turns[index].isOver = true
    let turn = turns[index]
    let text = ConversationMachine.joined(turn.text, turn.pieces)
    if turn.isCut { return [] }  // that was told when it was cut off
    if turn.items.isEmpty { unplayed.remove(turn.id) }
    guard !text.isEmpty else { return [.report(.turnEnded(turn.id))] }
    memory.add(.assistant, text, turn: turn.id, at: turn.began)
    return [.report(.said(text, turn: turn.id, isFinal: true)), .report(.turnEnded(turn.id))]
  }

  static func joined(_ first: String, _ second: String) -> String {
    let text = first.isEmpty || second.isEmpty ? first + second : first + " " + second
    return text.utf8.count <= maximumText ? text : first
  }

  // MARK: Complaints

  private mutating func receive(_ problem: ServerEvent.Problem, at now: Duration) -> [Action] {
    if problem.isFatal { return [.fail(problem.failure)] }
    if problem.code == "session_expired" {
      return expired(problem.words, isLost: false, at: now)
    }
    guard let asked, problem.eventID == asked.id || problem.code == "conversation_already_has_active_response"
    else {
      let isHarmless = ["response_cancel_not_active", "conversation_already_has_active_response"]
        .contains(problem.code)
      return [.log(isHarmless ? .debug : .warning, "the server complains: \(problem.words)")]
    }
    self.asked = nil
    guard problem.code == "conversation_already_has_active_response" else {
      guard case .say = asked.wish else { return [.fail(VoiceFailure(.protocolError, problem.words))] }
      // Not every server can: the caller waits in silence.
      return [.log(.warning, "the server complains: \(problem.words)")] + ask(at: now)
    }
    // Ours lost the race against the one that the caller's words made; no event of it will follow. That one has
    // seen the results of tools; anything else is still to be said.
    if asked.wish != .goOn { wantFirst(asked.wish) }
    // The end of the other one is waited for, but not for ever.
    if active == nil { expected = now + ConversationMachine.ownResponseTime }
    return [.log(.debug, "the server complains: \(problem.words)")]
  }
}
