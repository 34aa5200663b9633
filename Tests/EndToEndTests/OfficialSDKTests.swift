import Foundation
import RouterCore
import RouterTesting
import Testing

/// What the providers' own packages sign comes over real HTTP to a routerd in a process of its own: by proxies, on other ports, in
/// other forms; and what nobody signed, tampered with, or plays back.
@Suite(.serialized) struct OfficialSDKTests {
  private static let routes = """
    providers:
      twilio: {type: twilio, accountSid: AC00000000000000000000000000000000, authToken: token, apiURL: "http://127.0.0.1:9"}
      telnyx: {type: telnyx, apiKey: key, publicKey: O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=, apiURL: "http://127.0.0.1:9"}
      vonage: {type: vonage, signatureSecret: secret, applicationId: 00000000-0000-0000-0000-000000000000, apiURL: "http://127.0.0.1:9"}
    agents:
      shop: {initialSpeech: Hello., channels: {voip: {}}}
    routes:
      - {name: shop, match: {channel: voip, to: +15550100002}, agent: shop}
    """

  @Test(
    arguments: [
      ("twilio", ["twilio"]), ("telnyx", ["telnyx==4.189.0", "pynacl==1.6.2"]),
      ("vonage", ["vonage-voice==1.5.1", "vonage-jwt==1.1.5"]),
    ])
  func whatTheySignIsBelieved(_ provider: String, _ packages: [String]) async throws {
    let python = try PythonEnvironment(packages)
    let web = """
      web:
        listen: ["http:127.0.0.1:0", "http:[::1]:0"]
        trustedProxies: [127.0.0.1]
        limits: {requestsPerSecondPerAddress: 100}
      """
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.routes], settings: web)
    let places = try await routerd.status()["listening"]?.array?.compactMap(\.string) ?? []
    let ports = places.filter { $0.hasPrefix("http:") }.sorted().compactMap { $0.split(separator: ":").last }
    try #require(ports.count == 2, "\(places)")
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
      path: "Scenarios/official_sdks.py")
    #expect(
      try python.run(script, [provider] + ports.map(String.init)) == "fine\n", "\(routerd.program.errors)")
    if try await routerd.status()["liveCalls"]?.integer != 0 {
      // Nobody comes for the calls that wait for their media: the second signal ends them.
      routerd.program.send(SIGTERM)
      try await routerd.wait(forState: "draining")
    }
    #expect(await routerd.stop() == 0)
    #expect(!routerd.program.errors.contains("secret") && !routerd.program.output.contains("secret"))
  }

  /// An agent's own address is there as long as the agent has the channel, and comes back with it.
  @Test func anAgentsAddressGoesWithItsChannel() async throws {
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": Self.routes],
      settings: "web: {listen: [\"http:127.0.0.1:0\"], publicURL: \"https://voice.example.com\"}")
    let endpoints = try await routerd.workplace.routerd("endpoints").output
    let address = try #require(
      endpoints.firstMatch(of: /https:\/\/voice\.example\.com(\/voip\/webhook\/[0-9a-f]{40})/))
    let port = try await routerd.port(of: "http")
    let loop = EventLoop(name: "test")
    let client = HTTPClient(on: loop)
    let request = HTTPRequest(url: "http://127.0.0.1:\(port)\(address.1)")
    func status() async throws -> Int { try await client.send(request).status }
    #expect(try await status() == 403)
    for (channels, expected) in [("", 404), (", channels: {voip: {}}", 403)] {
      let text = Self.routes.replacing(", channels: {voip: {}}", with: channels)
      try routerd.workplace.write("routes/main.yaml", text)
      #expect(try await routerd.workplace.routerd("reload").code == 0)
      #expect(try await status() == expected)
    }
    #expect(try await routerd.workplace.routerd("endpoints").output == endpoints)
    await client.close()
    await Task.detached { loop.stop() }.value
    #expect(await routerd.stop() == 0)
  }
}
