import Testing

@testable import RouterCore

/// One word of an agent says who carries its conversations.
@Suite struct VoiceModeTests {
  private func load(_ agent: String, overrides: String = "{}") -> Result<RouteSnapshot, DiagnosticList> {
    let text = """
      providers:
        model: {type: realtime, apiKey: k}
        server: {type: hook, url: "https://agent.example.com/voice"}
        ears: {type: listener}
      agents:
        a: \(agent)
      routes:
        - {name: all, match: {to: +442079460400}, agent: a, overrides: \(overrides)}
      """
    return RouteTableLoader.load(
      RouteSource(files: [.init("main.yaml", text)]),
      types: ProviderTypes(hearing: ["listener"], conversing: ["realtime", "hook"]))
  }

  private static let agents: [(agent: String, overrides: String, type: String)] = [
    ("{provider: model, webhook: server}", "{}", "realtime"),
    ("{provider: model, webhook: server, voiceMode: hosted}", "{}", "realtime"),
    ("{provider: model, webhook: server, voiceMode: webhook}", "{}", "hook"),
    ("{webhook: server, voiceMode: webhook}", "{}", "hook"),
    ("{webhook: server, voiceMode: hosted}", "{}", "offline"),
    ("{provider: model, webhook: server}", "{voiceMode: webhook}", "hook"),
    ("{provider: model, webhook: server, voiceMode: webhook}", "{voiceMode: hosted}", "realtime"),
    ("{provider: server}", "{voiceMode: webhook}", "hook"),
    ("{provider: model, channels: {sip: {voiceMode: webhook, webhook: server}}}", "{}", "hook"),
  ]

  @Test(arguments: agents) func whoCarriesIt(_ agent: String, _ overrides: String, _ type: String) throws {
    let snapshot = try load(agent, overrides: overrides).get()
    let decision = Router(snapshot).resolve(Fixture.call(to: "+442079460400"))
    guard case .agent(let found)? = decision.targets.first else {
      Issue.record("no agent")
      return
    }
    #expect(found.providerType == type)
  }

  @Test(arguments: [
    ("{provider: model, voiceMode: webhook}", "the voice mode webhook needs 'webhook'"),
    ("{provider: model, channels: {sip: {voiceMode: webhook}}}", "the voice mode webhook needs 'webhook'"),
    ("{webhook: servr, voiceMode: webhook}", "there is no provider 'servr'"),
    ("{webhook: ears, voiceMode: webhook}", "which carries no conversation"),
    ("{webhook: server, voiceMode: webhok}", "webhok"),
  ]) func whatIsWrongIsSaid(_ agent: String, _ words: String) {
    guard case .failure(let faults) = load(agent) else {
      Issue.record("\(agent) must be refused")
      return
    }
    #expect(faults.all.contains { $0.message.contains(words) }, "\(faults.all.map(\.message))")
  }
}
