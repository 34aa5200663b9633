/// What RFC 3550 appendix A wants to know of a received stream.
struct ReceptionStatistics {
  private var base: Int?
  private var highest = 0
  private(set) var received = 0
  private var lastTransit: Int?
  private var jitterUnits = 0.0
  private var expectedBefore = 0
  private var receivedBefore = 0
  /// Of earlier sources, when the SSRC changed.
  private var past = (expected: 0, received: 0)
  private(set) var ssrc: UInt32?
  private var clockRate = 8000

  /// Counts a packet. `arrival` is in µs of a steady clock.
  mutating func receive(_ header: RTPHeader, clockRate: Int, arrival: Int, isAudio: Bool = true) {
    if ssrc != header.ssrc { begin(header, clockRate) }
    received += 1
    let step = Int(Int16(bitPattern: header.sequence &- UInt16(truncatingIfNeeded: highest)))
    if step < -1000 || step > 3000 {
      // The source counts anew (appendix A.1); what was is kept.
      past.expected += expected
      past.received += received - 1
      received = 1
      base = Int(header.sequence) + 65536
      highest = base ?? 0
      (expectedBefore, receivedBefore) = (0, 0)
      lastTransit = nil
    } else if step > 0 {
      highest += step
    }
    guard isAudio else { return }  // keys have the timestamp of their beginning: no measure of anything
    let transit = arrival * clockRate / 1_000_000 - Int(header.timestamp)
    if let lastTransit {
      // The difference alone matters, and timestamps wrap.
      let difference = abs(Int(Int32(truncatingIfNeeded: transit - lastTransit)))
      if difference < clockRate * 2 { jitterUnits += (Double(difference) - jitterUnits) / 16 }
    }
    lastTransit = transit
  }

  private mutating func begin(_ header: RTPHeader, _ clockRate: Int) {
    past.expected += expected
    past.received += received
    received = 0
    ssrc = header.ssrc
    self.clockRate = clockRate
    base = Int(header.sequence) + 65536
    highest = base ?? 0
    lastTransit = nil
    jitterUnits = 0
    (expectedBefore, receivedBefore) = (0, 0)
  }

  private var expected: Int { base.map { highest - $0 + 1 } ?? 0 }

  /// Packets of all sources of the call.
  var totalReceived: Int { past.received + received }
  /// Of what the sequence numbers promise, what never came; duplicates can make it too small, never negative.
  var totalLost: Int { max(0, past.expected + expected - totalReceived) }
  /// 0…1.
  var lossFraction: Double {
    let all = past.expected + expected
    return all == 0 ? 0 : Double(totalLost) / Double(all)
  }
  /// Interarrival jitter, milliseconds.
  var jitter: Double { jitterUnits * 1000 / Double(clockRate) }

  /// The block of our next report (section 6.4.1), and the beginning of a new interval.
  mutating func report() -> RTCPReport? {
    guard let ssrc else { return nil }
    let expectedNow = expected - expectedBefore
    let lostNow = expectedNow - (received - receivedBefore)
    (expectedBefore, receivedBefore) = (expected, received)
    let fraction = expectedNow > 0 && lostNow > 0 ? min(255, lostNow * 256 / expectedNow) : 0
    return RTCPReport(
      ssrc: ssrc, fractionLost: UInt8(fraction), lost: Int32(clamping: expected - received),
      highestSequence: UInt32(truncatingIfNeeded: highest - 65536), jitter: UInt32(jitterUnits))
  }
}
