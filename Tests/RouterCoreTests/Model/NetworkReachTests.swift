import RouterCore
import Testing

/// Which addresses tools may reach.
@Suite struct NetworkReachTests {
  static let cases: [(address: String, isPublic: Bool)] = [
    ("8.8.8.8", true), ("203.0.114.1", true), ("2606:4700::1111", true), ("2a00:1450:4001::1", true),
    ("127.0.0.1", false), ("127.255.255.254", false), ("0.0.0.0", false), ("10.0.0.1", false),
    ("172.16.0.1", false), ("172.31.255.255", false), ("172.32.0.1", true), ("192.168.1.1", false),
    ("169.254.169.254", false), ("100.64.0.1", false), ("100.128.0.1", true), ("198.18.0.1", false),
    ("224.0.0.1", false), ("255.255.255.255", false), ("240.0.0.1", false),
    ("::", false), ("::1", false), ("fe80::1", false), ("fe80::1%eth0", false), ("fc00::1", false),
    ("fd12:3456::1", false), ("ff02::1", false), ("2001:db8::1", false), ("2001::1", false),
    ("::ffff:127.0.0.1", false), ("::ffff:7f00:1", false), ("::ffff:8.8.8.8", true), ("[::1]", false),
    ("64:ff9b::7f00:1", false), ("64:ff9b::808:808", true), ("2002:7f00:1::", false),
    ("2002:808:808::1", true),
    ("::7f00:1", false),
    ("localhost", false), ("", false), ("127.1", false), ("0x7f000001", false), ("2130706433", false),
  ]

  @Test(arguments: cases) func onlyPublicAddressesAreReached(address: String, isPublic: Bool) {
    #expect(NetworkReach.publicOnly.permits(address) == isPublic)
    #expect(NetworkReach.anywhere.permits(address))
  }

  @Test func exceptionsAreReached() throws {
    let reach = NetworkReach.publicOnly.allowing([
      try #require(AddressPrefix("10.1.0.0/16")), try #require(AddressPrefix("fd00::/8")),
    ])
    #expect(reach.permits("10.1.2.3") && reach.permits("::ffff:10.1.2.3") && reach.permits("fd12::1"))
    #expect(!reach.permits("10.2.0.1") && !reach.permits("127.0.0.1") && !reach.permits("fc00::1"))
  }
}
