internal import RouterCore

/// One conversation's ear: a WebSocket that sound goes into while the caller speaks.
final class DeepgramRecognition: RecognitionSession {
  /// How long a `Finalize` may go unconfirmed.
  static let confirmation = Duration.seconds(2)
  /// Without sound or this, the server closes after 10 s (NET-0001). As text: a binary one would be taken for sound.
  static let keepAlive = Duration.seconds(4)

  let hearingFormat: AudioFormat
  let events: AsyncStream<RecognitionEvent>

  private struct State {
    var transcript = DeepgramTranscript()
    var isClosed = false
    /// Counts waits, so that an alarm of an older one is known.
    var wait = 0
  }

  private let state = Lock(State())
  private let report: AsyncStream<RecognitionEvent>.Continuation
  private let socket: WebSocket
  private let backend: HTTPBackend
  private let pulse: Task<Void, Never>

  init(_ socket: WebSocket, _ settings: DeepgramSettings) {
    self.socket = socket
    backend = settings.backend
    hearingFormat = settings.hearing
    (events, report) = AsyncStream.makeStream(
      of: RecognitionEvent.self, bufferingPolicy: .bufferingNewest(256))
    pulse = Task {
      while (try? await Task.sleep(for: DeepgramRecognition.keepAlive)) != nil {  // ends when it is cancelled
        socket.send(.text("{\"type\":\"KeepAlive\"}"))
      }
    }
  }

  deinit {
    pulse.cancel()
    let socket = socket
    Task { await socket.close() }
  }

  func start() async {
    await socket.start(
      onMessage: { [weak self] in self?.take($0) },
      onClose: { [weak self] close in self?.lost(close) })
  }

  func hear(_ audio: AudioFrame) {
    guard audio.format == hearingFormat, audio.sampleCount > 0,
      audio.bytes.count % hearingFormat.bytesPerSample == 0
    else { return }
    let isClosed = state.withLock { state in
      state.transcript.sent(seconds: Double(audio.sampleCount) / Double(audio.format.sampleRate))
      return state.isClosed
    }
    if !isClosed { socket.send(.binary(audio.bytes)) }
  }

  func endUtterance() { obey { $0.end() } }

  private func take(_ message: WebSocketMessage) {
    guard case .text(let bytes) = message, let value = JSONValue(parsing: bytes) else { return }
    obey { $0.take(value) }
  }

  /// Lets the transcript decide, and does what it wants, in order.
  /// - Parameter number: Only while this wait still goes on.
  private func obey(
    ifWaiting number: Int? = nil, _ decide: (inout DeepgramTranscript) -> [DeepgramTranscript.Action]
  ) {
    let (wait, isNew) = state.withLock { state -> (Int, Bool) in
      guard !state.isClosed, number == nil || number == state.wait else { return (0, false) }
      var isNew = false
      for action in decide(&state.transcript) {
        switch action {
        case .report(.failed(let failure)):
          state.isClosed = true
          report.yield(.failed(VoiceFailure(failure.kind, backend.redacted(failure.message))))
          report.finish()
        case .report(let event):
          if case .final = event { isNew = state.transcript.isWaiting }
          report.yield(event)
        case .finalize:
          isNew = true
          socket.send(.text("{\"type\":\"Finalize\"}"))
        }
      }
      if isNew { state.wait += 1 }
      return (state.wait, isNew)
    }
    guard isNew else { return }
    Task { [weak self] in
      do { try await Task.sleep(for: DeepgramRecognition.confirmation) } catch { return }
      self?.obey(ifWaiting: wait) { $0.timedOut() }
    }
  }

  private func lost(_ close: WebSocketClose) {
    state.withLock { state in
      guard !state.isClosed else { return }
      state.isClosed = true
      let kind: VoiceFailure.Kind = close.code == 1008 ? .protocolError : .closed
      report.yield(.failed(VoiceFailure(kind, "\(close.code) \(backend.redacted(close.reason))")))
      report.finish()
    }
    pulse.cancel()
  }

  func close() async {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    pulse.cancel()
    report.finish()
    if isFirst { socket.send(.text("{\"type\":\"CloseStream\"}")) }
    await socket.close()
  }
}
