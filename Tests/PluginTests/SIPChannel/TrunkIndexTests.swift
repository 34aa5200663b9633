import RouterCore
import Testing

@testable import SIPChannel

@Suite struct TrunkIndexTests {
  static let index = TrunkIndex([
    Trunk(name: "carrier", addresses: ["203.0.113.0/24", "2001:db8:1::/48"]),
    Trunk(name: "gateway", addresses: ["203.0.113.7"]),
    Trunk(name: "twin", addresses: ["203.0.113.7/32", "not an address", "198.51.100.0/30"]),
    Trunk(name: "six", addresses: ["2001:db8:1::42"]),
    Trunk(
      name: "digest", credentials: .init(username: "gw", password: "secret")),
  ])

  static let cases: [(String, String?)] = [
    ("203.0.113.1", "carrier"), ("203.0.113.255", "carrier"), ("203.0.113.7", "gateway"),
    ("203.0.114.1", nil), ("198.51.100.3", "twin"), ("198.51.100.4", nil),
    ("::ffff:203.0.113.9", "carrier"), ("2001:db8:1:ffff::1", "carrier"), ("2001:DB8:1::42", "six"),
    ("2001:db8:2::1", nil), ("[2001:db8:1::1]", "carrier"), ("2001:db8:1::1%eth0", "carrier"),
    ("nonsense", nil), ("", nil),
  ]

  @Test(arguments: cases) func longestPrefixWins(_ address: String, _ name: String?) {
    #expect(Self.index.trunk(from: address)?.name == name)
  }

  @Test func trunksWithoutAddressesAreFoundByName() {
    #expect(Self.index.byUsername["gw"]?.name == "digest")
    #expect(TrunkIndex([]).trunk(from: "203.0.113.1") == nil)
  }

  @Test func everyAddressIsInTheWholeInternet() {
    let all = TrunkIndex([
      Trunk(name: "four", addresses: ["0.0.0.0/0"]), Trunk(name: "any", addresses: ["::/0"]),
    ])
    #expect(all.trunk(from: "192.0.2.1")?.name == "four")
    #expect(all.trunk(from: "2001:db8::1")?.name == "any")
  }

  @Test(arguments: [
    "", "/", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/33", "1.2.3.4/-1", "+1.2.3.4", "1.2.3.4/", ":",
    ":::",
    "1:2:3:4:5:6:7:8:9", "2001:db8::1::2", "2001:db8::/129", "12345::", "g::", "1:2:3:4:5:6:7::8", "::1.2.3",
  ])
  func noPrefix(_ text: String) { #expect(AddressPrefix(text) == nil) }
}
