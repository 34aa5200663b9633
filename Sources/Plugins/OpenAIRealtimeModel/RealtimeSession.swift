internal import FoundationEssentials
internal import RouterCore

/// One call's conversation with a realtime server. Lives on the loop of the call's media, and so does its socket:
/// sound passes in both directions without a hop.
actor RealtimeSession: VoiceSession {
  /// Events that wait for the engine; one more and the session is given up.
  static let maximumWaitingEvents = 2048
  /// For the connection and the agreement on the session.
  static let dialTime = Duration.seconds(10)

  private typealias Line = RealtimeLine

  nonisolated let hearingFormat: AudioFormat
  nonisolated let events: AsyncStream<VoiceEvent>
  private nonisolated let loop: EventLoop
  /// The socket that takes the caller's sound; nothing before the conversation begins and after its end.
  private nonisolated let ear = Lock<WebSocket?>(nil)
  /// Finds the caller's turns, when the server is not to.
  private nonisolated let ownEar: Lock<CallerEar>?
  private let reports: AsyncStream<VoiceEvent>.Continuation
  private let settings: SessionSettings
  private let client: HTTPClient
  private let speaker: any Speaker
  private let log: Log
  private let start = ContinuousClock.now
  private var machine: ConversationMachine
  private var lines: [Int: Line] = [:]
  private var lineCount = 0
  private var current = 0
  private var spare: Int?
  private var isClosed = false
  private var alarm: (at: Duration, task: Task<Void, Never>)?
  private var renewal: Task<Void, Never>?

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Connects, and waits until the server agreed to the session.
  static func open(
    _ conversation: ConversationRequest, _ endpoint: Endpoint, speaker: any Speaker, on loop: EventLoop,
    over client: HTTPClient
  ) async throws -> RealtimeSession {
    let session = RealtimeSession(conversation, endpoint, speaker, loop, client)
    try await session.begin()
    return session
  }

  private init(
    _ conversation: ConversationRequest, _ endpoint: Endpoint, _ speaker: any Speaker, _ loop: EventLoop,
    _ client: HTTPClient
  ) {
    hearingFormat = SessionSettings.format(for: conversation.wireFormat)
    settings = SessionSettings(
      agent: conversation.agent, tools: conversation.tools, format: hearingFormat, endpoint: endpoint)
    machine = ConversationMachine(
      settings, firstTurn: conversation.firstTurn, transcript: conversation.transcript)
    ownEar = settings.detectsTurns ? nil : Lock(CallerEar(conversation.agent.turnDetection))
    log = conversation.log.with("provider", conversation.agent.provider)
    self.speaker = speaker
    self.loop = loop
    self.client = client
    (events, reports) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingOldest(RealtimeSession.maximumWaitingEvents))
  }

  private var now: Duration { ContinuousClock.now - start }

  // MARK: The engine's side

  nonisolated func hear(_ audio: AudioFrame) {
    // Half a sample would shift all that follow.
    let count = audio.bytes.count / hearingFormat.bytesPerSample * hearingFormat.bytesPerSample
    guard count > 0, let socket = ear.withLock({ $0 }) else { return }
    let bytes = count == audio.bytes.count ? audio.bytes : Array(audio.bytes.prefix(count))
    guard let ownEar else { return socket.send(.text(ClientEvent.sound(bytes))) }
    let (frames, change) = ownEar.withLock { $0.hear(AudioFrame(hearingFormat, bytes: bytes)) }
    for frame in frames { socket.send(.text(ClientEvent.sound(frame.bytes))) }
    guard let change else { return }
    if loop.isCurrent { assumeIsolated { $0.heard(change) } } else { Task { await heard(change) } }
  }

  private func heard(_ change: TurnDetector.Change) {
    if !isClosed { perform(machine.receive(change, at: now)) }
  }

  func send(_ command: VoiceCommand) {
    guard !isClosed else { return }
    switch command {
    case .close: return close()
    case .begin, .say: ear.withLock { [socket = lines[current]?.socket] in $0 = socket }
    default: break
    }
    perform(machine.obey(command, at: now))
  }

  private func close() {
    guard !isClosed else { return }
    isClosed = true
    ear.withLock { $0 = nil }
    alarm?.task.cancel()
    renewal?.cancel()
    reports.finish()
    for line in lines.values { end(line) }
    lines = [:]
  }

  private func end(_ line: Line) {
    line.ready.resolve(.failure(VoiceFailure(.closed, "closed")))
    line.socket.assumeIsolated { $0.close() }
  }

  // MARK: Sockets

  private func begin() async throws {
    let (number, expiresAt) = try await dial()
    current = number
    // Nothing is asked for before the conversation begins, so these are first.
    for event in machine.memory.events { perform([machine.send(event)]) }
    machine.sessionBegan(expiresAt: expiresAt, unixTime: Date().timeIntervalSince1970, at: now)
    schedule()
  }

  /// Opens a socket and a session on it. Returns the line's number and when its session ends.
  private func dial() async throws(VoiceFailure) -> (Int, Double?) {
    let socket: WebSocket
    do {
      var limits = WebSocketSettings()
      limits.maximumMessageBytes = 8 << 20
      socket = try await WebSocket.connect(
        settings.endpoint.url, headers: settings.endpoint.headers, over: client, settings: limits,
        deadline: RealtimeSession.dialTime)
    } catch {
      throw VoiceFailure(error, settings.endpoint)
    }
    guard let (number, line) = add(socket) else { throw VoiceFailure(.closed, "given up") }
    let late = Task { [ready = line.ready] in
      try? await Task.sleep(for: RealtimeSession.dialTime)  // cancelled when the session is there
      ready.resolve(.failure(VoiceFailure(.timedOut, "no session within \(RealtimeSession.dialTime)")))
    }
    let result = await line.ready.value(cancelled: .failure(VoiceFailure(.closed, "given up")))
    late.cancel()
    switch result {
    case .success(let expiresAt): return (number, expiresAt)
    case .failure(let failure):
      lines[number] = nil
      end(line)
      throw VoiceFailure(failure.kind, settings.endpoint.clean(failure.message))
    }
  }

  /// Begins to listen to a socket; `nil` when nobody wants it any more.
  private func add(_ socket: WebSocket) -> (Int, Line)? {
    guard !isClosed, !Task.isCancelled else {
      socket.assumeIsolated { $0.cut() }
      return nil
    }
    lineCount += 1
    let number = lineCount
    let line = Line(socket)
    lines[number] = line
    socket.assumeIsolated { socket in
      socket.start { [weak self] message in
        self?.assumeIsolated { $0.receive(message, on: number) }
      } onClose: { [weak self] close in
        self?.assumeIsolated { $0.closed(close, number) }
      }
    }
    return (number, line)
  }

  private func renew() async {
    do throws(VoiceFailure) {
      let (number, expiresAt) = try await dial()
      guard !isClosed else { return }
      spare = number
      spareExpiry = expiresAt
      perform(machine.spareReady(at: now))
    } catch {
      if !isClosed { perform(machine.spareFailed(error, at: now)) }
    }
  }

  private var spareExpiry: Double?

  private func moveOver(_ words: [ClientEvent]) {
    guard let number = spare, let line = lines[number] else { return }
    if let old = lines.removeValue(forKey: current) { end(old) }
    current = number
    spare = nil
    ear.withLock { $0 = line.socket }
    log.info("the session was renewed")
    for event in words { perform([machine.send(event)]) }
    machine.sessionBegan(expiresAt: spareExpiry, unixTime: Date().timeIntervalSince1970, at: now)
  }

  private func closed(_ close: WebSocketClose, _ number: Int) {
    guard let line = lines.removeValue(forKey: number) else { return }
    let words = settings.endpoint.clean("the server closed the connection: \(close.code) \(close.reason)")
    line.ready.resolve(.failure(VoiceFailure(.closed, words)))
    guard line.isReady, !isClosed else { return }
    if number == spare {
      spare = nil
      return perform(machine.spareLost(at: now))
    }
    guard number == current else { return }
    // RFC 6455 section 7.4.1: 1001, going away; at the limit of a session's length.
    let isExpiry = close.code == 1001
    perform(isExpiry ? machine.expired(words, isLost: true, at: now) : [.fail(VoiceFailure(.closed, words))])
  }

  // MARK: The server's side

  private func receive(_ message: WebSocketMessage, on number: Int) {
    guard let line = lines[number] else { return }
    let bytes: [UInt8]
    switch message {
    case .text(let text): bytes = text
    case .binary(let data): bytes = data  // some servers send their JSON so
    }
    let message = ServerMessage(bytes)
    guard line.isReady else { return setUp(line, message) }
    guard number == current else { return }
    switch message {
    case .sound(let delta):
      let (turn, actions) = machine.sound(delta, at: now)
      if !actions.isEmpty { perform(actions) }
      if let turn { speaker.play(AudioFrame(hearingFormat, bytes: delta.bytes), turn: turn) }
    case .event(let event): perform(machine.receive(event, at: now))
    case .garbage(let words): perform(machine.receiveGarbage(words))
    }
  }

  private func setUp(_ line: Line, _ message: ServerMessage) {
    switch line.setup.receive(message) {
    case .wait: break
    case .update:
      let update = ClientEvent.updateSession(settings.session)
      line.socket.send(.text(update.text(id: SessionSetup.updateID, settings.endpoint.shape)))
    case .ready:
      line.isReady = true
      line.ready.resolve(.success(line.setup.expiresAt))
    case .failed(let failure): line.ready.resolve(.failure(failure))
    }
  }

  // MARK: Actions

  private func perform(_ actions: [ConversationMachine.Action]) {
    for action in actions where !isClosed {
      switch action {
      case .send(let id, let event):
        lines[current]?.socket.send(.text(event.text(id: id, settings.endpoint.shape)))
      case .report(let event): report(event)
      case .log(let level, let words): log.write(level, settings.endpoint.clean(words))
      case .renew: renewal = Task { await renew() }
      case .moveOver(let words): moveOver(words)
      case .fail(let failure): fail(failure)
      }
    }
    ownEar?.withLock { $0.isAgentSpeaking = machine.isAgentSpeaking }
    schedule()
  }

  private func report(_ event: VoiceEvent) {
    if case .dropped = reports.yield(event) {
      log.error("the engine does not read: \(RealtimeSession.maximumWaitingEvents) events wait")
      close()
    }
  }

  private func fail(_ failure: VoiceFailure) {
    reports.yield(.failed(VoiceFailure(failure.kind, settings.endpoint.clean(failure.message))))
    close()
  }

  /// Wakes the machine when it has something to do.
  private func schedule() {
    let deadline = isClosed ? nil : machine.deadline
    guard deadline != alarm?.at else { return }
    alarm?.task.cancel()
    alarm = deadline.map { deadline in
      let pause = deadline - now
      return (
        deadline,
        Task { [weak self] in
          try? await Task.sleep(for: pause)  // cancelled when the deadline moves
          if !Task.isCancelled { await self?.tick() }
        }
      )
    }
  }

  private func tick() {
    alarm = nil
    if !isClosed { perform(machine.tick(at: now)) }
  }
}
