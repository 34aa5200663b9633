internal import FoundationEssentials
public import RouterCore

/// The agent is a web server: each turn of the caller is posted to it, and what it answers is spoken.
///
/// The events are those of AgentPhone (docs.agentphone.ai, "Agent Webhooks"), so handlers written for it work here.
public struct WebhookModel: Plugin, TextModel, CallEndObserver {
  public static let name = "webhook"
  /// The `type:` of a provider in the route files.
  public static let type = "webhook"

  /// The `webhook:` section of `routerd.yaml`.
  public struct Configuration: Decodable, Sendable {
    /// Seconds before the end of a call is told a second time, when the first was in vain; then twice as many, and so
    /// on, six times in all.
    public var retrySeconds: Double

    private enum CodingKeys: CodingKey { case retrySeconds }

    public init(retrySeconds: Double = 2) { self.retrySeconds = retrySeconds }

    /// Throws `DecodingError` for seconds that are none.
    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      retrySeconds = try values.decodeIfPresent(Double.self, forKey: .retrySeconds) ?? 2
      guard retrySeconds > 0, retrySeconds <= 600 else {
        throw DecodingError.dataCorruptedError(
          forKey: .retrySeconds, in: values, debugDescription: "retrySeconds is more than 0, at most 600")
      }
    }
  }

  private let http: any HTTPStreaming
  private let log: Log
  private let delivery: WebhookDelivery

  public init(_ configuration: Configuration, _ host: PluginHost) {
    http = host.http
    log = host.log.labelled("webhook")
    delivery = WebhookDelivery(
      http: host.http, log: log, pause: .milliseconds(Int(configuration.retrySeconds * 1000)))
  }

  /// One turn; cancelling it closes the request.
  public func respond(to request: TextRequest) -> AsyncThrowingStream<TextEvent, any Error> {
    AsyncThrowingStream { continuation in
      let work = Task { [http] in
        do {
          let settings = try WebhookSettings(request.agent.providerConfiguration)
          let turn = WebhookTurn(request: request, settings: settings, http: http) { continuation.yield($0) }
          try await turn.run()
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in work.cancel() }
    }
  }

  /// The webhook's own time-out is what its handler was promised; after it there is still an apology to say.
  public func patience(for agent: AgentConfiguration) -> Duration? {
    // Without a webhook nothing was promised, and the turn itself will say so.
    guard let settings = try? WebhookSettings(agent.providerConfiguration) else { return nil }
    return settings.timeout + .seconds(5)
  }

  /// Posts `agent.call_ended`, with retries; nobody waits for it.
  public func callEnded(_ record: CallRecord, agent: AgentConfiguration) {
    // Without a webhook there is nobody to tell; the call itself has said so.
    guard let settings = try? WebhookSettings(agent.providerConfiguration) else { return }
    let body = Array(WebhookEvents.callEnded(record, agent: agent, at: Date()).text.utf8)
    let id = DeliveryID.make()
    delivery.deliver("the end of call \(record.id.text)") {
      settings.request(body, id: id, unixTime: Int(Date().timeIntervalSince1970))
    }
  }
}
