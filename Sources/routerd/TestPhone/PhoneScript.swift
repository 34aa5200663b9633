/// Something that the test phone does when its turn has come.
enum PhoneStep: Equatable, Sendable {
  /// Speaks a sentence.
  case say(String)
  /// Plays a WAV file.
  case wav(String)
  /// Presses keys.
  case digits(String)
  /// Says nothing for so many seconds.
  case pause(Int)
  /// Puts the other side on hold for so many seconds.
  case hold(Int)
}

/// Decides when the test phone does what: pure, driven by what is heard and by the time, in milliseconds since the
/// answer.
///
/// Each step waits until the agent has spoken and fallen silent; an agent that says nothing is waited for only so long.
/// After the last step the agent may answer, then the phone hangs up.
struct PhoneScript {
  enum Action: Equatable {
    case perform(PhoneStep)
    /// The script is over.
    case hangUp
    /// Nobody spoke within the patience: the phone goes on, and says so.
    case goOnInSilence(milliseconds: Int)
  }

  private enum State: Equatable {
    /// Waits for the agent since then.
    case listening(since: Int, hasHeard: Bool)
    /// A step is under way.
    case acting
    case over
  }

  /// How long the phone waits for a first word of an answer, and before it hangs up.
  let patience: Int
  /// How long it waits for a greeting when it has something to say: some agents let the caller begin.
  let greeting: Int
  /// Whether it keeps the call when the script is over.
  let stays: Bool
  private var steps: [PhoneStep]
  private var state = State.listening(since: 0, hasHeard: false)
  private var isAgentSpeaking = false
  private var hasBegun = false

  init(_ steps: [PhoneStep], patience: Int = 8000, greeting: Int? = nil, stays: Bool = false) {
    self.steps = steps
    self.patience = patience
    self.greeting = min(greeting ?? patience, patience)
    self.stays = stays
  }

  /// The agent began to speak.
  mutating func agentSpoke() {
    isAgentSpeaking = true
    if case .listening(let since, _) = state { state = .listening(since: since, hasHeard: true) }
  }

  /// The agent fell silent.
  mutating func agentStopped() { isAgentSpeaking = false }

  /// The step that was begun is done. An agent that speaks already has begun its answer: one that we talked over
  /// would have stopped.
  mutating func stepDone(at now: Int) {
    guard state == .acting else { return }
    state = .listening(since: now, hasHeard: isAgentSpeaking)
  }

  /// What is to be done at this moment; to be asked at every tick.
  mutating func tick(at now: Int) -> [Action] {
    guard case .listening(let since, let hasHeard) = state, !isAgentSpeaking else { return [] }
    if hasHeard { return next() }
    guard now - since >= (hasBegun || steps.isEmpty ? patience : greeting) else { return [] }
    return [.goOnInSilence(milliseconds: now - since)] + next()
  }

  private mutating func next() -> [Action] {
    guard let step = steps.first else {
      state = .over
      return stays ? [] : [.hangUp]
    }
    steps.removeFirst()
    hasBegun = true
    state = .acting
    return [.perform(step)]
  }
}
