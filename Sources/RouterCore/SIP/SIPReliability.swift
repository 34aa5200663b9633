/// The order of reliable provisional responses that we receive (RFC 3262 section 4): each one once, none before the one
/// that it follows.
struct SIPReliableOrder: Hashable, Sendable {
  private(set) var last: UInt32?

  /// Whether a response with this RSeq is the next one, which is confirmed with PRACK and counts.
  mutating func accept(_ rseq: UInt32) -> Bool {
    if let last, rseq != last &+ 1 { return false }
    last = rseq
    return true
  }
}
