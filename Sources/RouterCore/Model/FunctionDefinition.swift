/// One source of tools of an agent: a function of the route files, or what follows from the agent's other settings (an
/// MCP server, a knowledge base, its FAQs). It comes from the snapshot that routed the call, so a reload changes the
/// next call's functions, never those of a call that is up.
public struct FunctionDefinition: Sendable, Hashable, Codable {
  /// Kinds besides the schemes of URLs (`http`, `https`, `ws`, `wss`, `mcp`, `mcps`).
  public enum Kind {
    /// An implicit function: the calling application answers.
    public static let client = "client"
    /// The agent's knowledge base.
    public static let knowledge = "knowledge"
    /// The agent's FAQ collections.
    public static let faq = "faq"
    /// A search of the web through a configured endpoint.
    public static let webSearch = "web-search"
  }

  /// How the connection of a function and its call depend on each other.
  public struct ConnectionBehavior: Sendable, Hashable, Codable {
    /// The conversation begins when the connection is there.
    public var waitBeforeStart: Bool
    /// Without the connection the agent is of no use: its `fallback:` goes on.
    public var abortOnFailure: Bool
    public init(waitBeforeStart: Bool = false, abortOnFailure: Bool = false) {
      self.waitBeforeStart = waitBeforeStart
      self.abortOnFailure = abortOnFailure
    }
  }

  /// Its name in the route files.
  public var key: String
  /// Which ``ToolAdapter`` carries it out: the scheme of `url`, in small letters, or one of ``Kind``.
  public var kind: String
  /// Secrets in place: never log it.
  public var url: String?
  /// Secrets in place: never log them. In the order of their names.
  public var headers: [Header]
  /// What a model is told, as it was written; `nil` when the other side says what there is (MCP).
  public var tool: Tool?
  /// Added to the agent's instructions, under the function's name.
  public var prompt: String?
  /// Seconds that it may take; `nil` is ``EngineSettings/toolSeconds``.
  public var timeout: Int?
  /// Whether the conversation is streamed to it.
  public var receiveMessages: Bool
  public var connectionBehavior: ConnectionBehavior
  /// How far its requests may go.
  public var reach: NetworkReach
  /// What its adapter reads besides. Secrets in place: never log it.
  public var settings: JSONValue

  public init(
    key: String, kind: String, url: String? = nil, headers: [Header] = [], tool: Tool? = nil,
    prompt: String? = nil, timeout: Int? = nil, receiveMessages: Bool = false,
    connectionBehavior: ConnectionBehavior = .init(), reach: NetworkReach = .publicOnly,
    settings: JSONValue = [:]
  ) {
    self.key = key
    self.kind = kind
    self.url = url
    self.headers = headers
    self.tool = tool
    self.prompt = prompt
    self.timeout = timeout
    self.receiveMessages = receiveMessages
    self.connectionBehavior = connectionBehavior
    self.reach = reach
    self.settings = settings
  }

  /// The same with further addresses that it may reach.
  func reaching(_ blocks: [AddressPrefix]) -> FunctionDefinition {
    guard !blocks.isEmpty else { return self }
    var function = self
    function.reach = reach.allowing(blocks)
    return function
  }
}
