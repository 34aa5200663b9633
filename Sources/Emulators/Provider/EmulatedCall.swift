public import RouterCore

/// What the caller of an emulated call notices.
public enum CallNotice: Hashable, Sendable {
  case answered
  /// With the SIP status that the provider gives the caller's network; 0 where it gives none.
  case refused(status: Int)
  case ended
}

/// What a live call's target does when it is called for a hand-over.
public enum DialTarget: String, Sendable, CaseIterable { case answer, busy, noAnswer = "no-answer", failed }

/// One call at an emulated provider: from its first webhook to its last.
public protocol EmulatedCall: Actor {
  /// The provider's name of it.
  nonisolated var id: String { get }
  /// What all of them have.
  var line: EmulatedLine { get set }
  /// Gives up before the answer, or hangs up after it.
  func hangUp() async
  /// The stream has told of a key.
  func pressed(_ key: Character)
}

/// What every emulated call has, whatever its provider.
public struct EmulatedLine: Sendable {
  let host: EmulatorHost
  /// Samples a second of the caller who follows a script.
  let rate: Int
  var caller: ScriptedCaller?
  let notice: @Sendable (CallNotice) -> Void
  var stream: EmulatedStream?
  var streamURLs: [String] = []
  var prelude: [WebSocketMessage] = []
  var hang: StreamHang?
  var isAnswered = false
  var isOver = false

  /// Who rings up, and who is told what the caller notices.
  struct Caller: Sendable {
    var script: ScriptedCaller?
    var notice: @Sendable (CallNotice) -> Void
  }

  init(_ caller: Caller, _ host: EmulatorHost, rate: Int) {
    self.host = host
    self.rate = rate
    self.caller = caller.script
    notice = caller.notice
  }
}

extension EmulatedCall {
  public func pressed(_ key: Character) {}

  /// Presses keys, one after the other.
  public func press(_ keys: String) async { await line.stream?.press(keys) }
  /// Speaks for so long.
  public func speak(milliseconds: Int) async { await line.stream?.speak(milliseconds: milliseconds) }
  /// Breaks the media socket's connection, as a network does.
  public func breakStream() async { await line.stream?.cut() }
  /// Has the media socket's provider hang; the next one's, when there is none yet.
  public func hang(_ hang: StreamHang) async {
    line.hang = hang
    await line.stream?.hang(hang)
  }
  /// Sends on the next media socket what no provider would, before its stream begins.
  public func begin(with messages: [WebSocketMessage]) { line.prelude = messages }
  /// Sends on the media socket what no provider would.
  public func misbehave(_ messages: [WebSocketMessage]) async { await line.stream?.misbehave(messages) }
  /// When the caller last heard something of the agent.
  public func lastSound() async -> ContinuousClock.Instant? { await line.stream?.lastSound }
  /// Where the streams of this call were to go; for tests of what strangers can do with it.
  public var streamURLs: [String] { line.streamURLs }

  /// 20 ms for the caller who follows a script; what he wants done is done by the stream's owner.
  func step(_ heard: [Int16]) -> (said: [Int16]?, actions: [ScriptedCaller.Action]) {
    line.caller?.step(heard) ?? (nil, [])
  }

  func answered() {
    guard !line.isAnswered else { return }
    line.isAnswered = true
    line.host.report.saw("answered")
    line.notice(.answered)
  }

  /// Opens a media socket and lives its stream to the end.
  func live(_ url: String, headers: [Header] = [], _ wire: any StreamWire) async throws(HTTPError) {
    // The providers take wss: alone; a local routerd may do without TLS.
    if !url.hasPrefix("wss://"), !url.hasPrefix("ws://127.0.0.1"), !url.hasPrefix("ws://[::1]") {
      line.host.report.violation("a stream wants wss:, not \(url)")
    }
    line.streamURLs.append(url)
    var settings = WebSocketSettings()
    settings.maximumQueuedBytes = 256 << 20  // room for what no provider would send
    let socket = try await WebSocket.connect(
      url, headers: headers, over: line.host.http, settings: settings)
    if line.isOver || Task.isCancelled { return await socket.close() }
    let stream = EmulatedStream(self, socket, wire, rate: line.rate, line.host)
    line.stream = stream
    if let hang = line.hang { await stream.hang(hang) }
    await stream.run(after: line.prelude)
    if line.stream === stream { line.stream = nil }
  }

  /// A media socket was not connected: that is the server's fault, unless it was hanging up at this very moment, of which one
  /// hears a little later.
  func streamFailed(_ what: String, _ error: HTTPError) async {
    // Cut short when the call ends meanwhile.
    try? await Task.sleep(for: .milliseconds(500))
    // The emulator itself may be at its end.
    if !line.isOver, error.kind != .cancelled { line.host.report.violation("\(what): \(error)") }
  }

  func stopStream() async {
    await line.stream?.stop()
    line.stream = nil
  }

  /// The call is over: nothing of it goes on. False when it was over already.
  func finish() async -> Bool {
    guard !line.isOver else { return false }
    line.isOver = true
    await stopStream()
    line.caller?.finish()
    return true
  }
}

/// A call that follows a document of its server's, step by step, until another one takes its place.
protocol FollowingCall: EmulatedCall {
  associatedtype Step: Sendable
  var script: FollowedScript { get set }
  /// One step; false when the document is over with it.
  func perform(_ step: Step) async -> Bool
  /// The document is over, or there was none that could be understood.
  func ranOut(wasUnderstood: Bool) async
}

/// Which document is followed.
struct FollowedScript: Sendable {
  var task: Task<Void, Never>?
  var number = 0
}

extension FollowingCall {
  /// Follows a document to its end; `nil` is none.
  func follow(_ steps: [Step]?) async {
    script.number += 1
    let number = script.number
    guard !Task.isCancelled, !line.isOver else { return }
    for step in steps ?? [] {
      guard await perform(step), !Task.isCancelled, !line.isOver, number == script.number else { return }
    }
    await ranOut(wasUnderstood: steps != nil)
  }

  /// Another document takes the place of the one that is followed; false when the call is not up.
  func replace(_ steps: [Step]) -> Bool {
    guard line.isAnswered, !line.isOver else { return false }
    script.task?.cancel()
    script.task = Task {
      await stopStream()
      await follow(steps)
    }
    return true
  }
}
