/// A handle for one call, from any thread. When the call is over, what is asked of it does nothing, or says so.
public protocol SIPCall: Sendable {
  var endpoint: SIPEndpoint { get }
  /// Names the call inside its endpoint.
  var id: SIPCallNumber { get }
}

/// A call's number inside its endpoint; never used twice.
public struct SIPCallNumber: Hashable, Sendable {
  let value: UInt64
}

extension SIPCall {
  /// Ends an established call with BYE. A call that is not up yet is cancelled or refused instead (487, 480).
  /// - Parameter reasons: for the `Reason` field; give Q.850 to tell telephone networks why.
  public func hangUp(_ reasons: [SIPReason] = [], headers: [Header] = []) async {
    await endpoint.hangUp(id, reasons, headers)
  }

  /// ``hangUp(_:headers:)`` without waiting: inline on the endpoint's loop, otherwise in a moment.
  public func hangUp(now reasons: [SIPReason], headers: [Header] = []) {
    endpoint.onLoop { $0.hangUpNow(self.id, reasons, headers) }
  }

  /// Offers a changed session by re-INVITE (RFC 3261 section 14) and waits for the answer; ACK is sent. On 491 it
  /// tries once more after the time of section 14.1. 408 and 481 end the call.
  public func reinvite(sdp: [UInt8], headers: [Header] = []) async -> SIPResponse {
    await endpoint.reinvite(id, sdp, headers)
  }

  /// Sends INFO (RFC 6086) and waits for the answer.
  public func info(contentType: String, body: [UInt8], headers: [Header] = []) async -> SIPResponse {
    await endpoint.requestInCall(id, .info, headers, contentType, body)
  }

  /// Asks the other side to call somebody else (RFC 3515) and waits for its answer: any 2xx is "will try". News come
  /// as ``SIPCallEvent/transferProgress(_:)``, perhaps before this returns. Nobody guarantees that news come at
  /// all: the caller needs a deadline.
  public func refer(_ request: SIPTransferRequest) async -> SIPResponse { await endpoint.refer(id, request) }

  /// Sends any other request in the dialog and waits for the final answer.
  public func request(
    _ method: SIPMethod, headers: [Header] = [], contentType: String? = nil, body: [UInt8] = []
  ) async -> SIPResponse {
    await endpoint.requestInCall(id, method, headers, contentType, body)
  }
}

/// A call that came in.
public struct SIPServerCall: SIPCall {
  public let endpoint: SIPEndpoint
  public let id: SIPCallNumber

  /// Sends 180, or another provisional status of 101 to 199; reliably when the caller requires it (RFC 3262), which
  /// then holds the next one back until PRACK. May be called again.
  public func ring(_ reply: SIPReply = SIPReply(180)) async { await endpoint.ring(id, reply) }

  /// ``ring(_:)`` without waiting: inline on the endpoint's loop, otherwise in a moment.
  public func ring(now reply: SIPReply) { endpoint.onLoop { $0.ringNow(self.id, reply) } }

  /// Answers with 200 and waits for ACK. When the INVITE carried no SDP, `sdp` is our offer.
  /// - Returns: the SDP in the ACK: the answer to our offer, else `nil`.
  /// - Throws: the ending when the call is over: cancelled, no ACK in 32 s (BYE was sent then).
  public func accept(sdp: [UInt8], headers: [Header] = []) async throws(SIPCallOver) -> [UInt8]? {
    try await endpoint.accept(id, sdp, headers)
  }

  /// Answers with 200 and returns; ``SIPCallEvent/acknowledged(sdp:)`` or ``SIPCallEvent/ended(_:)`` follows.
  /// Inline on the endpoint's loop, otherwise in a moment.
  public func accept(now sdp: [UInt8], headers: [Header] = []) {
    endpoint.onLoop { $0.acceptNow(self.id, sdp, headers) }
  }

  /// Refuses with a final status of 300 to 699.
  public func reject(_ reply: SIPReply) async { await endpoint.reject(id, reply) }

  /// ``reject(_:)`` without waiting: inline on the endpoint's loop, otherwise in a moment.
  public func reject(now reply: SIPReply) { endpoint.onLoop { $0.rejectNow(self.id, reply) } }
}

/// A call that we placed.
public struct SIPClientCall: SIPCall {
  public let endpoint: SIPEndpoint
  public let id: SIPCallNumber

  /// Gives the call up before it is answered (CANCEL); one that was answered meanwhile is ended with BYE.
  public func cancel(_ reasons: [SIPReason] = []) async { await endpoint.hangUp(id, reasons, []) }

  /// Sends our answer in ACK, for a call that was placed without an offer.
  public func acknowledge(sdp: [UInt8]) async { await endpoint.acknowledge(id, sdp) }
}

/// The call is over.
public struct SIPCallOver: Error, Sendable {
  public var ending: SIPCallEnding
}

/// A request that waits for our answer. The first answer counts; without one it gets 500 after
/// ``SIPTimers/decision``. May be answered from any thread; on the endpoint's loop the answer leaves at once.
public struct SIPPendingRequest: Sendable {
  public let request: SIPRequest
  let endpoint: SIPEndpoint
  let transaction: SIPTransactionNumber

  public func respond(_ reply: SIPReply) {
    endpoint.onLoop { $0.respond(self.transaction, reply) }
  }
}

/// Names a server transaction inside its endpoint.
struct SIPTransactionNumber: Hashable, Sendable {
  let value: UInt64
}

/// The other side wants to change the session.
public struct SIPOffer: Sendable {
  let pending: SIPPendingRequest
  public var request: SIPRequest { pending.request }
  /// The offer; `nil` asks for ours: the answer then comes with ACK (``SIPCallEvent/acknowledged(sdp:)``).
  public let sdp: [UInt8]?

  /// Agrees: our answer, or our full offer when ``sdp`` is `nil`.
  public func accept(sdp: [UInt8]) { pending.respond(.sdp(200, sdp)) }
  /// Refuses; the session stays as it was. 488 when nothing fits.
  public func reject(_ reply: SIPReply = SIPReply(488)) { pending.respond(reply) }
}

/// The other side asks us to call somebody else. Answer it, then report until a final status.
public struct SIPReferral: Sendable {
  let pending: SIPPendingRequest
  let call: SIPCallNumber
  /// Number of the implicit subscription: the REFER's CSeq.
  let subscription: UInt32
  public var request: SIPRequest { pending.request }
  /// Whom to call.
  public let target: SIPAddress
  /// `Referred-By`, if it is there.
  public let referredBy: SIPAddress?

  /// Agrees with 202; a first NOTIFY (100) follows by itself, as RFC 3515 section 2.4.4 wants.
  public func accept() {
    let referral = self
    pending.endpoint.onLoop { $0.acceptReferral(referral) }
  }
  /// Refuses: 603 by default.
  public func reject(_ reply: SIPReply = SIPReply(603)) { pending.respond(reply) }
  /// Tells how the new call goes: 100 to 199 on the way, 200 to 699 at its end (and the subscription's).
  public func report(_ status: Int, reason: String? = nil) async {
    await pending.endpoint.reportReferral(self, status, reason)
  }
}

/// What to hand over, and to whom.
public struct SIPTransferRequest: Sendable, Hashable {
  /// `Refer-To`: `sip:…` or `tel:…`.
  public var target: SIPURI
  /// `Referred-By`; `nil` is our own address in this call.
  public var referredBy: String?
  public var headers: [Header]
  public init(target: SIPURI, referredBy: String? = nil, headers: [Header] = []) {
    self.target = target
    self.referredBy = referredBy
    self.headers = headers
  }
}

/// A NOTIFY about our REFER.
public struct SIPTransferProgress: Sendable, Hashable {
  /// The status line that the other side reports; `nil` when it ended the subscription without one.
  public var status: Int?
  public var reason: String
  /// Nothing more will be told.
  public var isFinal: Bool
}

/// A call to be placed.
public struct SIPOutgoingCall: Sendable {
  public var target: SIPURI
  /// `From`; its tag is ours to choose.
  public var from: SIPAddress
  /// `To`; `nil` is the target.
  public var to: SIPAddress?
  /// The offer; `nil` asks the other side for its own (late offer).
  public var sdp: [UInt8]?
  public var headers: [Header]
  public var credentials: SIPCredentials?
  /// Where to send it instead of to the target: an outbound proxy, as a loose route.
  public var proxy: SIPURI?
  /// Whether reliable provisional answers are offered (`Supported`) or demanded (`Require`).
  public var reliability: Reliability

  public enum Reliability: Sendable, Hashable { case none, supported, required }

  public init(
    target: SIPURI, from: SIPAddress, to: SIPAddress? = nil, sdp: [UInt8]?, headers: [Header] = [],
    credentials: SIPCredentials? = nil, proxy: SIPURI? = nil, reliability: Reliability = .supported
  ) {
    self.target = target
    self.from = from
    self.to = to
    self.sdp = sdp
    self.headers = headers
    self.credentials = credentials
    self.proxy = proxy
    self.reliability = reliability
  }
}

/// A request outside of any call that we send: REGISTER, OPTIONS, MESSAGE.
public struct SIPOutgoingRequest: Sendable {
  public var method: SIPMethod
  public var target: SIPURI
  public var from: SIPAddress
  public var to: SIPAddress?
  public var headers: [Header]
  public var contentType: String?
  public var body: [UInt8]
  public var credentials: SIPCredentials?
  public var proxy: SIPURI?
  /// Keeps `Call-ID` and counts `CSeq` on over several requests (registrations, RFC 3261 section 10.2); `nil` makes
  /// a new one.
  public var callID: String?
  public var sequence: UInt32?

  public init(
    _ method: SIPMethod, target: SIPURI, from: SIPAddress, to: SIPAddress? = nil, headers: [Header] = [],
    contentType: String? = nil, body: [UInt8] = [], credentials: SIPCredentials? = nil, proxy: SIPURI? = nil,
    callID: String? = nil, sequence: UInt32? = nil
  ) {
    self.method = method
    self.target = target
    self.from = from
    self.to = to
    self.headers = headers
    self.contentType = contentType
    self.body = body
    self.credentials = credentials
    self.proxy = proxy
    self.callID = callID
    self.sequence = sequence
  }
}

/// What we prove ourselves with (RFC 3261 section 22). Never printed.
public struct SIPCredentials: Sendable, Hashable, CustomStringConvertible {
  public var username: String
  public var password: String
  /// Answer only challenges of this realm; `nil` is any.
  public var realm: String?
  public init(username: String, password: String, realm: String? = nil) {
    self.username = username
    self.password = password
    self.realm = realm
  }
  public var description: String { "credentials of \(username)" }
}
