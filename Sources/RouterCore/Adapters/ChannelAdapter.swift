/// A way for calls to come in.
public protocol ChannelAdapter: Plugin {
  /// What this channel can do besides carrying a conversation; `check` compares it with what routes ask for.
  static var capabilities: ChannelCapabilities { get }
  /// What its calls are called in `channel:` of routes; the plugin's name unless it says otherwise.
  static var kind: ChannelKind { get }
  /// Serves until the task is cancelled. Each call is handed over as `await calls(call, on: leg)`, in a child task
  /// of its own; when that returns, the call is over. A channel on an event loop has a quicker way,
  /// ``CallIntake/start(_:on:over:)``. Throws when it cannot serve at all (an address in use).
  func run(_ calls: CallIntake) async throws
  /// Waits until calls can come in, or never will, while ``run(_:)`` is under way. Returns where they come in, in words
  /// for a person, e.g. `udp:192.0.2.1:5060`; nothing when they cannot.
  func ready() async -> [String]
}

extension ChannelAdapter {
  public static var kind: ChannelKind { ChannelKind(rawValue: name) }

  /// For a channel that opens nothing.
  public func ready() async -> [String] { [] }
}

/// Where a channel hands its calls to.
public struct CallIntake: Sendable {
  /// Starts a call on the leg's executor; calls the closure once when the call is over. What comes back cancels it.
  public typealias Start =
    @Sendable (InboundCall, any CallLeg, @escaping @Sendable () -> Void) -> @Sendable () -> Void

  private let handle: @Sendable (InboundCall, any CallLeg) async -> Void
  private let begin: Start?
  private let note: @Sendable (InboundCall, CallEnd) async -> Void

  /// The engine makes one; tests make their own.
  /// - Parameters:
  ///   - start: The quick way in for ``start(_:on:over:)``; without it that is a task around `handle`.
  ///   - refused: Takes the calls that the channel refused by itself, for their records.
  public init(
    _ handle: @escaping @Sendable (InboundCall, any CallLeg) async -> Void, start: Start? = nil,
    refused: @escaping @Sendable (InboundCall, CallEnd) async -> Void = { _, _ in }
  ) {
    self.handle = handle
    begin = start
    note = refused
  }

  /// The whole call. Returns when it is over, whatever happened; cancelling the task hangs up.
  public func callAsFunction(_ call: InboundCall, on leg: any CallLeg) async { await handle(call, leg) }

  /// The whole call without a task, for a channel that lives on an event loop. Must be called on the leg's executor;
  /// the call may be answered, and even be over, before this returns.
  /// - Parameter over: Called once, on any thread, when the call is over and its record was saved.
  /// - Returns: Cancels the call, as cancelling the task would: it is hung up, and `over` is called later. Any thread.
  public func start(
    _ call: InboundCall, on leg: any CallLeg, over: @escaping @Sendable () -> Void
  ) -> @Sendable () -> Void {
    if let begin { return begin(call, leg, over) }
    let task = Task {
      await handle(call, leg)
      over()
    }
    return { task.cancel() }
  }

  /// A call of a known peer that the channel had to refuse before there was anything to route, e.g. because no codec
  /// fits: it leaves a record like any other. Not for strangers and floods, whose number nobody bounds.
  public func refused(_ call: InboundCall, _ end: CallEnd) async { await note(call, end) }
}
