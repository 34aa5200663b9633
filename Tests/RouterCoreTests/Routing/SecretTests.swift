import Testing

@testable import RouterCore

/// Secrets stand in route files by reference, and only by reference in whatever is shown.
@Suite struct SecretTests {
  private static let table = """
    providers: {p: {type: text, apiKey: "${env:KEY}"}}
    agents:
      a: {provider: p, initialSpeech: "Hello ${env:KEY}", providerSettings: {deep: {list: ["${env:KEY}"]}}}
    routes:
      - name: r
        agent: a
        overrides: {voiceId: "v-${env:KEY}"}
        hook: {url: "https://example.com/${env:KEY}", secret: "${file:hook}"}
    """

  private func load(_ text: String = table, key: String = "VALUE-OF-KEY", hook: String = "VALUE-OF-HOOK\n")
    -> Result<
      RouteSnapshot, DiagnosticList
    >
  {
    RouteTableLoader.load(
      RouteSource(
        files: [.init("main.yaml", text)], read: { _ in Array(hook.utf8) },
        environment: { $0 == "KEY" ? key : nil }))
  }

  @Test func theyAreInPlaceWhereTheyAreUsed() throws {
    let snapshot = try load().get()
    let decision = snapshot.resolve(Fixture.call(to: "1"))
    guard case .agent(let agent)? = decision.targets.first else {
      Issue.record("no agent")
      return
    }
    #expect(agent.initialSpeech == "Hello VALUE-OF-KEY")
    #expect(agent.voiceId == "v-VALUE-OF-KEY")
    #expect(decision.hook?.secret == "VALUE-OF-HOOK")
    #expect(decision.hook?.url == "https://example.com/VALUE-OF-KEY")
  }

  @Test func nothingThatIsShownHoldsThem() throws {
    let (old, new) = (
      try load().get(), try load(SecretTests.table + "\n  - {name: s, agent: a}\n", key: "VALUE-2").get()
    )
    let call = Fixture.call(to: "1")
    let explanation = old.explain(call)
    #expect(explanation.json.text.contains("${env:KEY}"))
    let decision = old.resolve(call)
    for text in [
      explanation.json.text, explanation.lines.joined(), "\(explanation)", decision.summary,
      RouteDiff(from: old, to: new).json.text, RouteDiff(from: old, to: new).lines.joined(),
      old.lint().rendered, old.warnings.rendered,
    ] {
      #expect(!text.contains("VALUE"), "\(text)")
    }
  }

  /// What stands in the file in plain words is not told on by a difference.
  @Test func plainWordsAreHidden() throws {
    func table(_ word: String) -> String {
      "agents: {a: {}}\nproviders: {p: {type: bell, authToken: [\(word)1], name: n-\(word), deep: {apiKey: \(word)2}}}\n"
        + "routes: []"
    }
    let diff = RouteDiff(
      from: try load(table("SESAME")).get(), to: try load(table("THYME")).get()
    ).lines.joined(separator: "\n")
    #expect(!diff.contains("SESAME1") && !diff.contains("THYME2"), "\(diff)")
    #expect(diff.contains("authToken") && diff.contains("n-THYME"), "\(diff)")
  }

  @Test func aVersionDoesNotTellThem() throws {
    let (one, other) = (try load().get(), try load(key: "ANOTHER", hook: "ANOTHER").get())
    #expect(one.version == other.version)
  }

  @Test func aFileOfAnotherKindIsNone() throws {
    #expect((try? load(hook: String(repeating: "x", count: SecretReference.maximumSize)).get()) != nil)
    guard
      case .failure(let errors) = load(hook: String(repeating: "x", count: SecretReference.maximumSize + 1))
    else {
      Issue.record("it was taken")
      return
    }
    #expect(errors.rendered.contains("the secret's file hook has more than 65536 bytes"))
    #expect(!errors.rendered.contains("xxx"))
  }
}
