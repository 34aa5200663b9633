public import RouterCore

/// A tool adapter whose sessions a test plays.
public final class FakeTool: ToolAdapter {
  public let kinds: [String]
  /// The requests of all openings, and the sessions, in order.
  public let requests = Journal<ToolRequest>()
  public let sessions = Journal<FakeToolSession>()
  /// What it was told to get ready for.
  public let prepared = Journal<[FunctionDefinition]>()
  private let latch: Latch?
  private let failure: ToolFailure?
  private let instructions: String

  /// - Parameters:
  ///   - latch: Openings wait for it.
  ///   - failure: What an opening comes to.
  public init(
    kinds: [String] = ["fake"], latch: Latch? = nil, failure: ToolFailure? = nil, instructions: String = ""
  ) {
    self.kinds = kinds
    self.latch = latch
    self.failure = failure
    self.instructions = instructions
  }

  public func prepare(_ functions: [FunctionDefinition]) async { prepared.note(functions) }

  public func open(_ request: ToolRequest) async throws -> any ToolSession {
    requests.note(request)
    if let latch, await !latch.wait() { throw CancellationError() }
    if let failure { throw failure }
    let session = FakeToolSession(request, instructions)
    sessions.note(session)
    return session
  }
}

/// Tools of one call that a test plays: each waits for its answer, unless it is called `echo`.
public final class FakeToolSession: ToolSession {
  public let request: ToolRequest
  public let offers: [ToolOffer]
  public let instructions: String
  public let runs = Journal<ToolCall>()
  public let heard = Journal<TranscriptEntry>()
  public let closed = Journal<Bool>()
  private let waiting = Lock<[String: OneShot<ToolResult?>]>([:])

  init(_ request: ToolRequest, _ instructions: String) {
    self.request = request
    self.instructions = instructions
    offers = request.functions.map { function in
      let tool = function.tool ?? Tool(name: function.key, description: "A tool.")
      return ToolOffer(tool, timeout: function.timeout, prompt: function.prompt)
    }
  }

  public func run(_ call: ToolCall) async throws -> ToolResult {
    let answer = OneShot<ToolResult?>()
    waiting.withLock { $0[call.id] = answer }  // first: whoever sees the call may answer it at once
    runs.note(call)
    if call.name == "echo" { return ToolResult(callID: call.id, output: call.arguments) }
    guard offers.contains(where: { $0.tool.name == call.name }) else {
      throw ToolFailure("there is no tool \(call.name)")
    }
    guard let result = await answer.value(cancelled: nil) else { throw CancellationError() }
    return result
  }

  public func take(_ result: ToolResult) -> Bool {
    waiting.withLock { $0.removeValue(forKey: result.callID) }?.resolve(result) ?? false
  }

  public func hear(_ entry: TranscriptEntry) { heard.note(entry) }

  public func close() async { closed.note(true) }
}
