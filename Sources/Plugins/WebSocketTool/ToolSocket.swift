internal import FoundationEssentials
internal import RouterCore

/// One socket to a tool's server, for the length of a call: connects, connects again when it breaks (within limits),
/// and matches answers to calls. Lives on the client's loop.
actor ToolSocket {
  /// Attempts in a row, and in a whole call.
  static let maximumAttempts = 4
  static let maximumConnections = 12
  /// How long the first attempt may take when the conversation waits for it, and any other.
  static let patientDeadline = Duration.seconds(3)
  static let deadline = Duration.seconds(10)
  /// Frames that wait for a connection; more are dropped, the oldest first.
  static let maximumWaiting = 64
  /// Bytes of a frame that we take.
  static let maximumFrameBytes = 1 << 20

  nonisolated let isWaitedFor: Bool
  nonisolated let aborts: Bool
  nonisolated let receivesMessages: Bool
  private let functions: [FunctionDefinition]
  private let request: ToolRequest
  private let client: HTTPClient
  private let first = OneShot<Bool>()
  /// Lines of the conversation on their way here, in order.
  private nonisolated let heard = Lock<[String]>([])
  private var socket: WebSocket?
  private var connecting: Task<Void, Never>?
  private var connections = 0
  private var isClosed = false
  private var waiting: [String] = []
  private var calls: [String: OneShot<Result<ToolResult, ToolFailure>>] = [:]

  nonisolated var unownedExecutor: UnownedSerialExecutor { client.unownedExecutor }

  /// - Parameter functions: All of the same server; never empty.
  init(_ functions: [FunctionDefinition], _ request: ToolRequest, _ client: HTTPClient) {
    self.functions = functions
    self.request = request
    self.client = client
    isWaitedFor = functions.contains(where: \.connectionBehavior.waitBeforeStart)
    aborts = functions.contains(where: \.connectionBehavior.abortOnFailure)
    receivesMessages = functions.contains(where: \.receiveMessages)
  }

  // MARK: For the session

  func start() { connect(isFirst: true) }

  /// Whether the first attempt to connect succeeded.
  nonisolated func firstAttempt() async -> Bool { await first.value(cancelled: false) }

  func run(_ call: ToolCall) async throws -> ToolResult {
    guard !isClosed, socket != nil || connecting != nil else {
      throw ToolFailure("Failed to fetch information: the function's server cannot be reached")
    }
    let answer = OneShot<Result<ToolResult, ToolFailure>>()
    calls[call.id] = answer
    send(ToolFrames.call(call))
    defer { calls[call.id] = nil }
    return try await answer.value(cancelled: .failure(ToolFailure("given up"))).get()
  }

  nonisolated func hear(_ entry: TranscriptEntry) {
    guard receivesMessages, let frame = ToolFrames.message(entry, now: Date()) else { return }
    let mustTell = heard.withLock { heard in
      heard.append(frame)
      return heard.count == 1
    }
    if mustTell { Task { await sendHeard() } }
  }

  private func sendHeard() {
    let frames = heard.withLock { heard in
      defer { heard = [] }
      return heard
    }
    for frame in frames { send(frame) }
  }

  func close() async {
    isClosed = true
    connecting?.cancel()
    first.resolve(false)
    failCalls("the call is over")
    await socket?.close()
  }

  // MARK: The connection

  private func connect(isFirst: Bool = false) {
    guard !isClosed, connecting == nil else { return }
    connecting = Task {
      let isOpen = await tryToConnect(isFirst: isFirst)
      connecting = nil
      guard !isOpen, !isClosed else { return }
      failCalls("Failed to fetch information: the function's server cannot be reached")
      request.report(.lost("the server of \(names) cannot be reached", aborts: aborts))
    }
  }

  private var names: String { functions.map(\.key).joined(separator: ", ") }

  private func tryToConnect(isFirst: Bool) async -> Bool {
    for attempt in 0..<ToolSocket.maximumAttempts
    where !isClosed && connections < ToolSocket.maximumConnections {
      connections += 1
      if attempt > 0 {
        // Cancelled: the next attempt ends at once.
        try? await Task.sleep(for: .milliseconds(250 << attempt))
      }
      let isPatient = isFirst && attempt == 0 && isWaitedFor
      let isOpen = await open(within: isPatient ? ToolSocket.patientDeadline : ToolSocket.deadline)
      if isFirst, attempt == 0 { first.resolve(isOpen) }
      if isOpen { return true }
    }
    return false
  }

  private func open(within deadline: Duration) async -> Bool {
    var settings = WebSocketSettings()
    settings.maximumMessageBytes = ToolSocket.maximumFrameBytes
    do throws(HTTPError) {
      let socket = try await WebSocket.connect(
        functions[0].url ?? "", headers: functions[0].headers, over: client, settings: settings,
        deadline: deadline, reach: functions[0].reach)
      guard !isClosed else {
        await socket.start(onMessage: { _ in }, onClose: { _ in })
        await socket.close()
        return false
      }
      self.socket = socket
      socket.send(.text(ToolFrames.initialize(functions, request.call, request.agent)))
      for frame in waiting { socket.send(.text(frame)) }
      waiting = []
      await socket.start { [weak self] message in
        self?.assumeIsolated { $0.take(message) }
      } onClose: { [weak self] close in
        self?.assumeIsolated { $0.closed(close) }
      }
      return true
    } catch {
      let words = functions[0].withoutSecrets(error.message)
      request.log.warning("a tool's socket: \(words)", ("functions", names))
      return false
    }
  }

  private func send(_ frame: String) {
    if let socket { return socket.send(.text(frame)) }
    guard connecting != nil else { return }
    if waiting.count == ToolSocket.maximumWaiting { waiting.removeFirst() }
    waiting.append(frame)
  }

  private func take(_ message: WebSocketMessage) {
    let bytes =
      switch message {
      case .text(let bytes), .binary(let bytes): bytes
      }
    switch ToolFrames.read(bytes) {
    case .output(let id, let output, let isError):
      calls[id]?.resolve(.success(ToolResult(callID: id, output: output, isError: isError)))
    case .update(let data): request.report(.update(function: functions[0].key, data))
    case .context(let text, let responds): request.report(.context(text, responds: responds))
    case .other(let what):
      request.log.debug("a tool's socket: a frame that is not understood", ("type", String(what.prefix(40))))
    }
  }

  private func closed(_ close: WebSocketClose) {
    socket = nil
    guard !isClosed else { return }
    request.log.notice("a tool's socket was closed: \(close.code)", ("functions", names))
    // They are not sent again: the server may have carried them out.
    failCalls("Failed to fetch information: the connection to the function's server was lost")
    connect()
  }

  private func failCalls(_ words: String) {
    for call in calls.values { call.resolve(.failure(ToolFailure(words))) }
  }
}
