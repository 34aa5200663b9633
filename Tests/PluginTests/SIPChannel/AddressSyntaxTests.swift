import Testing

@testable import SIPChannel

@Suite struct AddressSyntaxTests {
  struct Case: Sendable {
    var text: String
    var name: String?
    var user: String
    var host: String
    var port: UInt16?
    var parameter: (String, String)?
  }

  static let cases: [Case] = [
    Case(
      text: #""Ada L." <sip:+15550100@carrier.example:5070;user=phone>;tag=1"#, name: "Ada L.",
      user: "+15550100",
      host: "carrier.example", port: 5070, parameter: ("user", "phone")),
    Case(text: "sip:+15550100@carrier.example;tag=abc", user: "+15550100", host: "carrier.example"),
    Case(
      text: "<sip:%2B15550100:secret@[2001:db8::1]:5080>", user: "+15550100", host: "[2001:db8::1]",
      port: 5080),
    Case(text: "<sip:[2001:db8::1]>", user: "", host: "[2001:db8::1]"),
    Case(text: "<sip:carrier.example>", user: "", host: "carrier.example"),
    Case(
      text: "<tel:+1-555-0100;phone-context=example.net>", user: "+1-555-0100", host: "",
      parameter: ("phone-context", "example.net")),
    Case(
      text: "<sip:+15550100;npdi;rn=+15550199@carrier.example;verstat=TN-Validation-Passed>",
      user: "+15550100",
      host: "carrier.example", parameter: ("verstat", "TN-Validation-Passed")),
    Case(
      text: #""a, <b> \"c\"" <SIPS:Bob@Example.com>"#, name: #"a, <b> "c""#, user: "Bob", host: "Example.com"),
    Case(text: "Bob <sip:bob?x@h?Reason=SIP%3Bcause%3D302>", name: "Bob", user: "bob?x", host: "h"),
    Case(text: "<sip:caf%C3%A9@h>", user: "café", host: "h"),
    Case(text: "<sip:100%@h>", user: "100%", host: "h"),
    Case(text: "<sip:%FF@h>", user: "%FF", host: "h"),
  ]

  @Test(arguments: cases) func address(_ each: Case) throws {
    let address = try #require(NameAddress(each.text))
    #expect(address.displayName == each.name)
    #expect(address.uri.user == each.user)
    #expect(address.uri.host == each.host)
    #expect(address.uri.port == each.port)
    if let (name, value) = each.parameter { #expect(address.uri.parameters[name] == value) }
  }

  @Test(arguments: [
    "", "Bob", "<>", "<http://example.com>", "<sip:bob@h", "\"unfinished <sip:a@b>", ";;;", ",",
  ])
  func noAddress(_ text: String) { #expect(NameAddress(text) == nil) }

  @Test func listsAreSplitOutsideOfQuotes() {
    let values = [
      #""a,b" <sip:1@h>;x=1, <sip:2@h;y=",">"#, "<tel:+3>, nonsense, <sip:4@h>",
    ]
    #expect(NameAddress.list(values).map(\.uri.user) == ["1", "2", "+3", "4"])
    #expect(NameAddress.list(values, limit: 2).count == 2)
  }

  @Test func parametersAreBounded() {
    let many = (0..<100_000).map { "p\($0)=v" }.joined(separator: ";")
    let parameters = Parameters(many)
    #expect(parameters["p31"] == "v")
    #expect(parameters["p32"] == nil)
  }
}
