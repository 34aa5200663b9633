public import RouterCore

/// Speech to speech with a realtime server: OpenAI's, Azure's, and others that speak the same protocol.
///
/// https://platform.openai.com/docs/guides/realtime-websocket
public struct OpenAIRealtimeModel: Plugin, VoiceModel {
  public static let name = "openai-realtime"
  /// The `type:` of a provider at OpenAI, or at anybody who speaks its protocol.
  public static let type = "openai-realtime"
  /// The `type:` of a provider at Azure OpenAI.
  public static let azureType = Endpoint.azure

  private let host: PluginHost

  public init(_ configuration: NoConfiguration, _ host: PluginHost) { self.host = host }

  /// Connects and agrees on the session; the phone may still ring meanwhile. Throws ``VoiceFailure``.
  public func open(
    _ conversation: ConversationRequest, speaker: any Speaker
  ) async throws -> any VoiceSession {
    let endpoint = try Endpoint(conversation.agent.providerConfiguration)
    // On the loop of the call's media its sound needs no hop; calls need not have one.
    let loop = conversation.executor as? EventLoop ?? host.loops.signalling
    return try await RealtimeSession.open(
      conversation, endpoint, speaker: speaker, on: loop, over: host.clients.callClient(on: loop))
  }

  /// The newer form of the protocol has no temperature, and refuses it.
  public static func warnings(for agent: AgentConfiguration) -> [String] {
    // What is wrong with the provider itself is told when it is used.
    guard let endpoint = try? Endpoint(agent.providerConfiguration), endpoint.shape == .ga,
      agent.providerSettings["temperature"] != nil
    else { return [] }
    return [
      "providerSettings.temperature has no effect: the realtime protocol has none since its general availability"
        + " (a provider with shape: beta takes it)"
    ]
  }
}
