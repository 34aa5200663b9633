import Testing

@testable import RouterCore

@Suite struct RTCPTests {
  static let report = RTCPReport(
    ssrc: 0x1122_3344, fractionLost: 25, lost: -3, highestSequence: 70_000, jitter: 55,
    lastSenderReport: 0xAABB_CCDD, delaySinceSenderReport: 0x1_0000)
  static let info = RTCPSenderInfo(
    ntpTime: 0x0102_0304_0506_0708, timestamp: 99, packets: 1000, octets: 160_000)

  static func read(_ bytes: [UInt8]) -> RTCPPacket.Content? { bytes.withUnsafeBytes { RTCPPacket.read($0) } }

  @Test func whatIsWrittenIsRead() {
    let sent = RTCPPacket.compound(ssrc: 7, sender: Self.info, report: Self.report, name: "routerd-7")
    #expect(sent.count % 4 == 0)
    let content = Self.read(sent)
    #expect(content?.sender?.ssrc == 7)
    #expect(content?.sender?.info == Self.info)
    #expect(content?.reports == [Self.report])
    #expect(content?.isBye == false)
    let bye = RTCPPacket.compound(ssrc: 7, sender: nil, report: nil, name: "", isBye: true)
    #expect(Self.read(bye)?.sender == nil)
    #expect(Self.read(bye)?.isBye == true)
    #expect(Self.read(bye)?.reports.isEmpty == true)
  }

  /// A sender report as RFC 3550 section 6.4.1 draws it.
  @Test func theWireHasTheStandardsForm() {
    let sent = RTCPPacket.compound(ssrc: 0x0A0B_0C0D, sender: Self.info, report: nil, name: "ab")
    #expect(Array(sent.prefix(8)) == [0x80, 200, 0, 6, 0x0A, 0x0B, 0x0C, 0x0D])
    #expect(Array(sent[8..<16]) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(
      Array(sent[28...]) == [0x81, 202, 0, 3, 0x0A, 0x0B, 0x0C, 0x0D, 1, 2, 0x61, 0x62, 0, 0, 0, 0])
  }

  @Test(arguments: 0...40)
  func namesOfAnyLengthAreFramed(length: Int) {
    let sent = RTCPPacket.compound(
      ssrc: 1, sender: nil, report: Self.report, name: String(repeating: "x", count: length))
    #expect(sent.count % 4 == 0)
    #expect(Self.read(sent)?.reports.count == 1)
  }

  @Test(
    arguments: [
      [], [0x80], [0x80, 200, 0, 6, 1, 2, 3, 4], [0x80, 200, 0xFF, 0xFF, 0, 0, 0, 0],
      [0, 200, 0, 1, 0, 0, 0, 0],
      [0x80, 201, 0, 1, 0, 0, 0, 1, 0x40, 201, 0, 0],
    ] as [[UInt8]])
  func brokenLengthsAreRefused(_ bytes: [UInt8]) {
    #expect(Self.read(bytes) == nil)
  }

  @Test func anyBytesAreSurvived() {
    var random = SplitMix(seed: 21)
    let good = RTCPPacket.compound(
      ssrc: 7, sender: Self.info, report: Self.report, name: "routerd-7", isBye: true)
    for _ in 0..<5000 {
      var bytes = good
      for _ in 0..<4 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
      }
      _ = Self.read(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))))
      _ = bytes.withUnsafeBytes { RTPHeader.read($0) }
    }
  }

  // MARK: What is counted

  static func header(_ sequence: Int, _ timestamp: Int, ssrc: UInt32 = 1) -> RTPHeader {
    RTPHeader(
      marker: false, payloadType: 0, sequence: UInt16(truncatingIfNeeded: sequence),
      timestamp: UInt32(truncatingIfNeeded: timestamp), ssrc: ssrc)
  }

  @Test func lossIsCountedOverTheWrap() {
    var statistics = ReceptionStatistics()
    for index in 0..<1000 where index % 10 != 3 {
      statistics.receive(Self.header(65_000 + index, index * 160), clockRate: 8000, arrival: index * 20_000)
    }
    #expect(statistics.totalReceived == 900)
    #expect(statistics.totalLost == 100)
    #expect(abs(statistics.lossFraction - 0.1) < 0.001)
    #expect(statistics.jitter == 0)
    let report = statistics.report()
    let next = statistics.report()
    #expect(report?.lost == 100)
    #expect(report?.fractionLost == 25, "a tenth in 256ths")
    #expect(report?.highestSequence == 65_999)
    #expect(next?.fractionLost == 0, "nothing since")
  }

  @Test func jitterFollowsTheStandard() {
    var statistics = ReceptionStatistics()
    // Every other packet comes 8 ms late: the difference is always 8 ms, and so is what it converges to.
    for index in 0..<500 {
      statistics.receive(
        Self.header(index, index * 160 + 4_294_960_000), clockRate: 8000,
        arrival: index * 20_000 + (index % 2 == 0 ? 0 : 8000))
    }
    #expect(abs(statistics.jitter - 8) < 0.2)
  }

  @Test func reorderedAndDoubledPacketsAreNoLoss() {
    var statistics = ReceptionStatistics()
    for index in [0, 1, 3, 2, 4, 4, 5, 7, 6] {
      statistics.receive(Self.header(index, index * 160), clockRate: 8000, arrival: index * 20_000)
    }
    #expect(statistics.totalLost == 0)
    #expect(statistics.totalReceived == 9)
  }

  @Test func sourcesAddUp() {
    var statistics = ReceptionStatistics()
    for index in 0..<100 {
      statistics.receive(Self.header(index, 0), clockRate: 8000, arrival: 0, isAudio: false)
    }
    for index in 0..<100 where index != 50 {
      statistics.receive(Self.header(9000 + index, 0, ssrc: 2), clockRate: 8000, arrival: 0, isAudio: false)
    }
    for index in 0..<10 {
      statistics.receive(Self.header(40_000 + index, 0, ssrc: 2), clockRate: 8000, arrival: 0, isAudio: false)
    }
    #expect(statistics.totalReceived == 209)
    #expect(statistics.totalLost == 1)
    let report = statistics.report()
    #expect(report?.ssrc == 2)
  }

  // MARK: Reports in time

  @Test func roundTripsAreMeasured() {
    var session = RTCPSession()
    var statistics = ReceptionStatistics()
    statistics.receive(Self.header(1, 1, ssrc: 9), clockRate: 8000, arrival: 0)
    let sender = RTPSender()
    let due = [0, 2_400_000, 2_600_000, 2_700_000].map { session.isDue(at: $0) }
    #expect(due == [false, false, true, false])
    // A second of NTP time is 2^32. We sent a report at 100.0 s; it came back after 0.5 s, of which 0.25 s were theirs.
    let back = RTCPReport(
      ssrc: sender.ssrc, fractionLost: 0, lost: 12, highestSequence: 5, jitter: 0,
      lastSenderReport: 100 << 16,
      delaySinceSenderReport: 0x4000)
    var content = RTCPPacket.Content()
    content.reports = [back]
    content.sender = (9, RTCPSenderInfo(ntpTime: 55 << 32, timestamp: 0, packets: 0, octets: 0))
    session.receive(content, ssrc: sender.ssrc, arrival: 5_000_000, ntp: 100 << 32 | 0x8000_0000)
    #expect(abs((session.roundTrip ?? 0) - 250) < 0.1)
    #expect(session.remoteLost == 12)
    let bytes = session.report(sender, &statistics, at: 6_500_000, ntp: 0)
    let report = Self.read(bytes)?.reports.first
    #expect(report?.ssrc == 9)
    #expect(report?.lastSenderReport == 55 << 16)
    #expect(report?.delaySinceSenderReport == 0x1_8000, "a second and a half in 65536ths")
    #expect(Self.read(bytes)?.sender == nil, "nothing was sent: a receiver's report")
  }

  @Test func reportsAboutOthersAreNotOurs() {
    var session = RTCPSession()
    var content = RTCPPacket.Content()
    content.reports = [Self.report]
    session.receive(content, ssrc: 1, arrival: 0, ntp: 0)
    #expect(session.roundTrip == nil && session.remoteLost == nil)
  }

  /// Points of the E-model: R 93.2 is 4.41; 5 % loss and 200 ms are clearly worse.
  @Test func qualityFallsWithLossAndDelay() {
    #expect(abs(CallQuality.meanOpinionScore(loss: 0, delay: 0) - 4.41) < 0.01)
    #expect(CallQuality.meanOpinionScore(loss: 0, delay: 150) > 4.3)
    let worse = CallQuality.meanOpinionScore(loss: 0.05, delay: 200)
    #expect(worse > 3.3 && worse < 4.0)
    #expect(CallQuality.meanOpinionScore(loss: 1, delay: 5000) >= 1)
    #expect(
      CallQuality.meanOpinionScore(loss: 0.2, delay: 100)
        < CallQuality.meanOpinionScore(loss: 0.1, delay: 100))
  }
}
