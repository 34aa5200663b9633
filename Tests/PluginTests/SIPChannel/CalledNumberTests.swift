import RouterCore
import Testing

@testable import SIPChannel

@Suite struct CalledNumberTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var requestURI = "sip:+15550100@pbx.example"
    var headers: [Header] = []
    var sources: [Trunk.CalledNumberSource]
    var user: String
    var testDescription: String { name }
  }

  /// A registered account: the Request-URI is the contact, the number stands in To.
  static let registered = [Header("To", "<sip:+493090182000@provider.example>")]
  /// A number with diversion behind it, twice diverted.
  static let diverted = [
    Header("To", "<sip:+15550177@carrier.example>"),
    Header("Diversion", "<sip:+15550155@carrier.example>;reason=no-answer;counter=1;privacy=off"),
    Header("Diversion", "<sip:+15550177@carrier.example>;reason=unconditional;counter=1"),
  ]
  static let mobile = [
    Header("To", "<sip:+493090182001@ims.example;user=phone>"),
    Header("P-Called-Party-ID", "<sip:+493090182000@ims.example>"),
  ]

  static let cases = [
    Case(name: "request URI", headers: diverted, sources: [.requestURI], user: "+15550100"),
    Case(
      name: "registered", requestURI: "sip:gw+carrier@10.0.0.7:5060;line=abc", headers: registered,
      sources: [.to], user: "+493090182000"),
    Case(
      name: "escaped, with phone parameters", requestURI: "sip:%2B15550100;npdi@pbx.example;user=phone",
      sources: [.requestURI], user: "+15550100"),
    Case(
      name: "mobile carrier", headers: mobile, sources: [.calledPartyID, .requestURI], user: "+493090182000"),
    Case(
      name: "originally called", headers: diverted, sources: [.diversion, .requestURI], user: "+15550177"),
    Case(
      name: "originally called, by history",
      headers: [
        Header(
          "History-Info",
          "<sip:+15550177@c.example?Reason=SIP%3Bcause%3D486>;index=1, <sip:+15550100@c.example;cause=486>;index=1.1"
        )
      ], sources: [.diversion], user: "+15550177"),
    Case(
      name: "own header, bare", headers: [Header("X-DID", " 5550123 ")], sources: [.header("x-did")],
      user: "5550123"),
    Case(
      name: "own header, an address", headers: [Header("X-DID", "<sip:+15550123@h>")],
      sources: [.header("X-DID")], user: "+15550123"),
    Case(
      name: "the first source that says something", headers: registered,
      sources: [.header("X-DID"), .calledPartyID, .diversion, .to], user: "+493090182000"),
    Case(
      name: "nothing configured fits", requestURI: "sip:10.0.0.7:5060", headers: registered,
      sources: [.calledPartyID], user: "+493090182000"),
    Case(name: "tel", requestURI: "tel:+1-555-0100", sources: [.requestURI], user: "+1-555-0100"),
    Case(name: "nobody at all", requestURI: "sip:10.0.0.7", sources: [.requestURI], user: ""),
  ]

  @Test(arguments: cases) func called(_ each: Case) throws {
    let uri = try #require(SIPURI(each.requestURI))
    let party = calledParty(requestURI: uri, SIPHeaders(each.headers), from: each.sources)
    #expect(party.user == each.user)
  }

  struct DiversionCase: Sendable, CustomTestStringConvertible {
    var name: String
    var headers: [Header]
    var users: [String]
    var testDescription: String { name }
  }

  static let diversions = [
    DiversionCase(name: "none", headers: [], users: []),
    DiversionCase(name: "most recent first", headers: diverted, users: ["+15550155", "+15550177"]),
    DiversionCase(
      name: "in one header", headers: [Header("Diversion", "<sip:1@h>;reason=deflection,<tel:2>")],
      users: ["1", "2"]),
    DiversionCase(
      name: "private", headers: [Header("Diversion", "<sip:1@h>;privacy=full;reason=unknown")],
      users: ["anonymous"]),
    DiversionCase(
      name: "history, out of order",
      headers: [
        Header("History-Info", "<sip:3@h;cause=302>;index=1.1.1"),
        Header("History-Info", "<sip:1@h>;index=1,<sip:2@h;cause=408>;index=1.1"),
      ], users: ["2", "1"]),
    DiversionCase(
      name: "history without diversion",
      headers: [Header("History-Info", "<sip:1@h>;index=1,<sip:1@10.0.0.1>;index=1.1;rc=1")], users: []),
    DiversionCase(
      name: "history, private",
      headers: [
        Header(
          "History-Info", "<sip:1@h?Privacy=history&Reason=SIP%3Bcause%3D302>;index=1,<sip:2@h>;index=1.1")
      ],
      users: ["anonymous"]),
  ]

  @Test(arguments: diversions) func diversion(_ each: DiversionCase) {
    #expect(divertingParties(SIPHeaders(each.headers)).map(\.user) == each.users)
  }
}
