/// Why a call ended, in our words, in SIP's and in the telephone network's.
public struct CallEnd: Hashable, Sendable, Codable {
  /// Our own words; each has one usual status (see ``init(_:text:sipStatus:q850:retryAfter:)``).
  public enum Reason: String, Sendable, Codable, CaseIterable {
    case callerHungUp, agentHungUp, transferred, cancelled
    case rejectedByRoute, noRoute, limitReached, draining, unauthorized, malformed
    case agentUnavailable, noCommonCodec, noAnswer, notAcknowledged
    case mediaLost, sessionExpired, maximumDuration, failed
  }

  public var reason: Reason
  /// The final SIP status of the call, RFC 3261 section 21; 200 for one that was answered.
  public var sipStatus: Int
  /// Cause of Q.850, as the `Reason` header carries it (RFC 3326).
  public var q850: Int
  /// Words for a person: what happened, and to whom. Others may have chosen them: no more than ``maximumText`` bytes.
  public var text: String
  /// Bytes of ``text``.
  public static let maximumText = 1000
  /// Seconds for a `Retry-After` header.
  public var retryAfter: Int?

  /// - Parameters:
  ///   - sipStatus: `nil` takes the usual status of `reason`.
  ///   - q850: `nil` takes the cause that RFC 3398 and practice give the status.
  public init(
    _ reason: Reason, text: String = "", sipStatus: Int? = nil, q850: Int? = nil, retryAfter: Int? = nil
  ) {
    self.reason = reason
    self.sipStatus = sipStatus ?? CallEnd.usualStatus(of: reason)
    self.q850 = q850 ?? CallEnd.cause(ofStatus: self.sipStatus)
    self.text = text.cut(to: CallEnd.maximumText)
    self.retryAfter = retryAfter
  }

  private static func usualStatus(of reason: Reason) -> Int {
    switch reason {
    case .callerHungUp, .agentHungUp, .transferred, .mediaLost, .sessionExpired, .maximumDuration: 200
    case .cancelled: 487
    case .rejectedByRoute: 603
    case .noRoute: 404
    case .limitReached: 486
    case .draining: 503
    case .unauthorized: 403
    case .malformed: 400
    case .agentUnavailable: 503
    case .noCommonCodec: 488
    case .noAnswer: 480
    case .notAcknowledged: 408
    case .failed: 500
    }
  }

  /// The Q.850 cause for a final SIP status (RFC 3398 section 8.2.6.1 and common practice).
  public static func cause(ofStatus status: Int) -> Int {
    switch status {
    case 200..<300, 487: 16
    case 404, 604: 1
    case 486, 600: 17
    case 480: 18
    case 408, 504: 102
    case 410: 22
    case 484: 28
    case 401, 402, 403, 407, 603: 21
    case 488, 606: 88
    case 502: 38
    case 501, 405, 406, 415: 79
    case 482, 483: 25
    case 503: 42
    case 413, 414, 416, 420, 421, 423, 505, 513: 127
    default: 41
    }
  }
}
