/// What goes into a jitter buffer and what comes out.
extension JitterBuffer {
  /// What is known of a packet besides its bytes.
  struct Packet: Equatable {
    /// Without wrapping, as is the timestamp.
    var sequence: Int
    var timestamp: Int
    /// In timestamp units; 0 for what is no audio (a key, comfort noise) but took a sequence number.
    var duration: Int
    var payloadType: UInt8
    var length: Int
  }

  /// What there is to play.
  enum Next: Equatable {
    case packet(Packet)
    /// A packet of this many timestamp units was lost.
    case lost(Int)
    /// Nothing for now: the sender pauses, its packets are late, or a spurt is being gathered.
    case nothing
  }

  /// What became of a packet that was put in.
  enum Outcome: Equatable { case stored, late, duplicate, suspect, restarted }
}
