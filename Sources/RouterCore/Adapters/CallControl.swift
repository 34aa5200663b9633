/// What a provider is asked to do with one call that it announced: by the reply to its webhook, or by REST.
///
/// The leg that owns it (``WebhookLeg``) asks in a sensible order, each thing at most once at a time; nothing here has
/// to remember the call's state.
public protocol CallControl: Sendable {
  /// Tells the caller's network that somebody is looked for, where the provider can.
  func ring() async
  /// Has the provider answer the call and connect its media socket. Returns when it was asked; the socket comes later.
  /// Throws ``LegError`` when the provider refuses.
  func answer(_ socket: MediaSocketInvitation) async throws
  /// Refuses a call that was not answered.
  func reject(_ end: CallEnd) async
  /// Ends an answered call. The media socket may be closed already.
  func hangUp(_ end: CallEnd) async
  /// Hands the caller over; returns when the outcome is known. Where the provider takes the sound away meanwhile, it
  /// brings it back to `socket` when nobody answered.
  func transfer(_ request: TransferRequest, _ socket: MediaSocketInvitation) async -> TransferOutcome
  /// Presses keys; `false` when they have to be played as tones.
  func sendDigits(_ digits: String) async -> Bool
}

extension CallControl {
  public func ring() async {}
  public func transfer(_ request: TransferRequest, _ socket: MediaSocketInvitation) async -> TransferOutcome {
    .unsupported
  }
  public func sendDigits(_ digits: String) async -> Bool { false }
}

/// Where a provider is to connect a call's media socket.
public struct MediaSocketInvitation: Sendable, Hashable {
  /// `wss:` (or `ws:`), without a query. It names the call, nobody can guess it, and it serves for one socket.
  public var url: String
  /// The same secret alone, for providers that hand parameters through.
  public var token: String

  public init(url: String, token: String) {
    self.url = url
    self.token = token
  }
}
