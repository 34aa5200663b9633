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

  /// A packet and what becomes of it, as others have computed it.
  struct Vector: Sendable, CustomTestStringConvertible {
    var suite: SRTPSuite
    var key: String
    /// What follows the header of 12 bytes, and of 8 bytes for RTCP.
    var protected: String
    var control: String
    var testDescription: String { suite.rawValue }
  }

  private static let short = "e1f97a0d3e018be0d64fa32c06de4139" + "0ec675ad498afeebb6960b3aabe6"
  private static let long =
    "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6" + "3b04803de51ee7c96423ab5b78d2"
  private static let salt = "a0a1a2a3a4a5a6a7a8a9aaab"

  /// RTP: the vectors of libsrtp's own tests. RTCP, and AES-256 with GCM: computed with OpenSSL, by RFC 3711 and RFC
  /// 7714, so what they show is that two libraries agree.
  static let vectors = [
    Vector(
      suite: .aes128sha80, key: short, protected: "4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
      control: "7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"),
    Vector(
      suite: .aes128sha32, key: short, protected: "4e55dc4ce79978d88ca4d215949d2402b78d6acc",
      control: "7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"),
    Vector(
      suite: .aes256sha80, key: long, protected: "f1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b",
      control: "b4d0e7a917d24b9faab9d3b6127b3ba680000001e04ac0ec2846f71bd31c"),
    Vector(
      suite: .aes256sha32, key: long, protected: "f1d9de17ff251ff1aa007774b0b4b40da08d9d9a",
      control: "b4d0e7a917d24b9faab9d3b6127b3ba680000001e04ac0ec2846f71bd31c"),
    Vector(
      suite: .gcm128, key: "000102030405060708090a0b0c0d0e0f" + salt,
      protected: "c5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
      control: "c98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001"),
    Vector(
      suite: .gcm256, key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" + salt,
      protected: "0af7f21e8a90bdad7a425c9c31ed4bb1d90238917e7390a2793500e1681acaea",
      control: "8abfafa780070a90e80f9161cf4aac081ed93aaa53c15b0f3ed1a3b984167b0380000001"),
  ]

  @Test(arguments: vectors) func othersComputeTheSame(_ vector: Vector) throws {
    let key = try #require(SRTPKey(vector.suite, bytes: Self.bytes(vector.key)))
    let audio = Self.bytes("800f1234decafbadcafebabe") + Array(repeating: 0xab, count: 16)
    let report = Self.bytes("81c8000bcafebabe") + Array(repeating: 0xab, count: 16)
    let (sender, receiver) = (try #require(SecureRTP(key)), try #require(SecureRTP(key)))
    func apply(_ bytes: [UInt8], _ body: (UnsafeMutableRawBufferPointer) -> Int?) throws -> [UInt8] {
      var buffer = bytes + [UInt8](repeating: 0, count: SecureRTP.overhead)
      let protected = buffer.withUnsafeMutableBytes(body)
      let length = try #require(protected)
      return Array(buffer.prefix(length))
    }
    let protected = try apply(audio) { sender.protect($0, length: audio.count) }
    #expect(protected == audio[..<12] + Self.bytes(vector.protected))
    let control = try apply(report) { sender.protectControl($0, length: report.count) }
    #expect(control == report[..<8] + Self.bytes(vector.control))
    var received = Array(audio[..<12]) + Self.bytes(vector.protected)
    let audioLength = received.withUnsafeMutableBytes { receiver.unprotect($0) }
    #expect(audioLength == audio.count)
    #expect(Array(received.prefix(audio.count)) == audio)
    received = Array(report[..<8]) + Self.bytes(vector.control)
    let reportLength = received.withUnsafeMutableBytes { receiver.unprotectControl($0) }
    #expect(reportLength == report.count)
    #expect(Array(received.prefix(report.count)) == report)
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
  }
}
