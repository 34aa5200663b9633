internal import CLibre
internal import FoundationEssentials

/// A WebSocket (RFC 6455) on an event loop, as client or server: libcurl or the HTTP server connects, wslay frames.
///
/// Messages arrive inline on the loop, so an adapter that is pinned to the same loop takes them without a hop.
/// A started socket lives until its end, whoever still refers to it: close it.
public actor WebSocket {
  /// Bytes that are taken in one turn of the loop: a flood here costs the calls beside it no more than that.
  static let bytesATurn = 64 << 10

  private nonisolated let loop: EventLoop
  private nonisolated let outbox = Lock<[WebSocketMessage]>([])
  private let settings: WebSocketSettings
  private let connection: any StreamConnection
  private let framing: WebSocketFraming
  private let heartbeat = LoopTimer()
  private let deadline = LoopTimer()
  private let nextTurn = LoopTimer()
  private var onMessage: (@Sendable (WebSocketMessage) -> Void)?
  private var onClose: (@Sendable (WebSocketClose) -> Void)?
  private var early: [WebSocketMessage] = []
  private var end: WebSocketClose?
  private var isListeningForWrite = false
  /// No sign of life came since the last ping.
  private var wasSilent = false
  /// The other side answers pings: some clients never do.
  private var answersPings = false
  private var isDeaf = false
  private var buffer = [UInt8](repeating: 0, count: 16 << 10)

  /// The loop that the socket lives on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Connects and shakes hands within `deadline`.
  ///
  /// - Parameters:
  ///   - url: `ws:` or `wss:`.
  ///   - headers: Extra ones, e.g. `Authorization`.
  ///   - protocols: Offered subprotocols.
  ///   - reach: Which addresses it may connect to.
  public static func connect(
    _ url: String, headers: [Header] = [], protocols: [String] = [], over client: HTTPClient,
    settings: WebSocketSettings = .init(), deadline: Duration = .seconds(10), reach: NetworkReach = .anywhere
  ) async throws(HTTPError) -> WebSocket {
    guard url.hasPrefix("ws://") || url.hasPrefix("wss://") else {
      throw HTTPError(
        .invalidURL, "\(HTTPExchange.host(of: url)): a WebSocket's URL begins with ws:// or wss://")
    }
    let httpURL = "http" + url.dropFirst(2)
    let key = Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    let handshake = try WebSocketHandshake(url: httpURL, headers: headers, protocols: protocols, key: key)
    return try await client.open(handshake, httpURL, settings, deadline, reach)
  }

  /// - Parameter rest: Bytes that came together with the handshake.
  init(
    _ role: WebSocketFraming.Role, _ connection: any StreamConnection, rest: [UInt8], on loop: EventLoop,
    _ settings: WebSocketSettings
  ) {
    self.connection = connection
    self.loop = loop
    self.settings = settings
    let framing = WebSocketFraming(role, maximumMessageBytes: settings.maximumMessageBytes)
    early = rest.withUnsafeBytes { framing.read($0) }
    self.framing = framing
  }

  /// Begins to deliver. Both handlers run inline on the loop; `onClose` is the last call, exactly once.
  public func start(
    onMessage: @escaping @Sendable (WebSocketMessage) -> Void,
    onClose: @escaping @Sendable (WebSocketClose) -> Void
  ) {
    precondition(self.onMessage == nil, "a WebSocket is started once")
    self.onMessage = onMessage
    self.onClose = onClose
    if let end {
      forget()
      return onClose(end)
    }
    for message in early { onMessage(message) }
    early = []
    listen(writing: false)
    readAll()
    scheduleHeartbeat()
    if settings.mustAnswerPings {  // to know early whether it does at all
      framing.ping()
      writeAll()
    }
  }

  /// Sends a message, from any thread and in order. After the end it does nothing.
  public nonisolated func send(_ message: WebSocketMessage) {
    if loop.isCurrent { return assumeIsolated { $0.sendNow(message) } }
    let isFirst = outbox.withLock { outbox in
      outbox.append(message)
      return outbox.count == 1
    }
    if isFirst {
      Task { await sendOutbox() }
    }
  }

  /// Closes in order: what was sent before, our close frame, then the other side's, or the time limit.
  public func close(_ code: Int = 1000, _ reason: String = "") {
    sendOutbox()
    guard end == nil else { return }
    framing.close(WebSocketClose(code: code, reason: reason))
    writeAll()
    deadline.start(settings.closeMilliseconds) { [weak self] in
      self?.assumeIsolated { $0.finish(WebSocketClose(code: code, reason: reason)) }
    }
  }

  /// Takes nothing more from the other side, for good: what it sends waits in the connection, and then with itself. For those
  /// who play somebody that hangs; what is sent goes out still.
  public func stopReading() {
    guard end == nil else { return }
    isDeaf = true
    isListeningForWrite = false
    heartbeat.cancel()
    connection.pause()
  }

  /// Ends the connection at once, without a close frame; what was sent before may be lost.
  public func cut() { finish(.broken("cut")) }

  /// What other threads queued before goes first.
  private func sendNow(_ message: WebSocketMessage) {
    if outbox.withLock({ !$0.isEmpty }) { sendOutbox() }
    guard end == nil, framing.write(message) else { return }
    writeAll()
  }

  private func sendOutbox() {
    let messages = outbox.withLock { outbox in
      defer { outbox = [] }
      return outbox
    }
    guard end == nil else { return }
    for message in messages where !framing.write(message) { break }
    writeAll()
  }

  // MARK: The connection

  private func listen(writing: Bool) {
    isListeningForWrite = writing
    let isHeard = connection.listen(writing: writing) { [self] in assumeIsolated { $0.readAll() } }
    if !isHeard { finish(.broken("the event loop has no room for another socket")) }
  }

  private func readAll() {
    var left = WebSocket.bytesATurn
    while end == nil, !isDeaf {
      // The loop asks again where the kernel has more; what a layer of its own has read ahead, it does not see.
      guard left > 0 else {
        if !connection.isPlain { nextTurn.start(0) { [weak self] in self?.assumeIsolated { $0.readAll() } } }
        return writeAll()
      }
      switch buffer.withUnsafeMutableBytes({ connection.read(into: $0) }) {
      case .bytes(let count):
        left -= count
        let messages = buffer.withUnsafeBytes { framing.read(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        let hasAnswered = framing.takePong()
        answersPings = answersPings || hasAnswered
        if hasAnswered || !(settings.mustAnswerPings && answersPings) { wasSilent = false }
        for message in messages { onMessage?(message) }
        guard end == nil else { return }
        if let end = framing.end {
          writeAll()
          return finish(end)
        }
        if connection.isPlain, count < buffer.count { return writeAll() }
      case .wouldBlock:
        return writeAll()
      case .closed(let why):
        return finish(framing.end ?? .broken(why))
      }
    }
  }

  private func writeAll() {
    while end == nil, !framing.output.isEmpty {
      switch framing.output.withUnsafeBytes({ connection.write($0) }) {
      case .bytes(let count): framing.wrote(count)
      case .closed(let why): return finish(framing.end ?? .broken(why))
      case .wouldBlock:
        // One message may be longer than the limit: nobody could take it at once.
        guard framing.output.count <= settings.maximumQueuedBytes + framing.longestMessage else {
          return finish(.givenUp("the other side reads too slowly"))
        }
        if !isListeningForWrite, !isDeaf, onMessage != nil { listen(writing: true) }
        return
      }
    }
    if end == nil, isListeningForWrite { listen(writing: false) }
  }

  private func scheduleHeartbeat() {
    heartbeat.start(settings.pingMilliseconds) { [weak self] in
      self?.assumeIsolated { me in
        if me.wasSilent { return me.finish(.givenUp("no answer to a ping")) }
        me.wasSilent = true
        me.framing.ping()
        me.writeAll()
        if me.end == nil { me.scheduleHeartbeat() }
      }
    }
  }

  private func finish(_ close: WebSocketClose) {
    guard end == nil else { return }
    end = close
    heartbeat.cancel()
    deadline.cancel()
    nextTurn.cancel()
    connection.close()
    let onClose = onClose
    forget()
    onClose?(close)
  }

  /// Whoever listened may refer to this socket.
  private func forget() {
    onMessage = nil
    onClose = nil
  }

  isolated deinit {
    connection.close()
  }
}
