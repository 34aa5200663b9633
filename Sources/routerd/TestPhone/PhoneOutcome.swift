internal import RouterCore

/// How a test call ended, for the last line and for the shell.
struct PhoneOutcome: Sendable, Equatable {
  var code: ExitCode
  /// For a person.
  var words: String

  /// From the ending of the SIP call.
  ///
  /// - Parameters:
  ///   - wasAnswered: Whether the call was up at some time.
  ///   - heardSeconds: Seconds of the call, and whether any packet came in them.
  ///   - gaveUp: Why we ended it before it was answered, if we did.
  init(_ ending: SIPCallEnding, wasAnswered: Bool, isSilent: Bool, gaveUp: GivingUp?) {
    let response = ending.response.map { "\($0.status) \($0.reason)" } ?? "\(ending.status)"
    switch (ending.cause, gaveUp) {
    case (_, .interrupted?) where !wasAnswered:
      self.init(.interrupted, "given up by Ctrl-C")
    case (_, .unanswered?) where !wasAnswered:
      self.init(.noAnswer, "nobody answered in time")
    case (_, .sdp(let why)?):
      self.init(.failure, "the answer cannot be used: \(why)")
    case (.refused, _), (.timedOut, _), (.lost, _), (.cancelledByUs, _), (.cancelled, _), (.refusedByUs, _):
      if wasAnswered {
        self.init(.unavailable, "the other side was lost")
      } else if ending.response?.arrival == nil {
        self.init(.unavailable, ending.response?.problem ?? "nothing was heard from the called address")
      } else {
        self.init(PhoneOutcome.code(ofStatus: ending.status), "refused: \(response)")
      }
    case (.remoteBye, _), (.localBye, _), (.closed, _):
      let who = ending.cause == .remoteBye ? "the other side hung up" : "we hung up"
      let reasons =
        ending.reasons.isEmpty ? "" : " (\(ending.reasons.map(\.description).joined(separator: ", ")))"
      self.init(isSilent ? .noMedia : .success, who + reasons + (isSilent ? "; no sound came" : ""))
    case (.notAcknowledged, _), (.sessionExpired, _):
      self.init(.unavailable, "the call was lost: \(ending.cause.rawValue)")
    }
  }

  init(_ code: ExitCode, _ words: String) {
    self.code = code
    self.words = words
  }

  /// Why we ended a call ourselves.
  enum GivingUp: Sendable, Equatable {
    case interrupted
    case unanswered
    /// What was wrong with the other side's SDP.
    case sdp(String)
  }

  /// The exit code for a final status that refused a call (RFC 3261 section 21).
  static func code(ofStatus status: Int) -> ExitCode {
    switch status {
    case 486, 600: .busy
    case 408, 480, 487: .noAnswer
    case 500..<600: .serverFailure
    default: .rejected
    }
  }
}
