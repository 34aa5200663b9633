internal import FoundationEssentials

/// The calls that are up, and those who watch them. Any thread.
final class LiveCalls: Sendable {
  private struct State {
    var sheets: [ObjectIdentifier: CallSheet] = [:]
    var observers: [Int: AsyncStream<EngineEvent>.Continuation] = [:]
    var nextObserver = 0
    /// Calls whose function has not returned: the live ones, refusals under way, records being saved.
    var unfinished = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var end: CallEnd?
  }

  /// Observers at once; one more gets a stream that is over.
  static let maximumObservers = 64

  private let state = Lock(State())
  private let observerBuffer: Int

  init(observerBuffer: Int) { self.observerBuffer = observerBuffer }

  func begin() { state.withLock { $0.unfinished += 1 } }

  func finish() {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.unfinished -= 1
      guard state.unfinished == 0 else { return [] }
      defer { state.waiting.removeAll() }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Returns when no call is unfinished.
  func waitUntilEmpty() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        guard state.unfinished > 0 else { return true }
        state.waiting.append(continuation)
        return false
      }
      if isEmpty { continuation.resume() }
    }
  }

  /// Adds a call; the end that every call is to have now, if there is one.
  func add(_ sheet: CallSheet) -> CallEnd? {
    state.withLock { state in
      state.sheets[ObjectIdentifier(sheet)] = sheet
      return state.end
    }
  }

  func remove(_ sheet: CallSheet) {
    _ = state.withLock { $0.sheets.removeValue(forKey: ObjectIdentifier(sheet)) }
  }

  var all: [CallSheet] { state.withLock { Array($0.sheets.values) } }

  /// Ends all calls, also those that are just being added.
  /// - Returns: How many there were.
  func stopAll(_ end: CallEnd) -> Int {
    let sheets = state.withLock { state in
      state.end = end
      return Array(state.sheets.values)
    }
    for sheet in sheets { sheet.stop(end) }
    return sheets.count
  }

  /// Tells the observers; the event is not even made when there are none.
  func tell(_ event: @autoclosure () -> EngineEvent) {
    let observers = state.withLock { $0.observers.isEmpty ? [] : Array($0.observers.values) }
    if observers.isEmpty { return }
    let event = event()
    for observer in observers { observer.yield(event) }
  }

  func observe() -> AsyncStream<EngineEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: EngineEvent.self, bufferingPolicy: .bufferingNewest(observerBuffer))
    let number = state.withLock { state -> Int? in
      guard state.observers.count < LiveCalls.maximumObservers else { return nil }
      state.nextObserver += 1
      state.observers[state.nextObserver] = continuation
      return state.nextObserver
    }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.observers.removeValue(forKey: number) }
    }
    return stream
  }
}

/// What everybody may know about one call while it is up: written by its session, read from any thread.
final class CallSheet: Sendable {
  private struct State {
    var route: String?
    var agent: String?
    var state = CallState.received
    var answeredAt: Date?
    var transcript: TranscriptLog
    weak var session: CallSession?  // weak: the session holds the sheet
  }

  let call: InboundCall
  private let state: Lock<State>

  init(_ call: InboundCall, _ settings: EngineSettings) {
    self.call = call
    state = Lock(
      State(
        transcript: TranscriptLog(
          maximumEntries: settings.transcriptEntries, maximumBytes: settings.transcriptBytes)))
  }

  var transcript: [TranscriptEntry] { state.withLock { $0.transcript.entries } }
  var agent: String? { state.withLock { $0.agent } }

  /// Ends the call. Returns at once.
  func stop(_ end: CallEnd) {
    guard let session = state.withLock({ $0.session }) else { return }
    Task { await session.stop(end) }
  }

  /// Hands an answer of the calling application to the call's tools; whether it was waited for.
  func takeFunctionOutput(_ result: ToolResult) async -> Bool {
    await state.withLock { $0.session }?.takeFunctionOutput(result) ?? false
  }

  /// The call was routed; from now on ``stop(_:)`` reaches its session.
  func setRoute(_ route: String?, _ session: CallSession) {
    state.withLock { state in
      state.route = route
      state.session = session
    }
  }

  func setAgent(_ agent: String?) { state.withLock { $0.agent = agent } }
  func setAnswered(_ date: Date) { state.withLock { $0.answeredAt = date } }

  func setState(_ new: CallState) { state.withLock { $0.state = new } }

  func append(_ entry: TranscriptEntry) -> TranscriptEntry? { state.withLock { $0.transcript.append(entry) } }

  var snapshot: LiveCall {
    let state = state.withLock { $0 }
    return LiveCall(
      id: call.id, channel: call.channel, trunk: call.trunk, from: call.from, to: call.to, route: state.route,
      agent: state.agent, state: state.state, since: call.receivedAt, answeredAt: state.answeredAt,
      transcriptTail: state.transcript.entries.suffix(LiveCall.tailLength))
  }
}
