/// The addresses at which VoIP providers announce calls: `/voip/TYPE` for each type of provider, where the route table
/// alone decides, and one for each agent that has the channel `voip`, which any provider may use.
public protocol VoIPEndpoints: Sendable {
  /// Lets a provider's requests in, at both.
  func add(_ provider: WebhookProvider)
  /// An agent's own address (`voipEndpoint`); `nil` when it has no such channel, or nobody knows how the outside
  /// reaches us.
  func address(ofAgent name: String) -> String?
}

/// What a plugin says about the webhooks of its provider.
public struct WebhookProvider: Sendable {
  /// The provider's `type:`; its calls come to `/voip/TYPE`.
  public var type: String
  public var methods: Set<String>
  /// Media types of the bodies that it sends.
  public var accepts: Set<String>
  /// Whether a request at an agent's address looks like this provider's, e.g. by the header of its signature.
  public var recognises: @Sendable (HTTPServerRequest) -> Bool
  /// Answers an announcement; `agent` is the one whose address it came to.
  public var handler: @Sendable (HTTPServerRequest, _ agent: String?) async -> HTTPServerReply

  public init(
    type: String, methods: Set<String> = ["POST"], accepts: Set<String> = [],
    recognises: @escaping @Sendable (HTTPServerRequest) -> Bool,
    handler: @escaping @Sendable (HTTPServerRequest, _ agent: String?) async -> HTTPServerReply
  ) {
    self.type = type
    self.methods = methods
    self.accepts = accepts
    self.recognises = recognises
    self.handler = handler
  }
}

/// For a routerd, or a test, that no provider calls.
public struct NoVoIPEndpoints: VoIPEndpoints {
  public init() {}
  public func add(_ provider: WebhookProvider) {}
  public func address(ofAgent name: String) -> String? { nil }
}
