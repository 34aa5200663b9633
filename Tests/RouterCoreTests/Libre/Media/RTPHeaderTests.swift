import Testing

@testable import RouterCore

@Suite struct RTPHeaderTests {
  static func read(_ bytes: [UInt8]) -> (RTPHeader, Range<Int>)? {
    bytes.withUnsafeBytes { RTPHeader.read($0) }
  }

  static let plain: [UInt8] = [0x80, 0x80 | 8, 0x12, 0x34, 0, 0, 0, 160, 0xDE, 0xAD, 0xBE, 0xEF]

  @Test func whatIsWrittenIsRead() {
    let header = RTPHeader(
      marker: true, payloadType: 101, sequence: 65_535, timestamp: 4_000_000_000, ssrc: 0xDEAD_BEEF)
    var bytes = [UInt8](repeating: 0xAA, count: 20)
    bytes.withUnsafeMutableBytes { header.write(to: $0) }
    let read = Self.read(bytes)
    #expect(read?.0 == header)
    #expect(read?.1 == 12..<20)
  }

  @Test(
    arguments: [
      (plain + [1, 2, 3], 12..<15), (plain, 12..<12),
      ([0x82] + plain.dropFirst() + Array(repeating: 9, count: 8) + [1], 20..<21),  // contributing sources
      ([0x90] + plain.dropFirst() + [0xBE, 0xDE, 0, 1, 9, 9, 9, 9, 7], 20..<21),  // header extension
      ([0xA0] + plain.dropFirst() + [1, 2, 3, 0, 0, 3], 12..<15),  // padding
      ([0xA0] + plain.dropFirst() + [1, 2, 0], 12..<14),  // padding of 0 is against the rule: only itself
    ] as [([UInt8], Range<Int>)])
  func payloadsAreFound(_ bytes: [UInt8], _ expected: Range<Int>) {
    #expect(Self.read(bytes)?.1 == expected)
    #expect(Self.read(bytes)?.0.sequence == 0x1234)
  }

  @Test(
    arguments: [
      [], [0x80], Array(plain.dropLast()), [0x40] + plain.dropFirst(), [0x8F] + plain.dropFirst(),
      [0x90] + plain.dropFirst(), [0x90] + plain.dropFirst() + [0, 0, 0xFF, 0xFF, 1],
      [0xA0] + plain.dropFirst() + [200],
    ] as [[UInt8]])
  func nonsenseIsRefused(_ bytes: [UInt8]) {
    #expect(Self.read(bytes) == nil)
  }

  /// RFC 5761 section 4: with the marker bit, RTCP's types look like payload types 64 to 95.
  @Test func controlIsToldApart() {
    func isControl(_ type: UInt8) -> Bool {
      ([0x80, type] + [UInt8](repeating: 0, count: 10)).withUnsafeBytes { RTPHeader.isRTCP($0) }
    }
    #expect(isControl(200) && isControl(201) && isControl(205))
    #expect(
      !isControl(0) && !isControl(0x80) && !isControl(101) && !isControl(0x80 | 101) && !isControl(0x80 | 127)
    )
  }
}
