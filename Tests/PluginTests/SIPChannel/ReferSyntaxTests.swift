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
    ("", nil), ("http://a", nil), ("sip:", nil), ("sip:a@b>\r\nX: y", nil), ("a\u{0}b", nil), ("é", nil),
    ("sip:a b@c", nil), (String(repeating: "9", count: 600), nil),
  ]

  @Test(arguments: targets) func target(_ text: String, _ uri: String?) {
    #expect(referTarget(text, domain: "pbx.example:5070") == uri)
  }

  static let domains: [(String, String?, String)] = [
    ("sip:+15550100@carrier.example", "sip:1@10.0.0.1:5062", "carrier.example"),
    ("sip:100@10.0.0.1:5061", nil, "10.0.0.1:5061"),
    ("sip:anonymous@anonymous.invalid", "sip:1@10.0.0.1:5062", "10.0.0.1:5062"),
    ("tel:+15550100", nil, "192.0.2.9"),
    ("nonsense", "nonsense", "192.0.2.9"),
  ]

  @Test(arguments: domains) func domain(_ remote: String, _ contact: String?, _ domain: String) {
    #expect(peerDomain(remoteURI: remote, remoteContact: contact, source: "192.0.2.9") == domain)
  }

  static let reports: [([Header], String, TransferMachine.Report?)] = [
    (
      [Header("Event", "refer"), Header("Subscription-State", "active;expires=60")],
      "SIP/2.0 100 Trying\r\n",
      .init(status: 100, reason: "Trying")
    ),
    (
      [Header("Event", "refer;id=7"), Header("Subscription-State", "terminated;reason=noresource")],
      "SIP/2.0 486 Busy Here\r\nTo: <sip:x@y>\r\n",
      .init(sequence: 7, status: 486, reason: "Busy Here", isLast: true)
    ),
    (
      [Header("event", "Refer"), Header("subscription-state", "Terminated")], "",
      .init(status: nil, isLast: true)
    ),
    ([Header("Event", "refer")], "SIP/2.0 200", .init(status: 200)),
    ([Header("o", "refer")], "sip/2.0 200 OK\n", .init(status: 200, reason: "OK")),
    ([Header("Event", "refer")], "HTTP/1.1 200 OK", .init(status: nil)),
    ([Header("Event", "refer")], "SIP/2.0 99999 Big", .init(status: nil)),
    ([Header("Event", "message-summary")], "SIP/2.0 200 OK", nil),
    ([], "SIP/2.0 200 OK", nil),
  ]

  @Test(arguments: reports) func report(
    _ headers: [Header], _ body: String, _ report: TransferMachine.Report?
  ) {
    #expect(transferReport(headers, body: body) == report)
  }
}
