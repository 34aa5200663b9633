/// Something that the test phone does when its turn has come.
public enum PhoneStep: Equatable, Sendable {
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

extension PhoneStep {
  /// The options that are steps, in the order of the command line.
  public static let options = ["--say", "--wav", "--digits", "--pause", "--hold"]

  /// A step as it is given on the command line. Throws when its value makes no sense.
  public init(_ option: String, _ value: String) throws(EmulatorError) {
    switch option {
    case "--say": self = .say(value)
    case "--wav": self = .wav(value)
    case "--digits":
      guard value.allSatisfy({ "0123456789*#ABCDabcd,".contains($0) }) else {
        throw EmulatorError("--digits takes 0-9, *, #, A-D and commas, not '\(value)'")
      }
      self = .digits(value.uppercased())
    default:
      guard let seconds = Int(value), (1...3600).contains(seconds) else {
        throw EmulatorError("\(option) wants seconds from 1 to 3600, not '\(value)'")
      }
      self = option == "--pause" ? .pause(seconds) : .hold(seconds)
    }
  }
}

/// Decides when the test phone does what: pure, driven by what is heard and by the time, in milliseconds since the
/// answer.
///
/// Each step waits until the agent has spoken and fallen silent; an agent that says nothing is waited for only so long.
/// After the last step the agent may answer, then the phone hangs up.
public struct PhoneScript {
  public enum Action: Equatable {
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
  public let patience: Int
  /// How long it waits for a greeting when it has something to say: some agents let the caller begin.
  public let greeting: Int
  /// Whether it keeps the call when the script is over.
  public let stays: Bool
  /// Acts so long after the agent began, though it still speaks: a caller who cuts in.
  public var impatience: Int?
  private var speakingSince: Int?
  private var steps: [PhoneStep]
  private var state = State.listening(since: 0, hasHeard: false)
  private var isAgentSpeaking = false
  private var hasBegun = false

  /// Times are in milliseconds.
  public init(_ steps: [PhoneStep], patience: Int = 8000, greeting: Int? = nil, stays: Bool = false) {
    self.steps = steps
    self.patience = patience
    self.greeting = min(greeting ?? patience, patience)
    self.stays = stays
  }

  /// The agent began to speak.
  public mutating func agentSpoke(at now: Int = 0) {
    isAgentSpeaking = true
    speakingSince = now
    if case .listening(let since, _) = state { state = .listening(since: since, hasHeard: true) }
  }

  /// The agent fell silent.
  public mutating func agentStopped() { isAgentSpeaking = false }

  /// The step that was begun is done. An agent that speaks already has begun its answer: one that we talked over
  /// would have stopped.
  public mutating func stepDone(at now: Int) {
    guard state == .acting else { return }
    state = .listening(since: now, hasHeard: isAgentSpeaking)
  }

  /// What is to be done at this moment; to be asked at every tick.
  public mutating func tick(at now: Int) -> [Action] {
    guard case .listening(let since, let hasHeard) = state else { return [] }
    if isAgentSpeaking {
      guard let impatience, let begun = speakingSince, now - max(begun, since) >= impatience, !steps.isEmpty
      else {
        return []
      }
      return next()
    }
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
