/// Decides whose packets are the call's, and where ours go (symmetric RTP, RFC 4961).
///
/// The address of the SDP counts at once. Another source has to send three packets in a row, while nothing comes from
/// the SDP's, before it is believed; afterwards every other one is a stranger. Pure.
struct RemoteLatch {
  /// A source that is not the SDP's is believed after so many packets in sequence.
  static let probation = 3
  /// A latched source that was silent for so many ticks of 20 ms gives way: to another port of its host, and after a
  /// new description (an open latch) to anybody, sooner.
  static let patience = 100
  static let shortPatience = 25

  /// What a packet is.
  enum Verdict: Equatable {
    case ours
    /// The call's, and those of its source that were candidates before it are, too.
    case oursAtLast
    /// Perhaps the call's: to be kept until more is known. The first of a new source puts the kept ones out.
    case candidate(isFirst: Bool)
    case stranger
  }

  let mode: SymmetricRTP
  /// What the SDP says.
  private(set) var signalled: PacketAddress?
  /// Whose packets are taken.
  private(set) var source: PacketAddress?
  private var candidate: (address: PacketAddress, ssrc: UInt32, next: UInt16, count: Int)?
  private var isOpen = true
  private var ticksSilent = 0

  init(_ mode: SymmetricRTP) { self.mode = mode }

  /// Where packets go; `nil` while nobody knows.
  var target: PacketAddress? {
    guard let source, let signalled, mode == .auto else {
      return mode == .off ? signalled : source ?? signalled
    }
    return signalled.isPrivate || source.isSameHost(as: signalled) ? source : signalled
  }

  /// Takes the address of a new description. A change forgets the source; a repetition lets
  /// another one come in when the source falls silent.
  mutating func signal(_ address: PacketAddress?) {
    if address != signalled { source = nil }
    signalled = address
    candidate = nil
    isOpen = true
  }

  /// A tick without a packet from the source.
  mutating func countSilence() { ticksSilent += ticksSilent < RemoteLatch.patience ? 1 : 0 }

  /// Whose a packet is.
  ///
  /// - Parameter isAuthentic: It was decrypted with the call's key, which no stranger has.
  mutating func judge(_ header: RTPHeader, from address: PacketAddress, isAuthentic: Bool) -> Verdict {
    if address == source {
      ticksSilent = 0
      return .ours
    }
    if address == signalled {
      latch(address)
      return .ours
    }
    guard mayLatch(address) else { return .stranger }
    if isAuthentic {
      latch(address)
      return .ours
    }
    if let known = candidate, known.address == address, known.ssrc == header.ssrc,
      known.next == header.sequence
    {
      candidate = (address, header.ssrc, header.sequence &+ 1, known.count + 1)
      guard known.count + 1 >= RemoteLatch.probation else { return .candidate(isFirst: false) }
      latch(address)
      return .oursAtLast
    }
    candidate = (address, header.ssrc, header.sequence &+ 1, 1)
    return .candidate(isFirst: true)
  }

  /// Whether a packet may be looked at at all; cheap, for what is to be decrypted first.
  func mayBe(from address: PacketAddress) -> Bool {
    address == source || address == signalled || mayLatch(address)
  }

  private func mayLatch(_ address: PacketAddress) -> Bool {
    guard let source else { return mode != .off || signalled == nil }
    guard mode != .off, ticksSilent >= (isOpen ? RemoteLatch.shortPatience : RemoteLatch.patience) else {
      return false
    }
    return isOpen || address.isSameHost(as: source)
  }

  private mutating func latch(_ address: PacketAddress) {
    source = address
    candidate = nil
    isOpen = false
    ticksSilent = 0
  }
}
