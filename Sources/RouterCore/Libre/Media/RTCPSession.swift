internal import CLibreShim

/// Our reports and what the other side's tell (RFC 3550 section 6). Lives on one loop.
struct RTCPSession {
  /// Seconds between reports, at least and at most: five, made uneven so that calls do not report together.
  private static let interval = 2_500_000...7_500_000

  private var nextReport: Int?
  /// The middle of the NTP time in the peer's last sender report, and when it came, µs.
  private var lastSenderReport: (time: UInt32, at: Int)?
  private var packetsBefore: UInt32 = 0
  /// Milliseconds; `nil` before a report of the peer named one of ours.
  private(set) var roundTrip: Double?
  /// Of our packets, what the peer says to have lost in all.
  private(set) var remoteLost: Int?

  /// Whether it is time to report. The first time is half an interval away.
  mutating func isDue(at now: Int) -> Bool {
    guard let due = nextReport else {
      nextReport = now + RTCPSession.interval.lowerBound
      return false
    }
    guard now >= due else { return false }
    nextReport = now + Int.random(in: RTCPSession.interval)
    return true
  }

  /// Our report: a sender's when we sent since the last one, else a receiver's.
  mutating func report(
    _ sender: RTPSender, _ reception: inout ReceptionStatistics, at now: Int, ntp: UInt64, isBye: Bool = false
  ) -> [UInt8] {
    var block = reception.report()
    if let last = lastSenderReport {
      block?.lastSenderReport = last.time
      block?.delaySinceSenderReport = UInt32(truncatingIfNeeded: (now - last.at) * 65536 / 1_000_000)
    }
    let hasSent = sender.packets != packetsBefore
    packetsBefore = sender.packets
    let info = RTCPSenderInfo(
      ntpTime: ntp, timestamp: sender.now, packets: sender.packets, octets: sender.octets)
    return RTCPPacket.compound(
      ssrc: sender.ssrc, sender: hasSent ? info : nil, report: block,
      name: "routerd-" + String(sender.ssrc, radix: 16), isBye: isBye)
  }

  /// Takes the peer's report. `ntp` is the wall clock at `arrival`, µs of the monotonic one.
  mutating func receive(_ content: RTCPPacket.Content, ssrc: UInt32, arrival: Int, ntp: UInt64) {
    if let sender = content.sender {
      lastSenderReport = (UInt32(truncatingIfNeeded: sender.info.ntpTime >> 16), arrival)
    }
    for report in content.reports where report.ssrc == ssrc {
      remoteLost = max(0, Int(report.lost))
      guard report.lastSenderReport != 0 else { continue }
      let way =
        UInt32(truncatingIfNeeded: ntp >> 16) &- report.lastSenderReport &- report.delaySinceSenderReport
      // A wrap-around is a clock that was set, not a way of half a day.
      if way < 0x8000_0000 { roundTrip = Double(way) * 1000 / 65536 }
    }
  }
}
