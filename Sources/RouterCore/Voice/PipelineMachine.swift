/// One conversation of a ``SpeechPipeline``: what to do next. Pure: an event in, actions out.
///
/// The agent's side is a turn being made (`current`) and turns whose sound is still being played (`audible`); the
/// caller's side is an utterance being heard, utterances that the recogniser has not answered for, and keys. A turn is
/// cut off only by the engine (``VoiceCommand/truncate(_:playedMilliseconds:)``), which alone knows what was heard;
/// whatever still arrives for it has a number that is neither current nor audible, and falls to nothing.
struct PipelineMachine: Sendable {
  enum Event: Sendable {
    /// The phone rings: make the greeting.
    case prepare
    case command(VoiceCommand)
    /// A key. - Parameter abandoned: The utterance that it put an end to.
    case digit(Character, abandoned: Int?)
    /// Utterances are numbered from 1.
    case speechStarted(Int)
    case speechEnded(Int, milliseconds: Int)
    case recognition(RecognitionEvent)
    case turn(TurnID, TurnEvent)
    case tick
  }

  /// What the task of a turn reports.
  enum TurnEvent: Sendable {
    /// The model has begun to answer.
    case firstToken
    /// This is spoken next.
    case text(String)
    /// It was handed over whole, and is so long.
    case spoken(milliseconds: Int)
    case toolCall(ToolCall)
    case note(String)
    case trouble(String)
    /// Enough was made for now.
    case waiting
    case ended
    case failed(VoiceFailure)
  }

  /// What a turn is made of.
  enum Wish: Sendable, Hashable {
    case respond(TextRequest.Prompt)
    case speak(String, thenHangUp: Bool)
  }

  enum Action: Sendable, Hashable {
    case report(VoiceEvent)
    /// Makes a turn; the transcript is what was said before its prompt.
    case start(TurnID, Wish, [TranscriptEntry])
    /// Stops making a turn; sound of it that nobody could hear yet is dropped.
    case cancel(TurnID)
    /// The conversation begins: let the caller hear and be heard.
    case open
    case agentSpeaks(Bool)
    case close
  }

  enum Timer: Hashable, Sendable { case silence, digits, recognition, turn, interruption, playback }

  let settings: PipelineSettings
  let isComplete: @Sendable (String) -> Bool
  let canHangUp: Bool

  var transcript: [TranscriptEntry]
  var nextTurn: TurnID
  var startedAt = Duration.zero
  var isBegun = false
  var isClosed = false
  var isHeld = false
  /// Reports of the greeting that nobody may see before the call is answered.
  var withheld: [VoiceEvent] = []

  var current: SpokenTurn?
  var audible: [SpokenTurn] = []
  /// A turn that waits for the engine to stop those before it.
  var waiting: Wish?
  var announcements: [String] = []
  /// What the agent was told and is to speak about, when it is its turn.
  var informations: [String] = []
  var interrupted: (wish: Wish, rest: String, turn: TurnID)?
  var resumptions = 0

  var utterance: Int?
  var wasInterrupting = false
  /// Utterances that are over, and results that came: the n-th result is the n-th utterance's.
  var ended = 0
  var answered = 0
  var abandoned: Set<Int> = []
  var lengths: [Int: Int] = [:]
  /// When the utterances began that the recogniser has not answered for.
  var beginnings: [Int: Duration] = [:]
  var digits = ""
  var silences = 0

  var tools: Set<String> = []
  var results: [ToolResult] = []

  var timers: [Timer: Duration] = [:]
  var toldSpeaking = false

  /// - Parameters:
  ///   - isComplete: Whether keys are a whole answer.
  ///   - canHangUp: Whether the engine lets the agent end the call.
  init(
    settings: PipelineSettings, transcript: [TranscriptEntry], firstTurn: TurnID, canHangUp: Bool,
    isComplete: @escaping @Sendable (String) -> Bool
  ) {
    self.settings = settings
    self.transcript = transcript.suffix(PipelineLimit.transcript)
    self.canHangUp = canHangUp
    self.isComplete = isComplete
    nextTurn = firstTurn
  }

  /// The earliest deadline.
  var deadline: Duration? { timers.values.min() }

  mutating func handle(_ event: Event, at now: Duration) -> [Action] {
    guard !isClosed else { return [] }
    var actions: [Action]
    switch event {
    case .prepare: actions = prepare(at: now)
    case .command(let command): actions = handle(command, at: now)
    case .digit(let key, let abandoned): actions = press(key, abandoned, at: now)
    case .speechStarted(let number): actions = speechStarted(number, at: now)
    case .speechEnded(let number, let length): actions = speechEnded(number, length, at: now)
    case .recognition(let event): actions = handle(event, at: now)
    case .turn(let id, let event): actions = handle(event, of: id, at: now)
    case .tick: actions = tick(at: now)
    }
    if !isClosed { actions += settle(at: now) }
    return actions
  }

  private mutating func handle(_ command: VoiceCommand, at now: Duration) -> [Action] {
    switch command {
    case .begin: return begin(at: now)
    case .say(let text): return say(text, at: now)
    case .digit(let key): return press(key, nil, at: now)
    case .toolResult(let result): return take(result)
    case .inform(let text, let responds): return inform(text, responds: responds, at: now)
    case .truncate(let turn, let played): return truncate(turn, played, at: now)
    case .played(let turn):
      audible.removeAll { $0.id == turn }
      return startWaiting(at: now)
    case .held(let held):
      isHeld = held
      return []
    case .close: return close()
    }
  }

  // MARK: The whole conversation

  /// A conversation that takes over from another says nothing before it is told to begin.
  private mutating func prepare(at now: Duration) -> [Action] {
    transcript.isEmpty && current == nil && !isBegun ? start(.respond(.greeting), at: now) : []
  }

  private mutating func begin(at now: Duration) -> [Action] {
    guard !isBegun else { return [] }
    var actions = open(at: now)
    if current == nil, audible.isEmpty { actions += start(.respond(opening()), at: now) }
    return actions
  }

  /// What the caller said or pressed last, when the agent before us did not answer it.
  private mutating func opening() -> TextRequest.Prompt {
    let words = transcript.lastIndex { entry in
      entry.speaker != .system && (entry.kind == .speech || entry.kind == .digits)
    }
    guard let words else { return .greeting }
    guard transcript[words].speaker == .caller else { return .takeover }
    let last = transcript.remove(at: words)
    return last.kind == .digits ? .digits(last.text) : .speech(last.text, confidence: last.confidence)
  }

  private mutating func open(at now: Duration) -> [Action] {
    isBegun = true
    startedAt = now
    let reports = withheld.map(Action.report)
    withheld = []
    if current != nil { timers[.turn] = now + settings.turn }
    for turn in audible { expectPlayback(of: turn, at: now) }
    return [.open] + reports
  }

  private mutating func say(_ text: String, at now: Duration) -> [Action] {
    var actions: [Action] = []
    if !isBegun {  // an announcement instead of a conversation: the greeting is not wanted
      actions += ((current.map { [$0] } ?? []) + audible).map { .cancel($0.id) }
      current = nil
      audible = []
      withheld = []
      transcript.removeAll { $0.turn != nil }
      actions += open(at: now)
    }
    guard !text.isEmpty else { return actions }
    if current == nil { return actions + start(.speak(text, thenHangUp: false), at: now) }
    if announcements.count < PipelineLimit.announcements { announcements.append(text) }
    return actions
  }

  private mutating func inform(_ text: String, responds: Bool, at now: Duration) -> [Action] {
    if responds, informations.count < PipelineLimit.announcements {
      informations.append(text)
    } else {
      append(TranscriptEntry(.system, .note, text, at: time(now)))
    }
    return []
  }

  mutating func fail(_ failure: VoiceFailure) -> [Action] {
    let actions: [Action] = (current.map { [.cancel($0.id)] } ?? []) + [.report(.failed(failure))]
    current = nil
    return actions + close()
  }

  private mutating func close() -> [Action] {
    isClosed = true
    timers = [:]
    let actions: [Action] = current.map { [.cancel($0.id)] } ?? []
    current = nil
    return actions + [.close]
  }

  // MARK: What follows from where we are

  /// Whether the caller hears the agent, or will as soon as it has words.
  var isAgentSpeaking: Bool { current != nil || !audible.isEmpty }

  /// Whether nobody is speaking, thinking or being waited for: it is the caller's turn.
  private var isQuiet: Bool {
    isBegun && !isHeld && !isAgentSpeaking && waiting == nil && utterance == nil && ended == answered
      && digits.isEmpty && tools.isEmpty
  }

  private mutating func settle(at now: Duration) -> [Action] {
    var actions: [Action] = []
    if isBegun, current == nil, waiting == nil, utterance == nil, ended == answered {
      if !announcements.isEmpty {
        actions += start(.speak(announcements.removeFirst(), thenHangUp: false), at: now)
      } else if !informations.isEmpty, audible.isEmpty {
        actions += start(.respond(.information(informations.removeFirst())), at: now)
      } else if !results.isEmpty, tools.isEmpty {
        actions += start(.respond(.toolResults(results)), at: now)
      }
    }
    if audible.isEmpty { timers[.playback] = nil }
    if !isQuiet {
      timers[.silence] = nil
    } else if timers[.silence] == nil, silences <= settings.maximumSilences {
      timers[.silence] = now + .seconds(settings.silenceTimeout)
    }
    if isAgentSpeaking != toldSpeaking {
      toldSpeaking = isAgentSpeaking
      actions.append(.agentSpeaks(toldSpeaking))
    }
    return actions
  }

  private mutating func tick(at now: Duration) -> [Action] {
    var actions: [Action] = []
    for timer in timers.filter({ $0.value <= now }).sorted(by: { $0.value < $1.value }).map(\.key)
    where !isClosed && timers[timer] != nil {
      timers[timer] = nil
      actions += fire(timer, at: now)
    }
    return actions
  }

  private mutating func fire(_ timer: Timer, at now: Duration) -> [Action] {
    switch timer {
    case .silence: return callerIsSilent(at: now)
    case .digits: return giveDigits(at: now)
    case .recognition: return fail(VoiceFailure(.timedOut, "the recogniser gave no result").of(.recognizer))
    case .turn:
      guard current?.isBeingSpoken == true else {
        return fail(VoiceFailure(.timedOut, "the model gave no more words"))
      }
      return fail(VoiceFailure(.timedOut, "the synthesiser gave no more sound").of(.synthesizer))
    case .interruption: return startWaiting(at: now, evenIfSpeaking: true)
    case .playback:
      audible = []
      return startWaiting(at: now)
    }
  }

  private mutating func callerIsSilent(at now: Duration) -> [Action] {
    silences += 1
    if silences <= settings.maximumSilences { return start(.respond(.silence), at: now) }
    return canHangUp ? start(.speak(settings.farewell, thenHangUp: true), at: now) : []
  }
}
