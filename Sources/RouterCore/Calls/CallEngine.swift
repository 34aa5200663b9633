/// Lives every call from its first sign to its record.
///
/// A channel hands a call over with ``intake``; the call is one child task of the channel's, and cancelling that task
/// hangs up. Made once at start; a reload changes what `routing` answers, never the engine.
public final class CallEngine: Sendable {
  private let settings: EngineSettings

  /// - Parameters:
  ///   - routing: Asked once for each call that is admitted.
  ///   - models: What can carry a conversation, by the provider's `type:` (`offline`, `echo`, `openai-realtime`).
  ///   - tools: What agents may use besides the built-in `hand_over` and `hang_up`, by the name in `functions:`.
  ///   - trunks: The trunks in force, asked for anew for each call (for `maximumCalls`).
  ///   - store: Where records go; without one they are dropped.
  ///   - clock: For every deadline. Dates of a record are its `receivedAt` and what this clock measured since.
  public init(
    routing: any CallRouting, models: [String: any VoiceModel], tools: [String: ToolBinding] = [:],
    trunks: @escaping @Sendable () -> [Trunk] = { [] }, store: (any CallStore)? = nil,
    settings: EngineSettings = EngineSettings(), log: Log = .silent, metrics: Metrics = Metrics(),
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.settings = settings
  }

  /// What channels are run with: `try await channel.run(engine.intake)`.
  public var intake: CallIntake {
    CallIntake { call, leg in
      await leg.reject(CallEnd(.failed, text: "the engine is not built yet"), headers: [])
    }
  }

  /// The calls that are up, oldest first.
  public var liveCalls: [LiveCall] { [] }

  /// Events of all calls from now on, until the reader stops or is cancelled. Each observer has a buffer of its own
  /// (``EngineSettings/observerBuffer``); one that is slow loses the oldest events and slows nobody.
  public func observe() -> AsyncStream<EngineEvent> { AsyncStream { $0.finish() } }

  /// Whether new calls are refused because ``drain(deadline:)`` was called.
  public var isDraining: Bool { false }

  /// Refuses new calls (503 with `Retry-After`) and waits until the live ones are over and their records saved. At
  /// the deadline the rest are hung up; they have ``EngineSettings/hangUpSeconds`` for that. There is no way back.
  /// May be called again, from another task, with a shorter deadline (a second signal): `.zero` hangs up at once.
  /// - Parameter deadline: `nil` is ``EngineSettings/drainSeconds``.
  /// - Returns: How many calls had to be hung up.
  @discardableResult
  public func drain(deadline: Duration? = nil) async -> Int { 0 }

  /// Hangs a call up, or refuses it when it was not answered yet. Returns at once; `false` when there is no such call.
  @discardableResult
  public func hangUp(
    _ id: CallID, _ end: CallEnd = CallEnd(.agentHungUp, text: "ended by an operator")
  ) -> Bool { false }
}

/// A tool as a model sees it, and what carries it out.
public struct ToolBinding: Sendable {
  public var tool: Tool
  public var adapter: any ToolAdapter
  public init(_ tool: Tool, _ adapter: any ToolAdapter) {
    self.tool = tool
    self.adapter = adapter
  }
}
