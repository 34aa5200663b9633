/// Where a caller is to be handed to.
public struct TransferRequest: Hashable, Sendable, Codable {
  /// An extension (`0200`), a number, or a `sip:`, `sips:` or `tel:` URI.
  public var target: String
  /// Seconds after which an unanswered transfer counts as failed.
  public var timeout: Int
  public init(target: String, timeout: Int = 30) {
    self.target = target
    self.timeout = timeout
  }
}

/// How a transfer ended.
public enum TransferOutcome: Hashable, Sendable {
  /// The target answered; the caller is no longer ours.
  case completed
  /// The other side refused to transfer at all (status of its answer to our request).
  case refused(status: Int, reason: String)
  /// The target did not answer: busy, declined, unreachable (status of the last report).
  case failed(status: Int, reason: String)
  /// Nothing was heard of it in time.
  case timedOut
  /// The caller hung up while it was under way.
  case callerHungUp
  /// This channel cannot transfer.
  case unsupported
}
