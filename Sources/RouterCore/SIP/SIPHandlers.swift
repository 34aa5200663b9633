/// What an endpoint asks its owner. Everything is called on the endpoint's loop, in the order of the wire, and must
/// return at once; what takes time goes into a task.
public struct SIPHandlers: Sendable {
  /// A new call. What it returns decides at once; with ``SIPInvitationDecision/take(_:begin:)`` the caller gets 100 in
  /// time and the call is the owner's to ring, accept or reject.
  public var invitation: @Sendable (SIPInvitation) -> SIPInvitationDecision
  /// A request outside of any call: OPTIONS, NOTIFY, MESSAGE, REGISTER, ….
  public var request: @Sendable (SIPRequest) -> SIPRequestDecision
  /// Whether a stranger may talk to us at all. Asked for each new TCP or TLS connection before a byte is read, and
  /// for each request outside of a dialog before its fields are looked at; `false` is silence.
  public var admits: @Sendable (_ source: SocketAddress, _ transport: SIPTransport) -> Bool
  /// A new call was turned away before anybody was asked: for counting.
  public var turnedAway: @Sendable (SIPTurnedAway) -> Void

  public init(
    invitation: @escaping @Sendable (SIPInvitation) -> SIPInvitationDecision,
    request: @escaping @Sendable (SIPRequest) -> SIPRequestDecision = { _ in .standard },
    admits: @escaping @Sendable (SocketAddress, SIPTransport) -> Bool = { _, _ in true },
    turnedAway: @escaping @Sendable (SIPTurnedAway) -> Void = { _ in }
  ) {
    self.invitation = invitation
    self.request = request
    self.admits = admits
    self.turnedAway = turnedAway
  }
}

/// Why a new call was turned away at once.
public enum SIPTurnedAway: String, Sendable, Hashable {
  /// More comes than can be served (``SIPLimits/delay``): 503 with `Retry-After`.
  case overload
  /// Too many calls are up, or wait for an answer: 503 with `Retry-After`.
  case full
  /// Its address calls too often (``SIPLimits/invitesPerSecond``): 503 with `Retry-After`, or nothing.
  case rate
}

/// A new call, before anybody took it.
public struct SIPInvitation: Sendable {
  public let request: SIPRequest
  /// The offer, also where it is one part of several; `nil` asks for ours.
  public let sdp: [UInt8]?
  /// What is wrong with it: an extension that we do not have (420), a body (415) or an answer (406) in another language
  /// than SDP, too short a session (422). Such a call is refused with this reply whatever its owner decides, unless that
  /// refuses it for a reason of its own, e.g. because it does not know the caller, or ignores it.
  public let refusal: SIPReply?
  /// The handle for all that follows. It does nothing unless the call is taken.
  public let call: SIPServerCall
}

/// What becomes of an invitation.
public enum SIPInvitationDecision: Sendable {
  /// The owner takes it; events of the call go to this handler, on the loop, in order, the last being
  /// ``SIPCallEvent/ended(_:)``. `begin` is called next, on the loop: from there the call may be answered.
  case take(@Sendable (SIPCallEvent) -> Void, begin: (@Sendable () -> Void)? = nil)
  /// A final answer of 300 to 699 at once: 403, 404, 503 with `Retry-After`, 401 with a challenge
  /// (``SIPAuthenticator``).
  case refuse(SIPReply)
  /// No answer at all: for scanners.
  case ignore
}

/// What becomes of a request outside of any call.
public enum SIPRequestDecision: Sendable {
  /// As the standards have it (RFC 3261 section 11 for OPTIONS, 481 for a NOTIFY without a subscription, 489 for
  /// SUBSCRIBE, 405 for the rest).
  case standard
  case reply(SIPReply)
  case ignore
}

/// What happens in a call. Each is delivered once, in the order of the wire.
public enum SIPCallEvent: Sendable {
  /// A provisional answer to a call that we place, 101 to 199; it may carry SDP (early media).
  case progress(SIPResponse)
  /// A call that we placed was answered. ACK was sent, unless we offered nothing: then the response carries the
  /// offer and ``SIPClientCall/acknowledge(sdp:)`` must be called.
  case answered(SIPResponse)
  /// ACK for our 2xx came, also for that to a re-INVITE; with the answer when the offer was ours. Also the answer to a
  /// refresh of the session by re-INVITE, which repeats our last SDP by itself (RFC 4028 section 7.4).
  case acknowledged(sdp: [UInt8]?)
  /// The other side wants to change the session (re-INVITE, or UPDATE with SDP) and waits for an answer.
  case offer(SIPOffer)
  /// INFO: keys, mostly. Must be answered; 200 is right for all that is understood and for an empty one.
  case info(SIPPendingRequest)
  /// The other side asks us to call somebody else (REFER, RFC 3515).
  case referred(SIPReferral)
  /// News of the transfer that we asked for with ``SIPCall/refer(_:)``.
  case transferProgress(SIPTransferProgress)
  /// The call is over. Always the last event.
  case ended(SIPCallEnding)
}

/// How a SIP call ended.
public struct SIPCallEnding: Sendable {
  public enum Cause: String, Sendable, Hashable {
    /// The other side sent BYE.
    case remoteBye
    /// We sent BYE.
    case localBye
    /// The caller gave up before our answer; 487 was sent.
    case cancelled
    /// We refused it.
    case refusedByUs
    /// The other side refused our call; ``SIPCallEnding/response`` says how.
    case refused
    /// We gave up our own call before it was answered.
    case cancelledByUs
    /// No ACK came for our answer (RFC 3261 section 13.3.1.4); BYE was sent.
    case notAcknowledged
    /// Nobody answered the call in time: 480 was sent, or 487 where the caller's invitation had expired, or 408 stands for
    /// what never came.
    case timedOut
    /// No refresh came, or ours was not answered (RFC 4028 section 10); BYE was sent.
    case sessionExpired
    /// The other side no longer knows the call, or could not be reached.
    case lost
    /// The endpoint was closed.
    case closed
  }

  public var cause: Cause
  /// The final SIP status of the call: 200 for one that was up.
  public var status: Int
  /// `Reason` of the BYE or CANCEL that ended it.
  public var reasons: [SIPReason]
  /// The final response to a call that we placed.
  public var response: SIPResponse?

  public init(_ cause: Cause, status: Int, reasons: [SIPReason] = [], response: SIPResponse? = nil) {
    self.cause = cause
    self.status = status
    self.reasons = reasons
    self.response = response
  }
}
