/// A question to somebody's own server before a call is answered: `hook:` of a route.
public struct PreAnswerHook: Sendable, Hashable {
  /// What happens when no usable answer came in time.
  public enum Default: String, Sendable, Hashable, Codable {
    /// The call goes where the route says.
    case proceed = "continue"
    /// The call is refused with 503, so that the caller's network tries elsewhere.
    case reject
  }

  public var url: String
  /// Signs the question; never shown.
  public var secret: String?
  /// For the whole exchange; at most ``maximumDeadline``, because the caller hears nothing meanwhile.
  public var deadline: Duration
  public var onFailure: Default
  /// How far the question may go.
  public var reach: NetworkReach

  /// The longest deadline that a route may ask for.
  public static let maximumDeadline = Duration.seconds(5)

  /// A hook with the usual 300 ms.
  public init(
    url: String, secret: String? = nil, deadline: Duration = .milliseconds(300),
    onFailure: Default = .proceed,
    reach: NetworkReach = .publicOnly
  ) {
    self.url = url
    self.secret = secret
    self.deadline = min(deadline, PreAnswerHook.maximumDeadline)
    self.onFailure = onFailure
    self.reach = reach
  }
}

extension PreAnswerHook {
  /// For people: who is asked, how long, and what without an answer. References to secrets stay references.
  var words: String {
    let wait = deadline / .milliseconds(1)
    return "\(url), for \(Int(wait)) ms; without an answer: \(onFailure.rawValue)"
  }
}

/// What a hook's server wants.
public enum PreAnswerAdvice: Sendable, Hashable {
  /// Go on as the route says.
  case proceed
  /// Another agent, or the same one, with overrides of this call's session.
  case agent(String, overrides: JSONValue)
  case transfer(TransferRequest)
  case reject(CallEnd)
}
