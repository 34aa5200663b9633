/// How far a request may go. What a route file names as a tool must not open a way into the operator's own network.
public struct NetworkReach: Hashable, Sendable, Codable {
  /// Whether every address may be reached.
  public var isUnlimited: Bool
  /// Blocks that may be reached although they are not public.
  public var exceptions: [AddressPrefix]

  public init(isUnlimited: Bool, exceptions: [AddressPrefix] = []) {
    self.isUnlimited = isUnlimited
    self.exceptions = exceptions
  }

  /// Every address: for what the operator wrote for routerd itself.
  public static let anywhere = NetworkReach(isUnlimited: true)
  /// Public addresses only.
  public static let publicOnly = NetworkReach(isUnlimited: false)

  /// The same with further exceptions.
  public func allowing(_ blocks: [AddressPrefix]) -> NetworkReach {
    NetworkReach(isUnlimited: isUnlimited, exceptions: exceptions + blocks)
  }

  /// Whether a numeric address may be reached; what is no address may not.
  public func permits(_ address: some StringProtocol) -> Bool {
    if isUnlimited { return true }
    guard let bits = AddressPrefix.bits(of: Substring(address)) else { return false }
    if exceptions.contains(where: { $0.contains(bits) }) { return true }
    return NetworkReach.isPublic(bits)
  }

  /// Whether the world may be meant by an address: not this host, a link, a private network, a group of hosts, or
  /// nobody (the registries of RFC 6890). An IPv4 address inside an IPv6 one counts as itself.
  static func isPublic(_ bits: UInt128) -> Bool {
    guard !special.contains(where: { $0.contains(bits) }) else { return false }
    for carrier in carriers where carrier.prefix.contains(bits) {
      let inner = UInt128(0xffff) << 32 | (bits >> carrier.shift & 0xffff_ffff)
      return !special.contains { $0.contains(inner) }
    }
    return true
  }

  private static let special: [AddressPrefix] = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20",
    "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
  ].compactMap(AddressPrefix.init)

  /// IPv6 that carries IPv4: NAT64 (RFC 6052), 6to4 (RFC 3056), and the old compatible form (RFC 4291 section 2.5.5.1).
  private static let carriers: [(prefix: AddressPrefix, shift: Int)] = [
    ("64:ff9b::/96", 0), ("2002::/16", 80), ("::/96", 0),
  ].compactMap { text, shift in AddressPrefix(text).map { ($0, shift) } }
}
