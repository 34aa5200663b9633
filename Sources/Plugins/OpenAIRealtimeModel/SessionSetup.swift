internal import RouterCore

/// The beginning of a session on a socket: its greeting, our settings, its agreement. Pure.
struct SessionSetup {
  enum Step: Hashable {
    case wait
    /// Tell it how the session is to be.
    case update
    /// It agreed.
    case ready
    case failed(VoiceFailure)
  }

  static let updateID = "session"

  /// When the session ends by itself, in Unix seconds.
  private(set) var expiresAt: Double?
  private var isUpdated = false
  private var garbage = 0

  mutating func receive(_ message: ServerMessage) -> Step {
    guard case .event(let event) = message else {
      garbage += 1
      let isTooMuch = garbage > ConversationMachine.maximumGarbage
      return isTooMuch
        ? .failed(VoiceFailure(.protocolError, "the server does not speak the protocol")) : .wait
    }
    switch event {
    case .sessionCreated(let expiresAt):
      self.expiresAt = expiresAt
      if isUpdated { return .wait }
      isUpdated = true
      return .update
    case .sessionUpdated: return isUpdated ? .ready : .wait
    case .problem(let problem): return .failed(problem.failure)
    default: return .wait
    }
  }
}

extension ServerEvent.Problem {
  /// What kind of failure it is, for those that are one.
  var failure: VoiceFailure {
    let kind: VoiceFailure.Kind =
      switch code {
      case "insufficient_quota", "billing_hard_limit_reached", "rate_limit_exceeded": .rateLimited
      case "invalid_api_key", "account_deactivated": .unauthorized
      case "session_expired": .closed
      default: type == "authentication_error" ? .unauthorized : .protocolError
      }
    return VoiceFailure(kind, words)
  }

  /// Whether nothing will be better after it: every other error leaves the session as it was.
  var isFatal: Bool {
    [
      "insufficient_quota", "billing_hard_limit_reached", "rate_limit_exceeded", "invalid_api_key",
      "account_deactivated",
    ].contains(code)
  }
}
