/// Carries out tools of some kinds. Made once at start; which functions there are arrives with each call.
public protocol ToolAdapter: Sendable {
  /// The kinds of ``FunctionDefinition`` that it carries out: schemes of URLs, or ``FunctionDefinition/Kind``.
  var kinds: [String] { get }
  /// Gets ready for functions that calls may bring from now on: at start and after each reload, off the event loops,
  /// with all functions of its kinds. A call may come before it returns.
  func prepare(_ functions: [FunctionDefinition]) async
  /// Gets the functions of one agent in one call ready, while the phone may still ring. What takes long (a connection
  /// that nobody has to wait for) goes on behind it. Throws ``ToolFailure``; the agent then goes without these tools,
  /// unless one of them says `abortOnFailure`.
  func open(_ request: ToolRequest) async throws -> any ToolSession
}

extension ToolAdapter {
  public func prepare(_ functions: [FunctionDefinition]) async {}
}

/// What a tool session is opened for.
public struct ToolRequest: Sendable {
  public var call: InboundCall
  public var agent: AgentConfiguration
  /// Those of the agent's functions that are of the adapter's kinds; never empty.
  public var functions: [FunctionDefinition]
  public var log: Log
  /// Takes what the session has to tell by itself, from any thread.
  public var report: @Sendable (ToolEvent) -> Void

  public init(
    call: InboundCall, agent: AgentConfiguration, functions: [FunctionDefinition], log: Log,
    report: @escaping @Sendable (ToolEvent) -> Void = { _ in }
  ) {
    self.call = call
    self.agent = agent
    self.functions = functions
    self.log = log
    self.report = report
  }
}

/// The tools of one adapter in one call.
public protocol ToolSession: Sendable {
  /// What there is to use. Constant: a call keeps its tools.
  var offers: [ToolOffer] { get }
  /// Added to the agent's instructions; empty for nothing.
  var instructions: String { get }
  /// Runs a tool under the name of its offer; its arguments were checked against the schema. Cancelled when its time is
  /// over or the call ends. Throws ``ToolFailure``, whose words the model gets; of any other error it learns the type.
  func run(_ call: ToolCall) async throws -> ToolResult
  /// A line of the conversation was finished. Must not block.
  func hear(_ entry: TranscriptEntry)
  /// The calling application answers a call of an implicit function.
  /// - Returns: Whether this session had asked for it.
  func take(_ result: ToolResult) -> Bool
  /// The call is over. Runs of tools were cancelled before. Returns within seconds.
  func close() async
}

extension ToolSession {
  public var instructions: String { "" }
  public func hear(_ entry: TranscriptEntry) {}
  public func take(_ result: ToolResult) -> Bool { false }
  public func close() async {}
}

/// A tool that a session has. The engine makes its name and schema acceptable to models.
public struct ToolOffer: Sendable, Hashable {
  public var tool: Tool
  /// Seconds that it may take; `nil` is ``EngineSettings/toolSeconds``.
  public var timeout: Int?
  /// Added to the agent's instructions, under the tool's name.
  public var prompt: String?
  public init(_ tool: Tool, timeout: Int? = nil, prompt: String? = nil) {
    self.tool = tool
    self.timeout = timeout
    self.prompt = prompt
  }
}

/// What a tool session has to tell by itself.
public enum ToolEvent: Sendable, Hashable {
  /// An implicit function is wanted: the calling application is to answer.
  case asked(ToolCall)
  /// For the user interface of whoever watches the call.
  case update(function: String, JSONValue)
  /// The agent is to know this; with `responds` it says something about it.
  case context(String, responds: Bool)
  /// A connection is gone for good. With `aborts`, the agent is of no use without it.
  case lost(String, aborts: Bool)
}

/// Why a tool gave no result, in words that the model may repeat: no secret, nothing that a caller must not hear.
public struct ToolFailure: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
