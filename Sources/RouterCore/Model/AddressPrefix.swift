/// A block of IPv4 or IPv6 addresses, e.g. `203.0.113.0/28`. IPv4 is kept as IPv6's mapped block (`::ffff:0:0/96`),
/// so that a listener on `[::]` sees the same peers.
public struct AddressPrefix: Hashable, Sendable, Codable {
  /// The address with all bits behind ``length`` cleared.
  public let bits: UInt128
  /// 0…128.
  public let length: Int

  /// From an address (its own block) or `address/length`. `nil` when it is neither.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first, let bits = AddressPrefix.bits(of: address) else { return nil }
    let isIPv4 = !address.utf8.contains(UInt8(ascii: ":"))
    var length = 128
    if parts.count == 2 {
      guard let written = Int(parts[1]), (0...(isIPv4 ? 32 : 128)).contains(written) else { return nil }
      length = written + (isIPv4 ? 96 : 0)
    }
    self.bits = bits & AddressPrefix.mask(length)
    self.length = length
  }

  /// Whether a numeric address is in the block; `false` for what is no address.
  public func contains(_ address: String) -> Bool {
    AddressPrefix.bits(of: address).map { $0 & AddressPrefix.mask(length) == bits } ?? false
  }

  /// Whether the 128 bits of an address are in the block.
  public func contains(_ address: UInt128) -> Bool { address & AddressPrefix.mask(length) == bits }

  /// The first `length` of 128 bits.
  public static func mask(_ length: Int) -> UInt128 { length == 0 ? 0 : UInt128.max << (128 - length) }

  /// The 128 bits of a numeric address; brackets and a zone (`%eth0`) are ignored. `nil` when it is none.
  public static func bits(of text: String) -> UInt128? { bits(of: text[...]) }

  /// The same of a part of a text.
  public static func bits(of text: Substring) -> UInt128? {
    if let address = ipv4(text.utf8) { return 0xffff_0000_0000 | UInt128(address) }  // nearly always
    var text = text
    if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
    if let zone = text.firstIndex(of: "%") { text = text[..<zone] }
    if !text.utf8.contains(UInt8(ascii: ":")) {
      return ipv4(text.utf8).map { 0xffff_0000_0000 | UInt128($0) }
    }
    return ipv6(text)
  }

  /// Four numbers of one to three digits, up to 255, with dots between.
  private static func ipv4(_ bytes: Substring.UTF8View) -> UInt32? {
    var value: UInt32 = 0
    var (part, digits, dots): (UInt32, Int, Int) = (0, 0, 0)
    for byte in bytes {
      if byte >= 0x30, byte <= 0x39 {
        part = part * 10 + UInt32(byte - 0x30)
        digits += 1
        guard digits <= 3, part <= 255 else { return nil }
      } else {
        guard byte == UInt8(ascii: "."), digits > 0, dots < 3 else { return nil }
        value = value << 8 | part
        dots += 1
        (part, digits) = (0, 0)
      }
    }
    return dots == 3 && digits > 0 ? value << 8 | part : nil
  }

  /// RFC 4291 section 2.2, with the three forms: full, `::`, and IPv4 at the end.
  private static func ipv6(_ text: Substring) -> UInt128? {
    var text = String(text)
    if let colon = text.lastIndex(of: ":"), text[colon...].contains(".") {
      guard let tail = ipv4(text[text.index(after: colon)...].utf8) else { return nil }
      let groups = [tail >> 16, tail & 0xffff].map { String($0, radix: 16) }.joined(separator: ":")
      text = text[...colon] + groups
    }
    let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
    guard halves.count <= 2, let head = groups(halves[0]) else { return nil }
    guard halves.count == 2 else { return head.count == 8 ? join(head) : nil }
    guard let tail = groups(halves[1]), head.count + tail.count < 8 else { return nil }
    return join(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
  }

  private static func groups(_ text: Substring) -> [UInt16]? {
    if text.isEmpty { return [] }
    var groups: [UInt16] = []
    for part in text.split(separator: ":", maxSplits: 8, omittingEmptySubsequences: false) {
      guard part.utf8.count <= 4, part.first != "+", let group = UInt16(part, radix: 16) else { return nil }
      groups.append(group)
    }
    return groups
  }

  private static func join(_ groups: [UInt16]) -> UInt128 {
    groups.reduce(0) { $0 << 16 | UInt128($1) }
  }
}
