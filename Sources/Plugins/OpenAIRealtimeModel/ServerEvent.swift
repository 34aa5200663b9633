internal import RouterCore

/// What a realtime server says, in one form for the general-availability and the beta protocol.
///
/// https://platform.openai.com/docs/api-reference/realtime-server-events; what is not listed here needs no reaction.
enum ServerEvent: Hashable {
  /// The session is there. `expiresAt` is Unix seconds.
  case sessionCreated(expiresAt: Double?)
  case sessionUpdated
  /// The caller speaks; `item` is what the turn will be called.
  case speechStarted(item: String)
  case speechStopped
  /// The caller's turn became an item of the conversation.
  case committed(item: String)
  /// The caller's words so far, a piece.
  case heardPiece(item: String, String)
  /// The caller's words so far, all of them.
  case heardSoFar(item: String, String)
  case heard(item: String, String)
  case hearingFailed(item: String, String)
  case responseCreated(id: String)
  /// A piece of what the agent says.
  case saidPiece(response: String, item: String, String)
  /// All that the agent says in one item.
  case said(response: String, item: String, String)
  /// A function call whose arguments are complete.
  case call(response: String, FunctionCall)
  case responseDone(id: String, Outcome)
  case problem(Problem)
  /// A limit of which nothing is left, and the seconds until there is more.
  case exhausted(String, seconds: Double)
  case other(String)

  struct FunctionCall: Hashable {
    var id: String
    /// `nil` where the server does not say it (the beta protocol's `arguments.done`).
    var name: String?
    /// JSON, as the model wrote it.
    var arguments: String
  }

  /// How a response ended.
  struct Outcome: Hashable {
    /// `completed`, `cancelled`, `failed` or `incomplete`.
    var status: String
    /// `turn_detected`, `client_cancelled`, `max_output_tokens`, `content_filter`.
    var reason: String?
    var error: Problem?
    /// The function calls of the response that are complete.
    var calls: [FunctionCall] = []
  }

  /// The server's complaint.
  struct Problem: Hashable {
    var type: String = ""
    var code: String = ""
    var message: String = ""
    /// The event of ours that it is about.
    var eventID: String?

    /// For the log: the vendor's own words.
    var words: String {
      [code.isEmpty ? type : code, message].filter { !$0.isEmpty }.joined(separator: ": ")
    }
  }
}

/// A piece of the agent's sound.
struct SoundDelta {
  var response: String
  var item: String
  var bytes: [UInt8]
}
