internal import RouterCore

/// Reads one response, piece by piece as they arrive.
struct ChatReader: Sendable {
  private let body: HTTPBody
  private let backend: HTTPBackend
  /// A server that does not stream sends one JSON object.
  private let isWhole: Bool
  private var events = ServerSentEventReader()
  private var collected: [UInt8] = []
  private var isOver = false
  private(set) var turn: ChatTurn

  init(_ stream: HTTPStream, _ backend: HTTPBackend, _ turn: TurnID) throws(BackendFailure) {
    let type = stream.header("content-type")?.lowercased() ?? ""
    if type.hasPrefix("text/html") {
      throw BackendFailure(VoiceFailure(.protocolError, "the answer is a web page; is the baseURL right?"))
    }
    isWhole = type.hasPrefix("application/json")
    body = stream.body
    self.backend = backend
    self.turn = ChatTurn(turn)
  }

  /// What came next, perhaps nothing of interest; `nil` after the end.
  mutating func next(within limit: Duration) async throws(BackendFailure) -> [ChatTurn.Piece]? {
    guard !isOver else { return nil }
    let bytes: [UInt8]?
    do { bytes = try await body.next(within: limit) } catch { throw backend.failure(error) }
    if isWhole {
      guard let bytes else { return try take(collected) + end() }
      collected += bytes  // bounded by the exchange's limit
      return []
    }
    var pieces: [ChatTurn.Piece] = []
    do {
      let complete = try bytes.map { try events.add($0) } ?? [events.rest()].compactMap { $0 }
      for event in complete { pieces += try take(event) }
    } catch {
      // What came before it is an answer, as far as it goes.
      let failure = error as? BackendFailure ?? ChatReader.garbage("an event without an end")
      guard pieces.isEmpty else { return pieces + [.failed(words: failure.failure.message, code: nil)] }
      throw failure
    }
    return bytes == nil ? pieces + end() : pieces
  }

  /// Reads what follows the answer (its usage), so that the connection can serve the next turn.
  func drain(within limit: Duration) async {
    let deadline = ContinuousClock.now + limit
    // An end that is not to be had soon is no end: letting go of the body closes the connection.
    while let bytes = try? await body.next(within: deadline - ContinuousClock.now), !bytes.isEmpty {}
  }

  private mutating func end() -> [ChatTurn.Piece] {
    isOver = true
    return turn.end()
  }

  private mutating func take(_ event: ServerSentEvent) throws(BackendFailure) -> [ChatTurn.Piece] {
    let data = event.data.drop(while: \.isWhitespace)
    if isOver || data.isEmpty { return [] }
    if data.hasPrefix("[DONE]") { return end() }
    return try take(Array(data.utf8))
  }

  private mutating func take(_ json: [UInt8]) throws(BackendFailure) -> [ChatTurn.Piece] {
    guard let chunk = JSONValue(parsing: json), case .object = chunk else {
      throw ChatReader.garbage("what should be JSON is not")
    }
    return turn.take(chunk)
  }

  private static func garbage(_ words: String) -> BackendFailure {
    BackendFailure(VoiceFailure(.protocolError, "the answer makes no sense: \(words)"), isTransient: true)
  }
}
