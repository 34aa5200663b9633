/// Runs the tools of one call, each as a task; how long they may take is the call's own matter.
struct ToolRunner {
  /// What the call's agent may use.
  var bench: ToolBench
  /// Sessions of this call by the functions that they are for; they live as long as the call.
  private(set) var sessions: [[FunctionDefinition]: any ToolSession] = [:]
  /// Takes what sessions tell by themselves, in order.
  var reports: AsyncStream<ToolEvent>.Continuation?
  /// Whether the sessions were closed, at the end of the call.
  var isClosed = false
  private var running: [String: Task<Void, Never>] = [:]
  private let maximumBytes: Int

  init(maximumBytes: Int) {
    bench = ToolBench(for: AgentConfiguration(name: ""))
    self.maximumBytes = maximumBytes
  }

  /// Keeps a session. A second one for the same functions is given back, to be closed.
  mutating func keep(
    _ session: any ToolSession, for functions: [FunctionDefinition]
  ) -> (any ToolSession)? {
    if sessions[functions] != nil { return session }
    sessions[functions] = session
    return nil
  }

  /// Starts a tool; `done` is called once with its result, unless it is cancelled.
  mutating func run(_ call: ToolCall, done: @escaping @Sendable (ToolResult) async -> Void) {
    running[call.id] = Task { [binding = bench.bindings[call.name], maximumBytes] in
      var result = await ToolRunner.result(of: call, binding)
      result.callID = call.id
      // Servers repeat what they were sent, and a model would read it out.
      let output = binding?.secrets.hidden(in: result.output) ?? result.output
      result.output = ToolRunner.bounded(output, maximumBytes)
      if !Task.isCancelled { await done(result) }
    }
  }

  private static func result(of call: ToolCall, _ binding: ToolBench.Binding?) async -> ToolResult {
    func error(_ text: String) -> ToolResult {
      ToolResult(callID: call.id, output: .string(text), isError: true)
    }
    if let fault = call.fault { return error(fault) }
    guard let binding else { return error("there is no tool \(call.name)") }
    var inner = call
    inner.name = binding.name
    inner.arguments = ToolArguments.normalised(call.arguments)
    if let fault = ToolArguments.fault(in: inner.arguments, binding.parameters) { return error(fault) }
    do {
      return try await binding.session.run(inner)
    } catch let failure as ToolFailure {
      return error(failure.message)
    } catch {
      // Only what kind of error it is: its words may hold what the model must not repeat to a caller.
      return ToolResult(
        callID: call.id, output: .string("the tool failed: \(type(of: error))"), isError: true)
    }
  }

  /// A result that is too long is cut, and says so: part of an answer is better than none.
  static func bounded(_ output: JSONValue, _ maximumBytes: Int) -> JSONValue {
    let text = output.string ?? output.text
    guard text.utf8.count > maximumBytes else { return output }
    let note = " … (cut: \(text.utf8.count) bytes, of which these are the first)"
    var end = text.utf8.index(text.startIndex, offsetBy: max(0, maximumBytes - note.utf8.count))
    while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
      end = text.utf8.index(before: end)
    }
    return .string(text[..<end] + note)
  }

  /// Forgets a tool that has given its result.
  mutating func finished(_ id: String) { running[id] = nil }

  mutating func cancel(_ id: String) { running.removeValue(forKey: id)?.cancel() }

  /// Tells the agent's tool sessions a line of the conversation.
  func hear(_ entry: TranscriptEntry) { for session in bench.sessions { session.hear(entry) } }

  /// An answer of the calling application; whether anybody had asked for it.
  func take(_ result: ToolResult) -> Bool { sessions.values.contains { $0.take(result) } }
}
