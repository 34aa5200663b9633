public import RouterCore

/// The other side of a plugin: a server that behaves like somebody's service, as its script says, and that holds
/// whoever calls it strictly to that service's rules.
///
/// `routerd emulate KIND` serves one for people; tests make one in their own process with ``RunningEmulator``.
public protocol Emulator: Sendable {
  /// The KIND of `routerd emulate KIND`.
  static var name: String { get }
  /// One line for the help.
  static var summary: String { get }
  /// What it can be told, besides where to listen.
  static var options: [EmulatorOption] { get }
  /// A few lines for the help: how to point routerd at it.
  static var notes: String { get }
  /// Made before it listens. Throws ``EmulatorError`` for options that make no sense.
  init(_ options: EmulatorOptions, _ host: EmulatorHost) throws
  /// Answers one request; a WebSocket begins as one, too.
  func answer(_ request: HTTPServerRequest) async -> HTTPServerReply
  /// What it does of its own accord while it serves at `address`, until its task is cancelled; returning early is
  /// no end of the serving.
  func act(at address: SocketAddress) async throws
}

extension Emulator {
  public static var notes: String { "" }
  public func act(at address: SocketAddress) async throws {}
}

/// Every emulator, a line each. To add one: a folder here with its code, and a line.
public let emulators: [any Emulator.Type] = [
  RealtimeEmulator.self, ChatEmulator.self, WebhookEmulator.self, DeepgramEmulator.self, TelnyxEmulator.self,
  TwilioEmulator.self, VonageEmulator.self,
]

/// What an emulator gets from whoever runs it.
public struct EmulatorHost: Sendable {
  /// What it saw and what was wrong with it.
  public var report: EmulatorReport
  /// The loop that it serves on.
  public var loop: EventLoop
  /// The way out, for emulators that call somebody.
  public var http: HTTPClient
  /// Who speaks for emulators that have somebody ring up; `nil` when nobody can.
  public var synthesizer: (any SpeechSynthesizer)?

  public init(
    report: EmulatorReport, loop: EventLoop, http: HTTPClient,
    synthesizer: (any SpeechSynthesizer)? = nil
  ) {
    self.report = report
    self.loop = loop
    self.http = http
    self.synthesizer = synthesizer
  }
}

/// An emulator cannot be made as it was told.
public struct EmulatorError: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}
