import FoundationEssentials
import Testing

@testable import RouterCore

/// What `check` says about routes and the channels that their calls come in by.
@Suite struct ChannelLintTests {
  private static let channels = [
    ChannelFacts(
      kind: .sip, words: "the channel sip", ChannelCapabilities(transfer: true, rejectReasons: true)),
    ChannelFacts(
      kind: .voip, provider: "bell", words: "the account 'keyless' at bell",
      ChannelCapabilities(rejectReasons: true)),
    ChannelFacts(
      kind: .voip, provider: "ringer", words: "the account 'main' at ringer",
      ChannelCapabilities(transfer: true)),
    ChannelFacts(
      kind: .voip, provider: "bare", words: "the account 'homeless' at bare",
      ChannelCapabilities(transfer: true, rejectReasons: true, transfersToExtensions: false)),
  ]
  private static let agents = """
    agents:
      a: {}
      b: {humanHandoff: {enabled: true, transferExtension: "0200", transferDescription: When asked}}
      c: {fallback: [b]}
      d: {fallback: [{transfer: sip:x@example.com}]}
    """

  @Test(arguments: [
    (
      "{provider: bell}, agent: b",
      "route x: its agent b hands callers to a person, which the account 'keyless' at bell cannot do"
    ),
    ("{channel: voip}, agent: b", "the account 'keyless' at bell cannot do"),
    (
      "{provider: bell}, transfer: +15550100009",
      "route x: it transfers its calls, which the account 'keyless' at bell"
    ),
    (
      "{provider: ringer}, reject: 486",
      "route x: it tells callers that it is busy, which the account 'main' at ringer"
    ),
    (
      "{channel: [sip, voip]}, agent: a, fallback: [{agent: b}]",
      "which the account 'keyless' at bell cannot do"
    ),
    (
      "{provider: bell}, agent: c",
      "its agent b hands callers to a person, which the account 'keyless' at bell cannot do"
    ),
    (
      "{provider: bell}, agent: d",
      "its agent d hands callers over when its backend fails, which the account 'keyless'"
    ),
    (
      "{provider: bare}, agent: c",
      "its agent b hands callers to a person, to the extension 0200, which the account 'homeless' at bare cannot reach"
    ),
    (
      "{provider: bare}, transfer: 0200",
      "it transfers its calls, to the extension 0200, which the account 'homeless'"
    ),
    ("{provider: bare}, agent: d", nil), ("{provider: bare}, transfer: +15550100009", nil),
    ("{provider: bell}, agent: a", nil), ("{provider: ringer}, agent: b", nil),
    ("{channel: sip}, agent: b", nil),
    ("{to: 100}, agent: b", nil), ("{provider: bell}, reject: 486", nil),
    ("{provider: ringer}, reject: 404", nil),
    ("{channel: sip, provider: bell}, agent: b", nil),
  ])
  func whatAChannelCannotDo(_ route: String, _ warning: String?) throws {
    let snapshot = try Fixture.snapshot("\(Self.agents)\nroutes:\n- {name: x, match: \(route)}")
    // The account that reaches no extension has cases of its own.
    let channels = Self.channels.filter { $0.provider != "bare" || route.contains("bare") }
    let found = snapshot.lint(channels: channels)
    guard let warning else { return #expect(found.isEmpty, "\(found.rendered)") }
    #expect(found.all.count == 1 && found.rendered.contains(warning), "\(found.rendered)")
    #expect(found.all.first?.location?.line == 7, "\(found.rendered)")
  }

  @Test func aHandOffToNobody() throws {
    let snapshot = try Fixture.snapshot(
      """
      agents:
        a: {humanHandoff: {enabled: true}}
        b: {humanHandoff: {enabled: true}, channels: {sip: {humanHandoff: {transferExtension: "0200"}}}}
        c: {humanHandoff: {enabled: false}}
      routes: []
      """)
    let found = snapshot.lint()
    #expect(found.all.map(\.location?.line) == [2], "\(found.rendered)")
    #expect(
      found.rendered.contains(
        "agent a: 'humanHandoff' is enabled, and 'transferExtension' does not say to whom"))
  }

  @Test func webhooksThatNobodyListensFor() throws {
    let snapshot = try Fixture.snapshot(
      """
      agents:
        a: {channels: {voip: {}}}
        b: {channels: {sip: {}}}
      providers:
        bell: {type: bell, key: x}
        demonstration: {type: bell, key: y, addresses: [127.0.0.0/8, "::1"]}
        model: {type: echo}
      routes: []
      """)
    let found = snapshot.lintWebhooks(of: ["bell", "ringer"]).all
    #expect(
      found.map(\.message) == [
        "the provider 'bell' announces calls by webhook, and nothing listens for webhooks",
        "the agent 'a' has the channel voip, and nothing listens for webhooks",
      ])
    #expect(found.map { $0.location?.line } == [5, 2])
  }

  @Test func secretsInPlainWords() throws {
    let table = """
      agents: {a: {}}
      providers:
        good: {type: bell, key: "${env:KEY}", id: 1}
        plain: {type: bell, key: sesame, other: ["${env:KEY}", open], id: 1}
        emulated: {type: bell, key: x, apiURL: "http://127.0.0.1:8081"}
        disguised: {type: bell, key: z, apiURL: "http://127.0.0.1.example.com"}
        demonstration: {type: bell, key: y, addresses: [127.0.0.0/8, "::1"]}
        model: {type: echo, key: z}
      routes: []
      """
    let source = RouteSource(files: [.init("main.yaml", table)], environment: { _ in "value" })
    var types = ProviderTypes(conversing: ["echo"], others: ["bell", "ringer"])
    types.keys = [
      "bell": [
        ProviderKey("key", secret: true, ""), ProviderKey("other", as: .texts, secret: true, ""),
        ProviderKey("id", ""), .apiURL,
      ], "ringer": [ProviderKey("id", secret: true, "")],
    ]
    let faults: DiagnosticList? =
      if case .failure(let faults) = RouteTableLoader.load(source, types: types) { faults } else { nil }
    #expect(
      faults?.all.map(\.message) == [
        "the 'key' of the provider 'plain' stands here for all to read",
        "the 'other' of the provider 'plain' stands here for all to read",
        "the 'key' of the provider 'disguised' stands here for all to read",
      ])
    #expect(faults?.all.map { $0.location?.line } == [4, 4, 6])
    #expect(faults?.rendered.contains("sesame") == false)
  }

  @Test func addressesArePrefixes() {
    let table = "agents: {a: {}}\nproviders: {x: {type: bell, addresses: [everywhere]}}\nroutes: []"
    let faults: DiagnosticList? = if case .failure(let faults) = Fixture.load(table) { faults } else { nil }
    #expect(faults?.rendered.contains("'everywhere' is no IP address or prefix") == true)
  }
}

/// Where the requests of a provider's account may come from.
@Suite struct ProviderAddressTests {
  private func takes(_ addresses: JSONValue?, _ ip: String, _ headers: [Header] = []) -> Bool {
    var settings: [String: JSONValue] = ["type": "bell"]
    settings["addresses"] = addresses
    return ProviderAccount(name: "x", settings: .object(settings)).takes(
      HTTPServerRequest(
        method: "POST", target: "/", headers: headers, remote: SocketAddress(ip: ip, port: 1)))
  }

  @Test func anAccountMayBeOneNetworks() {
    #expect(takes(nil, "203.0.113.9"))
    #expect(takes(["203.0.113.0/24"], "203.0.113.9") && !takes(["203.0.113.0/24"], "127.0.0.1"))
    #expect(!takes([], "127.0.0.1") && !takes(["nonsense"], "127.0.0.1"))
    #expect(takes(["127.0.0.0/8", "::1"], "127.0.0.1") && takes(["127.0.0.0/8", "::1"], "::1"))
  }

  /// A proxy on this machine that nobody trusts has this machine's address, and the world's requests.
  @Test func whatAProxyPassesOnIsNotThisMachines() {
    for header in ["X-Forwarded-For", "forwarded", "Via"] {
      #expect(!takes(["127.0.0.0/8"], "127.0.0.1", [Header(header, "198.51.100.7")]))
    }
    #expect(takes(["203.0.113.0/24"], "203.0.113.9", [Header("X-Forwarded-For", "203.0.113.9")]))
  }
}
