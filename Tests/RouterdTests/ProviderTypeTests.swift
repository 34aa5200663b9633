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
}
