import FoundationEssentials
import RouterCore
import Testing

@testable import SIPChannel

@Suite struct CallAttestationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var headers: [Header]
    var level: Attestation?
    var testDescription: String { name }
  }

  /// An Identity header's value as RFC 8224 section 4 has it, with a signature that nobody checks here.
  static func identity(_ claims: String, type: String = "shaken") -> Header {
    let part = { (text: String) in
      Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        .replacing("=", with: "")
    }
    let token = part(#"{"alg":"ES256","ppt":"\#(type)","typ":"passport"}"#) + "." + part(claims) + ".c2ln"
    return Header("Identity", "\(token);info=<https://cert.example/c.pem>;alg=ES256;ppt=\(type)")
  }

  static func asserted(_ verdict: String) -> Header {
    Header("P-Asserted-Identity", "<sip:+15550100@carrier.example;verstat=\(verdict)>")
  }

  static let claims = #"{"attest":"B","dest":{"tn":["15550100"]},"iat":1700000000,"orig":{"tn":"15550177"}}"#
  static let cases = [
    Case(name: "nothing", headers: [], level: nil),
    Case(name: "verstat without level", headers: [asserted("TN-Validation-Passed")], level: .full),
    Case(name: "verstat with level", headers: [asserted("TN-Validation-Passed-C")], level: .gateway),
    Case(name: "verstat failed", headers: [asserted("TN-Validation-Failed-A")], level: nil),
    Case(name: "not validated", headers: [asserted("No-TN-Validation")], level: nil),
    Case(
      name: "verstat of tel",
      headers: [Header("P-Asserted-Identity", "<tel:+15550100;verstat=TN-Validation-Passed-B>")],
      level: .partial),
    Case(
      name: "verstat in From",
      headers: [Header("From", "<sip:+15550100;verstat=TN-Validation-Passed-A@h>;tag=1")], level: .full),
    Case(
      name: "header of a provider", headers: [Header("X-Twilio-VerStat", "TN-Validation-Passed-A-Diverted")],
      level: .full),
    Case(name: "indicator", headers: [Header("P-Attestation-Indicator", "b")], level: .partial),
    Case(name: "claim", headers: [identity(claims)], level: .partial),
    Case(
      name: "claim behind one of another type",
      headers: [identity(#"{"div":{"tn":"15550100"}}"#, type: "div"), identity(claims)], level: .partial),
    Case(
      name: "the verdict wins over the claim", headers: [identity(claims), asserted("TN-Validation-Failed")],
      level: nil),
    Case(name: "unknown level", headers: [identity(#"{"attest":"Z"}"#)], level: nil),
    Case(name: "no token", headers: [Header("Identity", "a.b")], level: nil),
    Case(name: "no JSON", headers: [Header("Identity", "e30.!!!!.x;info=<x>")], level: nil),
  ]

  @Test(arguments: cases) func level(_ each: Case) {
    let headers = SIPHeaders(each.headers)
    #expect(attestation(headers, from: headers.address("From")) == each.level)
  }
}
