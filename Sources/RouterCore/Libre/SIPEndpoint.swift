/// A SIP user agent on one event loop: listeners, transactions, dialogs.
///
/// All state belongs to the loop. Handles (``SIPServerCall``, ``SIPClientCall``) may be used from any thread; from an
/// actor on the same loop a call costs no hop.
public actor SIPEndpoint {
  public nonisolated let loop: EventLoop
  public nonisolated let settings: SIPSettings
  private let log: Log

  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Opens nothing yet; see ``listen(_:)``.
  public init(loop: EventLoop, settings: SIPSettings, log: Log) {
    self.loop = loop
    self.settings = settings
    self.log = log
  }

  /// Opens every listener of the settings and serves until ``close()``.
  /// - Returns: the addresses that were bound, one for each listener in order (ephemeral ports filled in).
  /// - Throws: ``SIPFailure`` naming the listener that could not be opened; the others are closed again.
  @discardableResult
  public func listen(_ handlers: SIPHandlers) async throws(SIPFailure) -> [SocketAddress] {
    throw SIPFailure("not there yet")
  }

  /// The bound addresses, one for each listener.
  public var boundAddresses: [SocketAddress] { [] }

  /// How many calls there are, of any state.
  public var callCount: Int { 0 }

  /// Ends every call (BYE, CANCEL, 503), closes every socket. Must be called before the loop stops.
  public func close() async {}

  /// Places a call. Events go to `events` on the loop, in order, the last being ``SIPCallEvent/ended(_:)`` (also
  /// when nobody can be reached).
  public func call(
    _ outgoing: SIPOutgoingCall, events: @escaping @Sendable (SIPCallEvent) -> Void
  ) -> SIPClientCall {
    SIPClientCall(endpoint: self, id: SIPCallNumber(value: 0))
  }

  /// Sends a request outside of any call and waits for its final response; challenges are answered once. A response
  /// without `arrival` stands for none: 408, 503.
  public func send(_ request: SIPOutgoingRequest) async -> SIPResponse { SIPResponse(status: 503) }

  // MARK: What handles ask

  /// Runs `body` on the loop: at once when the caller is there, otherwise as soon as the loop gets to it.
  nonisolated func onLoop(_ body: @escaping @Sendable (isolated SIPEndpoint) -> Void) {
    if loop.isCurrent {
      assumeIsolated(body)
    } else {
      Task { await body(self) }
    }
  }

  func hangUp(_ id: SIPCallNumber, _ reasons: [SIPReason], _ headers: [Header]) async {}
  func reinvite(_ id: SIPCallNumber, _ sdp: [UInt8], _ headers: [Header]) async -> SIPResponse {
    SIPResponse(status: 481)
  }
  func requestInCall(
    _ id: SIPCallNumber, _ method: SIPMethod, _ headers: [Header], _ contentType: String?, _ body: [UInt8]
  ) async -> SIPResponse { SIPResponse(status: 481) }
  func refer(_ id: SIPCallNumber, _ request: SIPTransferRequest) async -> SIPResponse {
    SIPResponse(status: 481)
  }
  func ring(_ id: SIPCallNumber, _ reply: SIPReply) async {}
  func accept(_ id: SIPCallNumber, _ sdp: [UInt8], _ headers: [Header]) async throws(SIPCallOver) -> [UInt8]?
  {
    throw SIPCallOver(ending: SIPCallEnding(.closed, status: 500))
  }
  func acceptNow(_ id: SIPCallNumber, _ sdp: [UInt8], _ headers: [Header]) {}
  func reject(_ id: SIPCallNumber, _ reply: SIPReply) async {}
  func acknowledge(_ id: SIPCallNumber, _ sdp: [UInt8]) async {}
  func respond(_ transaction: SIPTransactionNumber, _ reply: SIPReply) {}
  func acceptReferral(_ referral: SIPReferral) {}
  func reportReferral(_ referral: SIPReferral, _ status: Int, _ reason: String?) async {}
}

/// Something could not be opened or understood.
public struct SIPFailure: Error, Sendable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
