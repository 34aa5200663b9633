import RouterCore
import Testing

@testable import SIPChannel

/// Headers as carriers and switches write them; the numbers are invented.
@Suite struct CallerIdentityTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var headers: [Header]
    var isTrusted = true
    var user: String
    var displayName: String?
    var isAnonymous = false
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "From alone", headers: [Header("From", "<sip:+15550100@a.example>;tag=1")], user: "+15550100"),
    Case(
      name: "asserted by the trunk",
      headers: [
        Header("From", #""Ada" <sip:5550100@a.example>;tag=1"#),
        Header("P-Asserted-Identity", "<sip:+15550100@a.example;user=phone>"),
      ], user: "+15550100", displayName: "Ada"),
    Case(
      name: "a stranger asserts",
      headers: [
        Header("From", "<sip:+15550199@b.example>;tag=1"),
        Header("P-Asserted-Identity", "<sip:+15550100@a.example>"),
      ], isTrusted: false, user: "+15550199"),
    Case(
      name: "tel and sip",
      headers: [
        Header("From", "<sip:anonymous@anonymous.invalid>;tag=1"),
        Header("p-asserted-identity", #"<tel:+15550100>, "Shop" <sip:+15550100@ims.example>"#),
      ], user: "+15550100", displayName: "Shop"),
    Case(
      name: "tel alone",
      headers: [Header("From", "<sip:x@y>"), Header("P-Asserted-Identity", "<tel:+4930901820>")],
      user: "+4930901820"),
    Case(
      name: "asserted, but private",
      headers: [
        Header("From", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1"),
        Header("P-Asserted-Identity", "<sip:+15550100@a.example>"), Header("Privacy", "critical; id"),
      ], user: "anonymous", isAnonymous: true),
    Case(
      name: "privacy none",
      headers: [Header("From", "<sip:+15550100@a.example>"), Header("Privacy", "none")], user: "+15550100"),
    Case(
      name: "a nameless assertion",
      headers: [
        Header("From", "<sip:+15550100@a.example>"), Header("P-Asserted-Identity", "<sip:a.example>"),
      ], user: "+15550100"),
    Case(
      name: "Remote-Party-ID of an old switch",
      headers: [
        Header("From", "<sip:asterisk@10.0.0.1>;tag=1"),
        Header("Remote-Party-ID", #""Ada" <sip:2001@10.0.0.1>;party=calling;screen=yes;privacy=off"#),
      ], user: "2001", displayName: "Ada"),
    Case(
      name: "Remote-Party-ID of the called party",
      headers: [
        Header("From", "<sip:2002@10.0.0.1>"), Header("Remote-Party-ID", "<sip:2001@10.0.0.1>;party=called"),
      ], user: "2002"),
    Case(
      name: "Remote-Party-ID, private",
      headers: [
        Header("From", "<sip:2002@10.0.0.1>"), Header("Remote-Party-ID", "<sip:2001@10.0.0.1>;privacy=full"),
      ], user: "anonymous", isAnonymous: true),
    Case(
      name: "anonymous.invalid", headers: [Header("From", "<sip:c8oqz84zk7z@anonymous.invalid>;tag=h")],
      user: "c8oqz84zk7z", isAnonymous: true),
    Case(
      name: "Restricted", headers: [Header("From", "<sip:Restricted@10.1.1.1>")], user: "Restricted",
      isAnonymous: true),
    Case(name: "no user", headers: [Header("From", "<sip:10.1.1.1>")], user: "", isAnonymous: true),
    Case(name: "unreadable", headers: [Header("From", "<<<>")], user: "anonymous", isAnonymous: true),
    Case(name: "missing", headers: [], user: "anonymous", isAnonymous: true),
  ]

  @Test(arguments: cases) func caller(_ each: Case) {
    let headers = SIPHeaders(each.headers)
    let party = callerIdentity(headers, from: headers.address("From"), isTrusted: each.isTrusted)
    #expect(party.user == each.user)
    #expect(party.displayName == each.displayName)
    #expect(party.isAnonymous == each.isAnonymous)
  }
}
