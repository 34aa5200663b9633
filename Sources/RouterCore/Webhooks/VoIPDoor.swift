/// Where providers announce calls: see ``VoIPEndpoints``.
///
/// An agent's address is made of a secret and its name (HMAC), so it is the same after every restart and in every
/// process that has the secret, and it is there as long as the agent has the channel `voip`
/// (docs/decisions/0091-voip-endpoints.md).
public final class VoIPDoor: VoIPEndpoints {
  private struct State {
    var providers: [WebhookProvider] = []
    /// Agents by their tokens, and the list that it was made of.
    var known: (agents: [String], byToken: [String: String]) = ([], [:])
  }

  private let web: any WebMounts
  private let secret: [UInt8]
  private let agents: @Sendable () -> [String]
  private let metrics: Metrics
  private let state = Lock(State())

  /// - Parameters:
  ///   - secret: At least 16 bytes, kept between starts.
  ///   - agents: The agents that have the channel `voip` in the route snapshot in force.
  public init(
    web: any WebMounts, secret: [UInt8], metrics: Metrics, agents: @escaping @Sendable () -> [String]
  ) {
    precondition(secret.count >= 16, "a secret that can be guessed is none")
    self.web = web
    self.secret = secret
    self.agents = agents
    self.metrics = metrics
    web.mount(
      WebRoute(
        "/voip/webhook/{token}", methods: ["GET", "POST"], maximumBodyBytes: VoIPDoor.maximumBodyBytes
      ) {
        [weak self] request in await self?.receive(request) ?? .text(503, "closing\n")
      })
  }

  /// Longer webhooks are refused with 413.
  private static let maximumBodyBytes = 256 << 10

  public func add(_ provider: WebhookProvider) {
    state.withLock { $0.providers.append(provider) }
    web.mount(
      WebRoute(
        "/voip/\(provider.type)", methods: provider.methods, accepts: provider.accepts,
        maximumBodyBytes: VoIPDoor.maximumBodyBytes
      ) { request in await provider.handler(request, nil) })
  }

  public func address(ofAgent name: String) -> String? {
    guard let origin = web.publicURL, let path = path(ofAgent: name) else { return nil }
    return origin + path
  }

  /// The path of an agent's own address; `nil` when it has no channel `voip`.
  public func path(ofAgent name: String) -> String? {
    agents().contains(name) ? "/voip/webhook/" + token(of: name) : nil
  }

  /// 160 bits that only who knows the secret can make.
  private func token(of agent: String) -> String {
    Digest.hexadecimal(Digest.authenticate("voip endpoint of \(agent)".utf8, key: secret).prefix(20))
  }

  private func agent(of token: String) -> String? {
    let current = agents()
    return state.withLock { state in
      if state.known.agents != current {
        state.known = (current, Dictionary(current.map { (self.token(of: $0), $0) }) { first, _ in first })
      }
      return state.known.byToken[token]
    }
  }

  private func receive(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard let agent = agent(of: request.parameters["token"] ?? "") else {
      metrics.add("routerd_voip_webhooks_total", 1, ["provider": "", "result": "no-endpoint"])
      return .text(404, "nothing here\n")
    }
    let provider = state.withLock { $0.providers }.first { $0.recognises(request) }
    guard let provider else {
      metrics.add("routerd_voip_webhooks_total", 1, ["provider": "", "result": "unsigned"])
      return .text(403, "no provider that we know signed this\n")
    }
    return await provider.handler(request, agent)
  }
}
