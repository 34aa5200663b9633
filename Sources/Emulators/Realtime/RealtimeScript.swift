internal import RouterCore

/// What a scripted realtime server does in its responses, in order; when the script is over, it says something.
enum RealtimeStep: Hashable, Sendable {
  case say(String)
  /// Calls functions, all in one response: names with their arguments as JSON.
  case tools([Call])
  /// Sends half of its sound and breaks the connection.
  case drop
  /// Sends half of its sound and goes silent.
  case stall
  case close(code: Int, reason: String)
  /// Sends what is no event, over and over.
  case garbage
  /// Sends an hour of sound at once.
  case flood
  /// Begins a response and goes silent.
  case silence
  /// Does not even begin it.
  case nothing
  /// The response fails with this code.
  case fail(String)
  /// The response is incomplete for this reason, without sound.
  case incomplete(String)
  /// An `error` event with this code, and no response.
  case error(String)
  /// One message of 50 MB.
  case big
  /// The session has reached its longest time: an `error` and close 1001.
  case expire

  struct Call: Hashable, Sendable {
    var name: String
    var arguments: String
  }

  static let help = """
    A STEP is what one response does: say:WORDS, tool:NAME {"key": "value"} (several with ' | ' between them), drop, stall,
    close:CODE REASON, garbage, flood, silence, nothing, fail:CODE, incomplete:REASON, error:CODE, big or expire.
    """

  /// Reads a step; `nil` for one that does not exist.
  init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let rest = parts.count > 1 ? parts[1] : ""
    switch parts[0] {
    case "say": self = .say(rest)
    case "tool":
      self = .tools(
        rest.split(separator: " | ").map { call in
          let words = call.split(separator: " ", maxSplits: 1).map(String.init)
          return Call(name: words.first ?? "", arguments: words.count > 1 ? words[1] : "{}")
        })
    case "drop": self = .drop
    case "stall": self = .stall
    case "close":
      let words = rest.split(separator: " ", maxSplits: 1).map(String.init)
      guard let code = words.first.flatMap({ Int($0) }), (1000...4999).contains(code) else { return nil }
      self = .close(code: code, reason: words.count > 1 ? words[1] : "")
    case "garbage": self = .garbage
    case "flood": self = .flood
    case "silence": self = .silence
    case "nothing": self = .nothing
    case "fail": self = .fail(rest)
    case "incomplete": self = .incomplete(rest)
    case "error": self = .error(rest)
    case "big": self = .big
    case "expire": self = .expire
    default: return nil
    }
  }
}

/// Takes the steps of a script in turn, over all connections: a client that comes again goes on where it stopped.
final class RealtimeScript: Sendable {
  private let steps: Lock<[RealtimeStep]>
  private let heard: Lock<[String]>

  init(_ steps: [RealtimeStep], heard: [String]) {
    self.steps = Lock(steps)
    self.heard = Lock(heard)
  }

  func nextStep() -> RealtimeStep? { steps.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

  /// What the caller is taken to have said.
  func nextWords() -> String? { heard.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}
