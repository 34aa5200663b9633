import RouterCore
import Testing

@testable import SIPChannel

@Suite struct ReferSyntaxTests {
  static let targets: [(String, String?)] = [
    ("0200", "sip:0200@pbx.example:5070"),
    ("+44 20 7946-0001", "sip:+442079460001@pbx.example:5070"),
    ("(020) 7946.0001", "sip:02079460001@pbx.example:5070"),
    ("*98#", "sip:*98%23@pbx.example:5070"),
    ("reception", "sip:reception@pbx.example:5070"),
    ("front desk", "sip:front%20desk@pbx.example:5070"),
    ("reception@hotel.example", "sip:reception@hotel.example"),
    ("sip:reception@hotel.example;transport=tcp", "sip:reception@hotel.example;transport=tcp"),
    ("sips:reception@hotel.example", "sips:reception@hotel.example"),
    ("tel:+442079460001", "tel:+442079460001"),
    ("  sip:a@b  ", "sip:a@b"),
    ("", nil), ("http://a", nil), ("sip:", nil), ("sip:a@b>\r\nX: y", nil), ("a\u{0}b", nil),
    ("zoë", "sip:zo%C3%AB@pbx.example:5070"),
    ("sip:a b@c", nil), (String(repeating: "9", count: 600), nil),
  ]

  @Test(arguments: targets) func target(_ text: String, _ uri: String?) {
    #expect(referTarget(text, domain: "pbx.example:5070").map { "\($0)" } == uri)
  }

  static let domains: [(String, String?, String)] = [
    ("sip:+15550100@carrier.example", "sip:1@10.0.0.1:5062", "carrier.example"),
    ("sip:100@10.0.0.1:5061", nil, "10.0.0.1:5061"),
    ("sip:anonymous@anonymous.invalid", "sip:1@10.0.0.1:5062", "10.0.0.1:5062"),
    ("tel:+15550100", nil, "192.0.2.9:5060"),
    ("nonsense", "nonsense", "192.0.2.9:5060"),
  ]

  @Test(arguments: domains) func domain(_ remote: String, _ contact: String?, _ domain: String) {
    let source = SocketAddress(ip: "192.0.2.9", port: 5060)
    #expect(
      peerDomain(remote: SIPURI(remote), contact: contact.flatMap { SIPURI($0) }, source: source) == domain)
  }
}
