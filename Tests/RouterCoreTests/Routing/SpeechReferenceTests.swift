import Testing

@testable import RouterCore

/// Who hears and speaks: found when the table is loaded, and given to the agent.
@Suite struct SpeechReferenceTests {
  private func load(_ providers: String, agent: String = "{provider: writer}") -> Result<
    RouteSnapshot, DiagnosticList
  > {
    let text = """
      providers:
        writer: \(providers)
        ears: {type: listener, apiKey: k}
        mouth: {type: talker}
      agents:
        a: \(agent)
      routes:
        - {name: all, match: {to: +442079460400}, agent: a}
      """
    return RouteTableLoader.load(
      RouteSource(files: [.init("main.yaml", text)]),
      types: ProviderTypes(hearing: ["listener", "both"], speaking: ["talker", "both"]))
  }

  private func agent(_ result: Result<RouteSnapshot, DiagnosticList>) throws -> AgentConfiguration {
    let call = Fixture.call(to: "+442079460400")
    let decision = Router(try result.get()).resolve(call)
    guard case .agent(let agent)? = decision.targets.first else {
      throw DiagnosticList([Diagnostic(.error, "no agent")])
    }
    return agent
  }

  @Test func theProviderNamesThem() throws {
    let agent = try agent(load("{type: text, speech: {recognizer: ears, synthesizer: mouth}}"))
    #expect(
      agent.recognizer
        == .init(name: "ears", type: "listener", configuration: ["type": "listener", "apiKey": "k"]))
    #expect(agent.synthesizer.type == "talker")
  }

  @Test func theAgentComesFirstAndTheOfflineOneLast() throws {
    let one = try agent(
      load(
        "{type: text, speech: {recognizer: ears}}", agent: "{provider: writer, speech: {synthesizer: mouth}}")
    )
    #expect(one.recognizer.name == "ears" && one.synthesizer.name == "mouth")
    let none = try agent(load("{type: text}"))
    #expect(none.recognizer == .offline && none.synthesizer == .offline)
    let back = try agent(
      load(
        "{type: text, speech: {recognizer: ears}}", agent: "{provider: writer, speech: {recognizer: offline}}"
      ))
    #expect(back.recognizer == .offline)
  }

  @Test(arguments: [
    ("{recognizer: eers}", "there is no provider 'eers'"), ("{recognizer: mouth}", "does not hear"),
    ("{synthesizer: ears}", "does not speak"), ("{synthesiser: ears}", "synthesiser"), ("ears", "speech"),
  ])
  func whatIsWrongIsSaid(_ speech: String, _ words: String) {
    for result in [
      load("{type: text, speech: \(speech)}"),
      load("{type: text}", agent: "{provider: writer, speech: \(speech)}"),
    ] {
      guard case .failure(let faults) = result else {
        Issue.record("\(speech) must be refused")
        continue
      }
      #expect(faults.all.contains { $0.message.contains(words) }, "\(faults.all.map(\.message))")
    }
  }
}

/// Providers of types that no plugin serves, and those that cannot do what they are named for.
@Suite struct ProviderReferenceTests {
  private static let types = ProviderTypes(
    hearing: ["ear"], speaking: ["mouth"], conversing: ["realtime", "text"], others: ["carrier"])

  private func findings(_ text: String, _ types: ProviderTypes? = types) -> String {
    switch RouteTableLoader.load(RouteSource(files: [.init("main.yaml", text)]), types: types) {
    case .success(let snapshot): snapshot.warnings.rendered
    case .failure(let errors): errors.rendered
    }
  }

  @Test(arguments: [
    (
      "realtim", "main.yaml:1:23: error: this routerd has nothing for providers of type 'realtim'",
      "'realtime'?"
    ),
    ("nonsense", "type 'nonsense'", "there are: carrier, ear, mouth, realtime, text"),
    (
      "carrier",
      "main.yaml:2:24: error: the provider 'p' is of type 'carrier', which carries no conversation",
      "types that do: realtime, text"
    ),
  ])
  func aTypeThatCannotServe(type: String, message: String, hint: String) {
    let text = "providers: {p: {type: \(type)}}\nagents: {a: {provider: p}}\nroutes: [{agent: a}]\n"
    let found = findings(text)
    #expect(found.contains(message) && found.contains(hint), "\(found)")
    #expect(findings(text, nil) == "", "where nobody knows the plugins, nobody complains")
  }

  @Test func whatServesIsFine() {
    for type in ["realtime", "text"] {
      let text =
        "providers: {p: {type: \(type)}, e: {type: ear}, c: {type: carrier}}\n"
        + "agents: {a: {provider: p}, b: {provider: offline}, c: {}}\n"
        + "routes: [{agent: a, match: {provider: carrier}}, {agent: b}, {agent: c, match: {to: 1}}]\n"
      #expect(findings(text) == "")
    }
  }

  @Test func misspeltCallersAreToldOf() {
    let text = "routes:\n  - {match: {provider: carier, from: [anonymus, anna]}, reject: 603}\n"
    let found = findings(text)
    #expect(found.contains("2:24: warning: no calls come from providers of type 'carier'"), "\(found)")
    #expect(found.contains("did you mean 'carrier'?"), "\(found)")
    #expect(found.contains("warning: 'anonymus' is a SIP user of that name"), "\(found)")
    #expect(!found.contains("anna' is"), "\(found)")
  }
}
