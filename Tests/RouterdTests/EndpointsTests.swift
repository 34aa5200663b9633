import RouterCore
import Testing

@testable import routerd

@Suite struct EndpointsTests {
  private static let snapshot = try? RouteTableLoader.load(
    RouteSource(
      files: [
        .init(
          "main.yaml",
          """
          agents: {shop: {channels: {voip: {}}}}
          providers:
            phone: {type: twilio, accountSid: AC1, authToken: t}
            keyless: {type: vonage, signatureSecret: s}
            keyed: {type: vonage, signatureSecret: s, privateKey: p, applicationId: a}
          routes: []
          """)
      ])
  ).get()

  @Test func everyProviderHasItsAddress() throws {
    let endpoints = Channels.endpoints(try #require(Self.snapshot), at: "https://h")
    #expect(
      endpoints == [
        [
          "provider": "twilio", "accounts": ["phone"], "webhook": "https://h/voip/twilio",
          "news": "https://h/voip/twilio/status",
        ],
        [
          "provider": "vonage", "accounts": ["keyed", "keyless"], "webhook": "https://h/voip/vonage",
          "news": "https://h/voip/vonage/events",
        ],
      ])
  }

  /// What an account can do depends on the keys that it has.
  @Test func accountsDiffer() throws {
    let facts = Channels.facts(try #require(Self.snapshot))
    #expect(Channels.webhookTypes == ["telnyx", "twilio", "vonage"])
    func can(_ words: String) -> Bool? { facts.first { $0.words.contains(words) }?.capabilities.transfer }
    #expect(can("'keyless' at vonage") == false && can("'keyed' at vonage") == true)
    #expect(can("'phone' at twilio") == true && can("the channel sip") == true)
    #expect(facts.allSatisfy { $0.kind == ($0.provider == nil ? .sip : .voip) })
  }

  @Test func thePageSaysWhatIsMissing() {
    let page = EndpointsCommand.text([
      "publicURL": .null, "listens": true,
      "agents": [["agent": "shop", "webhook": "https://HOST/voip/webhook/1"]],
      "providers": [
        [
          "provider": "twilio", "accounts": ["phone"], "webhook": "https://HOST/voip/twilio",
          "news": "https://HOST/n",
        ]
      ],
    ])
    #expect(page.contains("agent shop               https://HOST/voip/webhook/1"), "\(page)")
    #expect(page.contains("provider twilio (phone)  https://HOST/voip/twilio"), "\(page)")
    #expect(page.contains("publicURL"))
    let empty = EndpointsCommand.text(["publicURL": .null, "listens": false, "agents": [], "providers": []])
    #expect(empty.contains("no agent has") && empty.contains("nothing listens"))
  }
}
