import RouterCore
import Testing

@testable import SIPChannel

/// Which addresses SDP names.
@Suite struct SessionPlanTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var media: String = "{}"
    var listen = "udp:0.0.0.0:5060"
    var advertised: String?
    var isIPv6 = false
    var addresses: [String]
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "what the caller reached", addresses: ["192.0.2.1"]),
    Case(
      name: "what the caller reached, IPv6", listen: "udp:[::]:5060", isIPv6: true, addresses: ["2001:db8::1"]
    ),
    Case(name: "behind NAT", advertised: "203.0.113.7", addresses: ["203.0.113.7"]),
    Case(name: "a name is no address", advertised: "sip.example.com", addresses: ["192.0.2.1"]),
    Case(
      name: "an address for media", media: "{advertise: 203.0.113.8}", advertised: "203.0.113.7",
      addresses: ["203.0.113.8"]),
    Case(name: "bound to one address", media: "{address: 198.51.100.1}", addresses: ["198.51.100.1"]),
    Case(
      name: "both families, the caller's first", media: "{advertise: 203.0.113.8}", listen: "udp:[::]:5060",
      isIPv6: true, addresses: ["2001:db8::1", "203.0.113.8"]),
    Case(
      name: "media is not bound to IPv6", media: "{address: 0.0.0.0, advertise: 203.0.113.8}",
      listen: "udp:[::]:5060",
      isIPv6: true, addresses: ["203.0.113.8"]),
  ]

  @Test(arguments: cases) func addresses(_ each: Case) throws {
    let text = "{listen: [\"\(each.listen)\"], media: \(each.media)}"
    let node = try #require(try YAML.parse(text, file: "sip.yaml"))
    let configuration = try YAMLDecoder.decode(SIPChannel.Configuration.self, from: node)
    let local = each.isIPv6 ? "2001:db8::1" : "192.0.2.1"
    let arrival = SIPArrival(
      transport: .udp, source: SocketAddress(ip: each.isIPv6 ? "2001:db8::9" : "192.0.2.9", port: 5060),
      local: SocketAddress(ip: local, port: 5060), advertisedHost: each.advertised ?? local, listener: 0)
    #expect(wish(configuration, arrival).addresses == each.addresses)
  }
}
