import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import TwilioChannel

/// What Twilio's own library signs we accept; what we write it would have written.
@Suite(.serialized) struct TwilioLibraryTests {
  private static func script(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(name)
  }

  private struct Signed: Decodable {
    var origin: String
    var target: String
    var body: String
    var kind: String
    var token: String
    var signature: String
    var algorithm: String
  }

  /// 300 requests with random addresses and fields, signed by `RequestValidator` in all ways that Twilio has.
  @Test func whatItSignsIsAccepted() throws {
    let text = try PythonEnvironment(["twilio"]).run(Self.script("twilio_signer.py"))
    let all = try JSONDecoder().decode([Signed].self, from: Data(text.utf8))
    #expect(all.count == 300)
    for signed in all {
      var headers = [Header("X-Twilio-Signature", signed.signature), Header("Content-Type", signed.kind)]
      if signed.algorithm != "HMAC_SHA1" {
        headers.append(Header("X-Twilio-Webhooks-Signature-Settings", "key=k,algorithm=\(signed.algorithm)"))
      }
      let request = HTTPServerRequest(
        method: "POST", target: signed.target, headers: headers, body: Array(signed.body.utf8),
        origin: signed.origin)
      #expect(TwilioSignature.isValid(request, tokens: [signed.token]), "\(signed)")
      #expect(!TwilioSignature.isValid(request, tokens: [signed.token + "x"]))
      var tampered = request
      tampered.target += "x"
      #expect(!TwilioSignature.isValid(tampered, tokens: [signed.token]))
      tampered = request
      tampered.body += Array("&x=y".utf8)
      #expect(!TwilioSignature.isValid(tampered, tokens: [signed.token]))
    }
  }

  /// Our documents are those that Twilio's builder makes of the same wishes.
  @Test func whatWeWriteItWouldHaveWritten() throws {
    let odd = "https://voice.example.com/a?b=\"1\"&c=<2>'"
    let documents = [
      CallDocument.connect("wss://voice.example.com/m/1", statusCallback: odd),
      CallDocument.reject(isBusy: true),
      CallDocument.reject(isBusy: false), CallDocument.hangUp,
      CallDocument.dial(
        .init(
          .number("+15550107777"), timeout: 30, action: odd, progress: "https://p", callerId: "+15550100001",
          attributes: " answerOnBridge=\"true\"")),
      CallDocument.dial(
        .init(
          .sip("sip:0200@pbx.example.com;x=\"y\"&z"), timeout: 5, action: "https://a", progress: odd,
          callerId: nil, attributes: " answerOnBridge=\"true\"")),
    ]
    let input = try JSONEncoder().encode(documents.map(\.text))
    let answer = try PythonEnvironment(["twilio"]).run(Self.script("twilio_twiml.py"), input: input)
    #expect(answer == "same")
  }
}
