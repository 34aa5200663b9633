import RouterCore
import Testing

@testable import VonageChannel

/// Made with Python's `jwt`, as Vonage signs.
@Suite struct VonageSignatureTests {
  static let secret = "demo-signature-secret-0123456789abcdef"
  static let issued = 1_768_485_600
  static let body =
    #"{"from":"15550100001","to":"15550100002","uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab","conversation_uuid":"CON-aaaaaaaa-bbbb-cccc-dddd-0123456789ab"}"#
  static let token =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3Njg0ODU2MDAsImp0aSI6ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjU3MGY2YTkzMjIwYjUwYmFiMmU1MmY4NmE0YzNhMWI2MGIxNjZmNDBkZGIxODg4ODVkNjg5NzA3NDU4MGVjMTAiLCJhcGlfa2V5IjoiYTFiMmMzZDQiLCJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmItY2NjYy1kZGRkLTAxMjM0NTY3ODlhYiJ9.O_jBdIi7FeHcS-PhzruVyrzDCSNlli5cmbV0FkhceBI"

  static func account(_ settings: JSONValue = ["signatureSecret": .string(secret)]) throws -> VonageAccount {
    try #require(VonageAccount(ProviderAccount(name: "v", settings: settings)))
  }

  static func request(_ token: String? = token, _ body: String = body) -> HTTPServerRequest {
    HTTPServerRequest(
      method: "POST", target: "/voip/vonage",
      headers: token.map { [Header("Authorization", "Bearer \($0)")] } ?? [],
      body: Array(body.utf8))
  }

  static func signed(_ claims: JSONValue, secret: String = secret) throws -> String {
    try #require(JSONWebToken.signed(claims, by: .hs256(Array(secret.utf8))))
  }

  @Test func whatVonageSignsIsBelieved() throws {
    let now = Self.issued
    #expect(VonageSignature.verdict(Self.request(), [try Self.account()], now: now) == .right(account: 0))
    let other = try Self.account(["signatureSecret": "another"])
    let precise = try Self.account([
      "signatureSecret": ["old", .string(Self.secret)], "apiKey": "a1b2c3d4",
      "applicationId": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    ])
    #expect(VonageSignature.verdict(Self.request(), [other, precise], now: now) == .right(account: 1))
    #expect(VonageSignature.verdict(Self.request(), [other], now: now) == .forged)
    #expect(VonageSignature.verdict(Self.request(), [], now: now) == .forged)
    let strange = try Self.account(["signatureSecret": .string(Self.secret), "apiKey": "somebody else"])
    #expect(VonageSignature.verdict(Self.request(), [strange], now: now) == .forged)
  }

  @Test(arguments: [(299, true), (300, true), (301, false), (-300, true), (-301, false)])
  func timeCounts(_ age: Int, _ isRight: Bool) throws {
    let verdict = VonageSignature.verdict(Self.request(), [try Self.account()], now: Self.issued + age)
    #expect(verdict == (isRight ? .right(account: 0) : .stale))
  }

  @Test func whatWasChangedIsNot() throws {
    let accounts = [try Self.account()]
    let now = Self.issued
    #expect(VonageSignature.verdict(Self.request(nil), accounts, now: now) == .unsigned)
    #expect(
      VonageSignature.verdict(Self.request(Self.token, Self.body + " "), accounts, now: now) == .tampered)
    #expect(VonageSignature.verdict(Self.request(Self.token + "A"), accounts, now: now) == .forged)
    #expect(VonageSignature.verdict(Self.request("x.y.z"), accounts, now: now) == .forged)
    let bare = try Self.signed(["iat": .integer(now)])
    #expect(VonageSignature.verdict(Self.request(bare), accounts, now: now) == .tampered)
    let timeless = try Self.signed(["payload_hash": .string(Digest.hexadecimal(Digest.hash(Self.body.utf8)))])
    #expect(VonageSignature.verdict(Self.request(timeless), accounts, now: now) == .stale)
  }

  @Test(arguments: [("exp", 1, false), ("exp", 900, true), ("nbf", 4000, false), ("nbf", 0, true)])
  func theTokensOwnLimitsCount(_ claim: String, _ offset: Int, _ isRight: Bool) throws {
    let token = try Self.signed([
      "iat": .integer(Self.issued), claim: .integer(claim == "exp" && offset == 1 ? 1 : Self.issued + offset),
      "payload_hash": .string(Digest.hexadecimal(Digest.hash(Self.body.utf8))),
    ])
    let verdict = VonageSignature.verdict(Self.request(token), [try Self.account()], now: Self.issued)
    #expect(verdict == (isRight ? .right(account: 0) : .stale))
  }

  /// The hash of a GET is over its fields as a JSON object, in their order.
  @Test func queriesAreHashedAsJSON() throws {
    let query =
      "to=15550100002&from=15550100001&conversation_uuid=CON-1&uuid=u%2D1&SipHeader_X-Name=J%C3%BCrgen+%22M%22"
    let json =
      #"{"to":"15550100002","from":"15550100001","conversation_uuid":"CON-1","uuid":"u-1","SipHeader_X-Name":"Jürgen \"M\""}"#
    #expect(VonageSignature.json(FormFields(parsing: query)) == json)
    let token = try Self.signed([
      "iat": .integer(Self.issued), "payload_hash": .string(Digest.hexadecimal(Digest.hash(json.utf8))),
    ])
    var request = HTTPServerRequest(
      method: "GET", target: "/voip/vonage?\(query)", headers: [Header("authorization", "bearer \(token)")])
    #expect(VonageSignature.verdict(request, [try Self.account()], now: Self.issued) == .right(account: 0))
    request.target += "&uuid=2"
    #expect(VonageSignature.verdict(request, [try Self.account()], now: Self.issued) == .tampered)
  }
}
