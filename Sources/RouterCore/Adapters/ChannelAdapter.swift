/// A way for calls to come in.
public protocol ChannelAdapter: Plugin {
  /// What this channel can do besides carrying a conversation; `check` compares it with what routes ask for.
  static var capabilities: ChannelCapabilities { get }
  /// Serves until the task is cancelled. Each call is handed over as `await calls(call, on: leg)`, in a child task
  /// of its own; when that returns, the call is over. Throws when it cannot serve at all (an address in use).
  func run(_ calls: CallIntake) async throws
  /// Waits until calls can come in, or never will, while ``run(_:)`` is under way. Returns where they come in, in words
  /// for a person, e.g. `udp:192.0.2.1:5060`; nothing when they cannot.
  func ready() async -> [String]
}

extension ChannelAdapter {
  /// For a channel that opens nothing.
  public func ready() async -> [String] { [] }
}

/// What a channel can do, as data.
public struct ChannelCapabilities: Sendable, Hashable {
  /// The caller can be handed to somebody else.
  public var transfer: Bool
  /// Keys of the caller are heard.
  public var digits: Bool
  /// Keys can be sent.
  public var sendsDigits: Bool
  /// A reason for a rejection reaches the caller's network.
  public var rejectReasons: Bool
  public init(
    transfer: Bool = false, digits: Bool = true, sendsDigits: Bool = false, rejectReasons: Bool = false
  ) {
    self.transfer = transfer
    self.digits = digits
    self.sendsDigits = sendsDigits
    self.rejectReasons = rejectReasons
  }
}

/// Where a channel hands its calls to.
public struct CallIntake: Sendable {
  private let handle: @Sendable (InboundCall, any CallLeg) async -> Void
  private let note: @Sendable (InboundCall, CallEnd) async -> Void

  /// The engine makes one; tests make their own.
  /// - Parameter refused: Takes the calls that the channel refused by itself, for their records.
  public init(
    _ handle: @escaping @Sendable (InboundCall, any CallLeg) async -> Void,
    refused: @escaping @Sendable (InboundCall, CallEnd) async -> Void = { _, _ in }
  ) {
    self.handle = handle
    note = refused
  }

  /// The whole call. Returns when it is over, whatever happened; cancelling the task hangs up.
  public func callAsFunction(_ call: InboundCall, on leg: any CallLeg) async { await handle(call, leg) }

  /// A call of a known peer that the channel had to refuse before there was anything to route, e.g. because no codec
  /// fits: it leaves a record like any other. Not for strangers and floods, whose number nobody bounds.
  public func refused(_ call: InboundCall, _ end: CallEnd) async { await note(call, end) }
}
