internal import RouterCore

/// One conversation with a realtime server, whichever socket it goes over. Pure: events and commands in, actions out.
///
/// A **response** of the server is a **turn** of ours. At most one response is active; we ask for one (``Wish``) only
/// when none is, because the server refuses a second one and the caller's words may make one by themselves.
struct ConversationMachine {
  enum Action: Hashable {
    case send(id: String, ClientEvent)
    case report(VoiceEvent)
    case log(LogLevel, String)
    /// The session will end soon: open another one.
    case renew
    /// Nothing is being said: go on with the other one, which is told these words first.
    case moveOver([ClientEvent])
    /// The backend is of no use any more.
    case fail(VoiceFailure)
  }

  /// A response that we want.
  enum Wish: Hashable {
    /// The model may say what it likes, led by these words.
    case reply(instructions: String?)
    /// Words that the caller is to hear meanwhile; without them nothing is lost.
    case say(instructions: String)
    /// The results of tools are there.
    case goOn
  }

  /// One response of the server.
  struct Turn {
    let id: TurnID
    let response: String
    let began: Duration
    /// The items with sound, in order, and how many bytes of each came.
    var items: [(id: String, bytes: Int)] = []
    var text = ""
    /// Pieces of the item whose whole text has not come yet.
    var pieces = ""
    var calls: [ServerEvent.FunctionCall] = []
    /// Not of the conversation: nothing of it can be cut there.
    var isAside = false
    var isCut = false
    var isOver = false
  }

  /// Messages that make no sense, after which the server is given up.
  static let maximumGarbage = 10
  /// Responses that are remembered; later events of older ones fall to nothing.
  static let maximumTurns = 8
  static let maximumItems = 16
  static let maximumText = 16384
  static let maximumCalls = 16
  static let maximumWishes = 8
  /// How long the server may take to begin a response that we asked for.
  static let answerTime = Duration.seconds(10)
  /// How long after the caller's last word the server may begin a response by itself, before we ask for one.
  static let ownResponseTime = Duration.seconds(2)
  /// How long keys may be apart that belong together.
  static let digitTime = Duration.milliseconds(1500)
  static let maximumDigits = 64
  /// How long before its end a session is left in the middle of a sentence.
  static let leaveTime = Duration.seconds(20)
  /// A session that ends sooner is not renewed: the next one would end as soon.
  static let shortestSession = Duration.seconds(10)
  /// Between two attempts to have another session.
  static let renewPause = Duration.seconds(5)

  let settings: SessionSettings
  var turns: [Turn] = []
  var nextTurn: TurnID
  var hasBegun = false
  let takesOver: Bool
  /// The response that the server is making.
  var active: String?
  /// The response that we asked for and that did not begin yet.
  var asked: (id: String, wish: Wish, isAside: Bool, by: Duration)?
  var wishes: [Wish] = []
  var callerSpeaks = false
  /// When the caller's turn began, where the server does not tell.
  var ownTurnBegan: Duration?
  /// Until when the server may begin a response to the caller's words by itself.
  var expected: Duration?
  /// Calls of tools that have no result yet.
  var outstanding: Set<String> = []
  /// Those of them that another session asked for.
  var orphaned: Set<String> = []
  /// Turns that the caller is still hearing.
  var unplayed: Set<TurnID> = []
  var digits = ""
  var digitsDue: Duration?
  var hearing = HearingOrder()
  var memory = ConversationMemory()
  /// What the active response was asked for; `nil` when the server began it by itself.
  var answered: Wish?
  var hasRetried = false
  var garbage = 0
  var sent = 0
  // Renewal
  var beganAt = Duration.zero
  var renewDue: Duration?
  var leaveDue: Duration?
  var isRenewing = false
  var hasSpare = false
  /// The session is over; the caller speaks to nobody until there is another one.
  var isLost = false

  init(_ settings: SessionSettings, firstTurn: TurnID, transcript: [TranscriptEntry]) {
    self.settings = settings
    nextTurn = firstTurn
    takesOver = transcript.contains { $0.kind == .speech }
    for entry in transcript { memory.add(entry) }
  }

  /// The earliest moment at which ``tick(at:)`` has something to do.
  var deadline: Duration? {
    let renewal = isRenewing ? nil : renewDue
    return [asked?.by, expected, digitsDue, renewal, hasSpare ? leaveDue : nil].compactMap { $0 }.min()
  }

  mutating func send(_ event: ClientEvent) -> Action {
    sent += 1
    return .send(id: "rd-\(sent)", event)
  }

  // MARK: Asking for responses

  mutating func want(_ wish: Wish, at now: Duration) -> [Action] {
    if wishes.contains(wish) { return ask(at: now) }
    guard wishes.count < ConversationMachine.maximumWishes else {
      return [
        .log(.warning, "too many responses wait (\(ConversationMachine.maximumWishes)): one was dropped")
      ]
    }
    wishes.append(wish)
    return ask(at: now)
  }

  /// Puts a response that has to be made again before all others; the last one gives way when there are too many.
  mutating func wantFirst(_ wish: Wish) {
    wishes.insert(wish, at: 0)
    if wishes.count > ConversationMachine.maximumWishes { wishes.removeLast() }
  }

  /// Asks for the next response, if the server can make one now.
  mutating func ask(at now: Duration) -> [Action] {
    guard active == nil, asked == nil, !callerSpeaks, expected == nil, !isLost,
      let next = wishes.firstIndex(where: { $0 != .goOn || outstanding.isEmpty })
    else { return [] }
    let wish = wishes.remove(at: next)
    // A conversation with a call that has no result can get no further response of its own.
    let isAside = if case .say = wish { !outstanding.isEmpty } else { false }
    let event: ClientEvent =
      switch wish {
      case .goOn: .createResponse(instructions: nil)
      case .reply(let text): .createResponse(instructions: text)
      case .say(let text): isAside ? .sayAside(instructions: text) : .createResponse(instructions: text)
      }
    let action = send(event)
    if case .send(let id, _) = action { asked = (id, wish, isAside, now + ConversationMachine.answerTime) }
    return [action]
  }

  // MARK: Time

  mutating func tick(at now: Duration) -> [Action] {
    var actions: [Action] = []
    if let asked, asked.by <= now {
      let words = "no response within \(ConversationMachine.answerTime)"
      guard case .say = asked.wish else { return [.fail(VoiceFailure(.timedOut, words))] }
      self.asked = nil
      actions += [.log(.warning, words)] + ask(at: now)
    }
    if let due = expected, due <= now {
      expected = nil
      actions += ask(at: now)
    }
    if let due = digitsDue, due <= now { actions += giveDigits(at: now) }
    if let due = renewDue, due <= now, !isRenewing {
      isRenewing = true
      actions.append(.renew)
    }
    if hasSpare, let due = leaveDue, due <= now { actions += moveOver(at: now) }
    return actions
  }

  // MARK: Another session

  /// A session is there. Its end is known from itself or from the settings.
  mutating func sessionBegan(expiresAt: Double?, unixTime: Double, at now: Duration) {
    var length = settings.endpoint.renewAfter
    leaveDue = nil
    if let expiresAt {
      let left = Duration.seconds(min(max(0, expiresAt - unixTime), 86_400))
      // A tenth of what is left, a minute at most, for the opening of the next one.
      length = min(length, left - min(left / 10, .seconds(60)))
      leaveDue = now + max(left - ConversationMachine.leaveTime, left / 2)
    }
    beganAt = now
    renewDue = now + length
    isRenewing = false
    hasSpare = false
    isLost = false
  }

  /// The other session is ready; it is taken at a quiet moment.
  mutating func spareReady(at now: Duration) -> [Action] {
    hasSpare = true
    let mustLeave = leaveDue.map { $0 <= now } ?? false
    return isQuiet || isLost || mustLeave ? moveOver(at: now) : []
  }

  /// The session says that it is over, or its socket was closed with 1001 (at the limit of its length).
  mutating func expired(_ words: String, isLost: Bool, at now: Duration) -> [Action] {
    guard now - beganAt >= ConversationMachine.shortestSession else {
      return [.fail(VoiceFailure(.closed, words))]
    }
    self.isLost = self.isLost || isLost
    leaveDue = now
    let note = Action.log(.notice, "the session has ended: \(words)")
    if hasSpare { return [note] + moveOver(at: now) }
    if isRenewing { return [note] }
    isRenewing = true
    return [note, .renew]
  }

  /// The other session could not be had: try again while there is time.
  mutating func spareFailed(_ failure: VoiceFailure, at now: Duration) -> [Action] {
    isRenewing = false
    if isLost { return [.fail(failure)] }
    renewDue = now + ConversationMachine.renewPause
    return [.log(.warning, "the session could not be renewed: \(failure.message)")]
  }

  /// The other session broke while it waited.
  mutating func spareLost(at now: Duration) -> [Action] {
    hasSpare = false
    return spareFailed(VoiceFailure(.closed, "the new session was closed"), at: now)
  }

  /// Whether the caller hears the agent, or is about to.
  var isAgentSpeaking: Bool { active != nil || !unplayed.isEmpty }

  /// Nobody speaks, nothing is being made, and no tool is out.
  var isQuiet: Bool {
    active == nil && asked == nil && !callerSpeaks && expected == nil && outstanding.isEmpty
      && unplayed.isEmpty && wishes.isEmpty && digits.isEmpty
  }

  /// Leaves the session. What it was saying ends here; results of its tools become words, as the next one has not
  /// asked for them.
  mutating func moveOver(at now: Duration) -> [Action] {
    guard hasSpare else { return [] }
    hasSpare = false
    var actions: [Action] = []
    for index in turns.indices where !turns[index].isOver {
      actions += end(index)
    }
    let wasAnswering = active != nil || asked != nil || expected != nil
    active = nil
    if let lost = asked { wantFirst(lost.wish) }
    asked = nil
    callerSpeaks = false
    expected = nil
    isLost = false
    if wasAnswering, wishes.isEmpty { wishes.append(.reply(instructions: nil)) }
    turns.removeAll()
    orphaned.formUnion(outstanding)
    hearing = HearingOrder()
    actions.append(.moveOver(memory.events))
    return actions + ask(at: now)
  }

  mutating func moveOverIfQuiet(at now: Duration) -> [Action] {
    hasSpare && isQuiet ? moveOver(at: now) : []
  }
}
