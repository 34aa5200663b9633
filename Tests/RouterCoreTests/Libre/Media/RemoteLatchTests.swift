import RouterCore
import Testing

@testable import RouterCore

@Suite struct RemoteLatchTests {
  static func address(_ ip: String, _ port: UInt16 = 4000) throws -> PacketAddress {
    try #require(PacketAddress(SocketAddress(ip: ip, port: port)))
  }

  /// A latch that expectations can send packets to.
  final class Latch {
    var value: RemoteLatch
    init(_ mode: SymmetricRTP) { value = RemoteLatch(mode) }
    var target: PacketAddress? { value.target }
    func signal(_ address: PacketAddress?) { value.signal(address) }
    func countSilence() { value.countSilence() }
  }

  /// Sends `count` packets in sequence; returns how many were taken.
  static func send(
    _ latch: Latch, _ from: PacketAddress, _ count: Int = 1, first: UInt16 = 100,
    ssrc: UInt32 = 1,
    isAuthentic: Bool = false
  ) -> Int {
    (0..<count).filter { index in
      let header = RTPHeader(
        marker: false, payloadType: 0, sequence: first &+ UInt16(index), timestamp: 0, ssrc: ssrc)
      return latch.value.mayBe(from: from)
        && [.ours, .oursAtLast].contains(latch.value.judge(header, from: from, isAuthentic: isAuthentic))
    }.count
  }

  @Test func theSignalledSourceCountsAtOnce() throws {
    for mode in [SymmetricRTP.off, .auto, .on] {
      let latch = Latch(mode)
      let peer = try Self.address("198.51.100.7")
      latch.signal(peer)
      #expect(latch.target == peer)
      #expect(Self.send(latch, peer) == 1)
      #expect(Self.send(latch, try Self.address("203.0.113.66"), 100) == 0, "\(mode): a stranger")
      #expect(latch.target == peer)
    }
  }

  @Test func offHearsNobodyElse() throws {
    let latch = Latch(.off)
    latch.signal(try Self.address("10.0.0.5"))
    #expect(Self.send(latch, try Self.address("198.51.100.7"), 50) == 0)
    #expect(Self.send(latch, try Self.address("10.0.0.5", 4002), 50) == 0)
  }

  @Test func aPeerBehindNATIsFound() throws {
    let latch = Latch(.auto)
    let outside = try Self.address("198.51.100.7", 61000)
    latch.signal(try Self.address("192.168.1.20"))
    #expect(Self.send(latch, outside, 10) == 8, "three in a row are needed")
    #expect(latch.target == outside)
    #expect(Self.send(latch, try Self.address("203.0.113.66"), 100) == 0)
  }

  @Test func anotherPortOfTheSameHostIsFound() throws {
    let latch = Latch(.auto)
    let mapped = try Self.address("198.51.100.7", 61000)
    latch.signal(try Self.address("198.51.100.7"))
    #expect(Self.send(latch, mapped, 10) == 8)
    #expect(latch.target == mapped)
  }

  @Test func anotherPublicHostIsHeardNotAnswered() throws {
    let (named, other) = (try Self.address("198.51.100.7"), try Self.address("203.0.113.9"))
    let latch = Latch(.auto)
    latch.signal(named)
    #expect(Self.send(latch, other, 10) == 8)
    #expect(latch.target == named)
    let on = Latch(.on)
    on.signal(named)
    #expect(Self.send(on, other, 10) == 8)
    #expect(on.target == other)
    // The SDP's own address wins whenever it speaks.
    #expect(Self.send(latch, named) == 1)
    #expect(Self.send(latch, other, 10) == 0)
  }

  @Test func anUnknownAddressIsLearnt() throws {
    for mode in [SymmetricRTP.off, .auto, .on] {
      let latch = Latch(mode)
      latch.signal(nil)
      #expect(latch.target == nil)
      #expect(Self.send(latch, try Self.address("198.51.100.7"), 5) == 3)
      #expect(latch.target == (mode == .off ? nil : try Self.address("198.51.100.7")))
    }
  }

  @Test func theFirstPacketsAreKeptUntilMoreIsKnown() throws {
    var latch = RemoteLatch(.auto)
    latch.signal(try Self.address("192.168.1.20"))
    let (peer, other) = (try Self.address("198.51.100.7"), try Self.address("198.51.100.8"))
    var verdicts: [RemoteLatch.Verdict] = []
    for (address, sequence) in [(peer, 1), (peer, 2), (other, 9), (peer, 3), (peer, 4), (peer, 5), (peer, 6)]
    {
      let header = RTPHeader(
        marker: false, payloadType: 0, sequence: UInt16(sequence), timestamp: 0, ssrc: 1)
      verdicts.append(latch.judge(header, from: address, isAuthentic: false))
    }
    #expect(
      verdicts == [
        .candidate(isFirst: true), .candidate(isFirst: false), .candidate(isFirst: true),
        .candidate(isFirst: true), .candidate(isFirst: false), .oursAtLast, .ours,
      ])
  }

  @Test func noiseIsNoSource() throws {
    let latch = Latch(.on)
    latch.signal(nil)
    let noisy = try Self.address("203.0.113.66")
    for sequence in stride(from: UInt16(0), to: 2000, by: 7) {
      #expect(Self.send(latch, noisy, first: sequence) == 0)
    }
    for ssrc in UInt32(0)..<50 { #expect(Self.send(latch, noisy, 2, ssrc: ssrc) == 0) }
  }

  @Test func authenticPacketsNeedNoProbation() throws {
    let latch = Latch(.auto)
    latch.signal(try Self.address("10.0.0.1"))
    #expect(Self.send(latch, try Self.address("198.51.100.7"), isAuthentic: true) == 1)
  }

  @Test func aChangedAddressStartsAnew() throws {
    let latch = Latch(.auto)
    let (old, new) = (try Self.address("198.51.100.7"), try Self.address("198.51.100.8"))
    latch.signal(old)
    _ = Self.send(latch, old)
    latch.signal(new)
    #expect(latch.target == new)
    #expect(Self.send(latch, new) == 1)
    #expect(Self.send(latch, old, 10) == 0)
  }

  @Test func aSilentSourceGivesWay() throws {
    let latch = Latch(.auto)
    let inside = try Self.address("10.0.0.5")
    let (first, second) = (try Self.address("198.51.100.7", 61000), try Self.address("198.51.100.7", 62000))
    let stranger = try Self.address("203.0.113.66")
    latch.signal(inside)
    _ = Self.send(latch, first, 5)
    #expect(Self.send(latch, second, 5) == 0, "while the first one speaks")
    for _ in 0..<RemoteLatch.patience { latch.countSilence() }
    #expect(Self.send(latch, stranger, 10) == 0, "another host never does")
    #expect(Self.send(latch, second, 5) == 3, "a NAT that forgot its mapping")
    // After a repeated description another host may take over, if the old one is silent.
    latch.signal(inside)
    #expect(Self.send(latch, stranger, 10) == 0)
    for _ in 0..<RemoteLatch.shortPatience { latch.countSilence() }
    #expect(Self.send(latch, stranger, 10) == 8)
  }

  @Test(arguments: [
    ("10.1.2.3", true), ("172.16.0.1", true), ("172.32.0.1", false), ("192.168.0.1", true),
    ("192.169.0.1", false),
    ("100.64.0.1", true), ("100.128.0.1", false), ("169.254.1.1", true), ("127.0.0.1", true),
    ("8.8.8.8", false),
    ("::1", true), ("fd00::1", true), ("fe80::1", true), ("2001:db8::1", false), ("::ffff:10.0.0.1", true),
  ])
  func privateAddresses(_ ip: String, _ isPrivate: Bool) throws {
    #expect(try Self.address(ip).isPrivate == isPrivate)
  }

  @Test func onlyNumericAddressesAreRead() {
    for text in ["", "localhost", "1.2.3", "1.2.3.4.5", "::g", "1.2.3.4 "] {
      #expect(PacketAddress(SocketAddress(ip: text, port: 1)) == nil)
    }
  }
}
