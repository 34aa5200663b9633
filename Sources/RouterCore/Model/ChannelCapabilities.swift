/// What a channel can do, as data.
public struct ChannelCapabilities: Sendable, Hashable {
  /// The caller can be handed to somebody else.
  public var transfer: Bool
  /// Keys of the caller are heard.
  public var digits: Bool
  /// Keys can be sent.
  public var sendsDigits: Bool
  /// A reason for a rejection reaches the caller's network.
  public var rejectReasons: Bool
  /// Callers can be handed to an extension (`0200`), not only to a number or an address.
  public var transfersToExtensions: Bool
  public init(
    transfer: Bool = false, digits: Bool = true, sendsDigits: Bool = false, rejectReasons: Bool = false,
    transfersToExtensions: Bool = true
  ) {
    self.transfer = transfer
    self.digits = digits
    self.sendsDigits = sendsDigits
    self.rejectReasons = rejectReasons
    self.transfersToExtensions = transfersToExtensions
  }
}
