import RouterCore
import Testing

@testable import TelnyxChannel

@Suite struct TelnyxSignatureTests {
  /// Of test key 1 of RFC 8032.
  static let publicKey = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
  static let issued = 1_768_485_600
  static let body =
    #"{"data":{"record_type":"event","event_type":"call.initiated","id":"11111111-2222-3333-4444-555555555555","occurred_at":"2026-01-15T14:00:00.000000Z","payload":{"call_control_id":"v3:demo","call_leg_id":"leg-demo","call_session_id":"sess-demo","connection_id":"1234567890","client_state":null,"direction":"incoming","from":"+15550100001","to":"+15550100002","state":"parked"}}}"#
  static let signature =
    "pwVa4CwaIhjDVNbsEVU0B3gtDeeZyCVrsyjbeyNlrttXCjXlU23hsBU61CpMcY1+K02C+ucSQz4TvGvt0Zz6DQ=="

  static func account(_ more: [String: JSONValue] = [:]) throws -> TelnyxAccount {
    let settings: [String: JSONValue] = ["apiKey": "KEY", "publicKey": .string(publicKey)]
    return try #require(
      TelnyxAccount(ProviderAccount(name: "t", settings: .object(settings.merging(more) { $1 }))))
  }

  static func request(
    _ signature: String? = signature, _ timestamp: String? = "\(issued)", _ body: String = body
  ) -> HTTPServerRequest {
    let headers = [
      signature.map { Header("Telnyx-Signature-Ed25519", $0) },
      timestamp.map { Header("Telnyx-Timestamp", $0) },
    ]
    return HTTPServerRequest(
      method: "POST", target: "/voip/telnyx?x=1", headers: headers.compactMap { $0 }, body: Array(body.utf8))
  }

  private static let otherKey = Base64.encode(
    Signature.ed25519PublicKey(of: [UInt8](repeating: 7, count: 32)) ?? [])

  @Test func whatTelnyxSignsIsBelieved() throws {
    let ours = try Self.account()
    let other = try Self.account(["publicKey": .string(Self.otherKey)])
    let both = try Self.account(["publicKey": [.string(Self.otherKey), .string(Self.publicKey)]])
    let verdict = TelnyxSignature.verdict(Self.request(), [other, ours, both], now: Self.issued)
    #expect(verdict == .right(accounts: [1, 2]))
    #expect(TelnyxSignature.verdict(Self.request(), [other], now: Self.issued) == .forged)
    #expect(TelnyxSignature.verdict(Self.request(), [], now: Self.issued) == .forged)
  }

  @Test(arguments: [(300, true), (301, false), (-300, true), (-301, false), (-1_768_485_600, false)])
  func timeCounts(_ age: Int, _ isRight: Bool) throws {
    let verdict = TelnyxSignature.verdict(Self.request(), [try Self.account()], now: Self.issued + age)
    #expect(verdict == (isRight ? .right(accounts: [0]) : .stale))
  }

  @Test func whatWasChangedIsNot() throws {
    let accounts = [try Self.account()]
    func verdict(_ request: HTTPServerRequest) -> TelnyxSignature.Verdict {
      TelnyxSignature.verdict(request, accounts, now: Self.issued)
    }
    #expect(verdict(Self.request(nil)) == .unsigned)
    #expect(verdict(Self.request(Self.signature, nil)) == .unsigned)
    #expect(verdict(Self.request(Self.signature, "\(Self.issued)", Self.body + " ")) == .forged)
    #expect(verdict(Self.request(Self.signature, "\(Self.issued + 1)")) == .forged)
    #expect(verdict(Self.request(Self.signature, " \(Self.issued)")) == .forged)
    for timestamp in ["", "-9223372036854775808", "9223372036854775807", "1e9", "x", "١٢٣"] {
      #expect(verdict(Self.request(Self.signature, timestamp)) == .forged)
    }
    for signature in ["", "AAAA", "äöü", Self.signature + "AAAA", "B" + Self.signature.dropFirst()] {
      #expect(verdict(Self.request(signature)) == .forged)
    }
  }

  @Test func accountsNeedAllTheirParts() {
    for settings: JSONValue in [
      [:], ["apiKey": "K"], ["publicKey": .string(Self.publicKey)],
      ["apiKey": "", "publicKey": .string(Self.publicKey)], ["apiKey": "K", "publicKey": "AAAA"],
      ["apiKey": "K", "publicKey": "%"],
    ] {
      #expect(TelnyxAccount(ProviderAccount(name: "t", settings: settings)) == nil)
    }
  }

  @Test(arguments: [
    (nil, "https://api.telnyx.com/v2"), ("https://api.telnyx.com/v2/", "https://api.telnyx.com/v2"),
    ("http://127.0.0.1:9", "http://127.0.0.1:9/v2"),
  ])
  func theVersionIsPartOfTheAddress(_ given: String?, _ url: String) throws {
    #expect(try Self.account(given.map { ["apiURL": .string($0)] } ?? [:]).apiURL == url)
  }
}
