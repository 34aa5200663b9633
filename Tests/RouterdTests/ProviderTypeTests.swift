import RouterCore
import Testing

@testable import routerd

/// The types that routes may name: what the plugins of this build are for.
@Suite struct ProviderTypeTests {
  @Test(arguments: ["twilio", "telnyx", "vonage", "web-search", "deepgram", "openai-speech"])
  func accountsOfEveryPluginAreKnown(type: String) throws {
    let text = "providers: {p: {type: \(type)}}\nroutes: [{match: {to: 1}, reject: 404}]\n"
    let result = RouteTableLoader.load(RouteSource(files: [.init("main.yaml", text)]), types: .ofPlugins)
    #expect(throws: Never.self) { try result.get() }
  }

  @Test(arguments: ["echo", "offline", "webhook", "openai-chat", "openai-realtime", "azure-openai-realtime"])
  func modelsCarryConversations(type: String) throws {
    let text = "providers: {p: {type: \(type)}}\nagents: {a: {provider: p}}\nroutes: [{agent: a}]\n"
    let result = RouteTableLoader.load(RouteSource(files: [.init("main.yaml", text)]), types: .ofPlugins)
    #expect(throws: Never.self) { try result.get() }
  }

  /// Who may say anything is hardly heard by a recogniser that knows questions only.
  @Test(arguments: [
    ("webhook", "{provider: p}", 1), ("openai-chat", "{provider: p}", 1), ("offline", "{provider: p}", 0),
    ("openai-realtime", "{provider: p}", 0), ("webhook", "{provider: p, faqCollections: [q]}", 0),
    ("webhook", "{provider: p, speech: {recognizer: ears}}", 0),
  ])
  func whoIsHardlyHeard(type: String, agent: String, warnings: Int) throws {
    let text = """
      providers: {p: {type: \(type)}, ears: {type: deepgram}}
      faqCollections: {q: [{question: "Hours?", answer: Nine to five.}]}
      agents: {a: \(agent)}
      routes: [{agent: a}]
      """
    let result = RouteTableLoader.load(RouteSource(files: [.init("main.yaml", text)]), types: .ofPlugins)
    let advice = try result.get().lint(advice: plugins.advice).all.map(\.message)
    #expect(advice.filter { $0.contains("agent a: it hears with the offline recogniser") }.count == warnings)
  }
}
