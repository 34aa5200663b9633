import Testing

@testable import RouterCore

/// Packets through a sender's and a receiver's context of one key.
@Suite struct SecureRTPTests {
  /// Both contexts, for expectations to use.
  final class Wire {
    let key: SRTPKey
    let sender: SecureRTP
    let receiver: SecureRTP

    init(_ suite: SRTPSuite) throws {
      key = .random(suite)
      sender = try #require(SecureRTP(key))
      receiver = try #require(SecureRTP(key))
    }

    static func packet(_ sequence: Int, ssrc: UInt32) -> [UInt8] {
      var bytes = [UInt8](repeating: 0x55, count: 172)
      bytes.withUnsafeMutableBytes {
        RTPHeader(
          marker: false, payloadType: 0, sequence: UInt16(truncatingIfNeeded: sequence), timestamp: 0,
          ssrc: ssrc
        ).write(to: $0)
      }
      return bytes
    }

    func protected(_ sequence: Int, ssrc: UInt32 = 7) throws -> [UInt8] {
      var bytes = Wire.packet(sequence, ssrc: ssrc) + [UInt8](repeating: 0, count: SecureRTP.overhead)
      let length = try #require(bytes.withUnsafeMutableBytes { sender.protect($0, length: 172) })
      return Array(bytes.prefix(length))
    }

    /// Whether a packet comes out as it went in.
    func passes(_ packet: [UInt8]) -> Bool {
      var packet = packet
      let plain = packet.withUnsafeMutableBytes { receiver.unprotect($0) }
      return plain == 172 && packet[12..<172].allSatisfy { $0 == 0x55 }
    }

    func passes(_ sequence: Int, ssrc: UInt32 = 7) throws -> Bool {
      passes(try protected(sequence, ssrc: ssrc))
    }

    func passesForged(_ sequence: Int, ssrc: UInt32 = 7) -> Bool {
      passes(Wire.packet(sequence, ssrc: ssrc) + [UInt8](repeating: 1, count: 16))
    }
  }

  @Test(arguments: SRTPSuite.allCases)
  func packetsGoThroughAndAreSecret(suite: SRTPSuite) throws {
    let wire = try Wire(suite)
    for sequence in 0..<50 {
      let packet = try wire.protected(sequence)
      #expect(packet.count > 172)
      #expect(!packet[12..<172].contains(Array(repeating: 0x55, count: 8)))
      #expect(wire.passes(packet))
      #expect(!wire.passes(packet), "not twice")
    }
    for position in [0, 1, 3, 8, 12, 100, 171, 173] {
      var packet = try wire.protected(1000 + position)
      packet[position] ^= 0x10
      #expect(!wire.passes(packet), "byte \(position) was changed")
    }
    #expect(!wire.passes([]))
    #expect(!wire.passes(Array(repeating: 0x80, count: 14)))
  }

  /// The counter of wraps is part of the key stream (RFC 3711 section 3.3.1), and packets around it may be lost or late.
  @Test(arguments: SRTPSuite.allCases)
  func wrapsAreCounted(suite: SRTPSuite) throws {
    let wire = try Wire(suite)
    for start in [65_000, 65_000 + 65_536] {
      for sequence in start..<start + 1000 where !(65_530..<65_540).contains(sequence) {
        #expect(try wire.passes(sequence), "\(sequence)")
      }
      // On to the next wrap with a gap that is less than half of the numbers.
      for sequence in stride(from: start + 1000, to: start + 65_000, by: 500) {
        #expect(try wire.passes(sequence))
      }
    }
  }

  /// libre counts a wrap before it has looked at the tag: one forged packet could spoil the call for good.
  @Test func forgedPacketsDoNoHarm() throws {
    let wire = try Wire(.aes128sha80)
    for sequence in 40_000..<40_010 { #expect(try wire.passes(sequence)) }
    for sequence in [0, 100, 7000, 65_535, 40_010, 20_000] { #expect(!wire.passesForged(sequence)) }
    for sequence in 40_010..<40_020 { #expect(try wire.passes(sequence), "\(sequence)") }
    // Forged sources fill libre's list of eight; the real ones have to get through all the same.
    for ssrc in UInt32(100)..<140 { #expect(!wire.passesForged(5, ssrc: ssrc)) }
    #expect(try wire.passes(40_020))
    _ = try wire.passes(1, ssrc: 8)
    #expect(try wire.passes(2, ssrc: 8))
  }

  @Test func reportsAreEncryptedToo() throws {
    for suite in SRTPSuite.allCases {
      let wire = try Wire(suite)
      let report = RTCPPacket.compound(ssrc: 7, sender: nil, report: nil, name: "a name that is secret")
      var bytes = report + [UInt8](repeating: 0, count: SecureRTP.overhead)
      let length = try #require(
        bytes.withUnsafeMutableBytes { wire.sender.protectControl($0, length: report.count) })
      #expect(!Array(bytes[8..<report.count]).elementsEqual(report[8...]))
      var received = Array(bytes.prefix(length))
      let plain = received.withUnsafeMutableBytes { wire.receiver.unprotectControl($0) }
      #expect(plain == report.count && Array(received.prefix(report.count)) == report)
      var forged = Array(bytes.prefix(length))
      forged[length - 1] ^= 1
      let isBelieved = forged.withUnsafeMutableBytes { wire.receiver.unprotectControl($0) } != nil
      #expect(!isBelieved)
    }
  }
}
