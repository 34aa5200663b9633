import FoundationEssentials
import RouterCore
import RouterTesting
import Testing

/// The example of docs/ADAPTERS.md: it is the code that is tested here, and it works in a real engine.
@Suite(.timeLimit(.minutes(2))) struct ExampleBeeperTests {
  static func text(_ path: String) throws -> String {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try String(contentsOfFile: "/" + root + "/" + path, encoding: .utf8)
  }

  @Test func theDocumentShowsTheTestedCode() throws {
    let code = try ExampleBeeperTests.text("Tests/PluginTests/ExampleBeeper.swift")
    let document = try ExampleBeeperTests.text("docs/ADAPTERS.md")
    #expect(document.contains("```swift\n\(code)```\n"), "docs/ADAPTERS.md and ExampleBeeper.swift differ")
  }

  @Test func itCarriesACall() async throws {
    let agent = AgentConfiguration(name: "beeper", providerType: "beeper")
    let store = FakeStore()
    let engine = CallEngine(routing: FakeRouting(.agent(agent)), models: ["beeper": Beeper()], store: store)
    let leg = FakeLeg()
    let call = Task { await engine.intake(.example(), on: leg) }
    try await leg.media.deeds.wait(for: .endTurn(TurnID(1)))
    leg.press("3")
    try await leg.media.deeds.wait(for: .endTurn(TurnID(2)))
    leg.press("#")
    await call.value
    let record = try await store.saved.first { _ in true }
    #expect(record.end.reason == .agentHungUp)
    let said = record.transcript.filter { $0.kind == .speech }.map(\.text)
    #expect(said == ["beep × 1", "beep × 3", "beep × 2"])
    let beeps = leg.media.deeds.events.filter { $0 == .played(TurnID(2), milliseconds: 200) }
    #expect(beeps.count == 3)
  }
}
