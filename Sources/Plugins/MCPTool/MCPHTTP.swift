internal import RouterCore

/// Posts messages and reads the answers, whichever form they come in: what both eras of the protocol share.
struct MCPHTTP: Sendable {
  /// What came back.
  enum Answer: Sendable {
    case result(JSONValue, session: String?)
    /// The other side says no, in words of the protocol.
    case failure(MCPError, status: Int)
    /// It does not speak the protocol here: status and the first words.
    case other(Int, String)
    /// The stream ended without an answer; the last event that had an identifier.
    case broken(lastEvent: String?)
  }

  static let maximumBytes = 4 << 20
  static let maximumEventBytes = 1 << 20
  /// The engine ends a tool long before.
  static let deadline = Duration.seconds(300)

  let http: any HTTPStreaming
  let headers: [Header]
  let reach: NetworkReach
  /// What the server says on the way besides the answer: its questions and notifications.
  let aside: @Sendable (MCPMessage) -> Void

  /// Posts a request and waits for the answer to it.
  func post(_ url: String, _ message: JSONValue, id: Int, _ more: [Header]) async throws(HTTPError) -> Answer
  {
    var request = HTTPRequest(
      "POST", url: url,
      headers: headers + more + [
        Header("Content-Type", "application/json"), Header("Accept", "application/json, text/event-stream"),
      ], body: Array(message.text.utf8), deadline: MCPHTTP.deadline, maximumBodyBytes: MCPHTTP.maximumBytes)
    request.reach = reach
    return try await read(try await http.stream(request, limits: limits), id)
  }

  /// Goes on reading a stream that broke (2025-11-25, "Resumability").
  func resume(_ url: String, after event: String, id: Int, _ more: [Header]) async throws(HTTPError) -> Answer
  {
    var request = HTTPRequest(
      "GET", url: url,
      headers: headers + more + [Header("Accept", "text/event-stream"), Header("Last-Event-ID", event)],
      deadline: MCPHTTP.deadline, maximumBodyBytes: MCPHTTP.maximumBytes)
    request.reach = reach
    return try await read(try await http.stream(request, limits: limits), id)
  }

  /// Posts what has no answer: a notification, or our answer to the server's question.
  /// - Returns: The status.
  @discardableResult
  func tell(_ url: String, _ message: JSONValue, _ more: [Header]) async throws(HTTPError) -> Int {
    var request = HTTPRequest(
      "POST", url: url,
      headers: headers + more + [
        Header("Content-Type", "application/json"), Header("Accept", "application/json, text/event-stream"),
      ], body: Array(message.text.utf8), deadline: .seconds(5), maximumBodyBytes: 64 << 10)
    request.reach = reach
    return try await http.stream(request, limits: HTTPStreamLimits(head: .seconds(5), idle: .seconds(5)))
      .status
  }

  /// A tool may think for long before its first word; the engine's limit is what counts.
  private var limits: HTTPStreamLimits { HTTPStreamLimits(head: MCPHTTP.deadline, idle: MCPHTTP.deadline) }

  private func read(_ stream: HTTPStream, _ id: Int) async throws(HTTPError) -> Answer {
    let kind = stream.header("Content-Type")?.lowercased() ?? ""
    let session = stream.header("Mcp-Session-Id")
    if kind.hasPrefix("text/event-stream"), stream.status == 200 {
      return try await readEvents(stream, id, session)
    }
    var bytes: [UInt8] = []
    while let piece = try await stream.body.next() { bytes += piece }
    if let answer = find(id, in: MCPMessage.read(bytes), stream.status, session) { return answer }
    return .other(stream.status, String(decoding: bytes.prefix(200), as: UTF8.self))
  }

  private func readEvents(_ stream: HTTPStream, _ id: Int, _ session: String?) async throws(HTTPError)
    -> Answer
  {
    var reader = ServerSentEventReader(maximumEventBytes: MCPHTTP.maximumEventBytes)
    var last: String?
    while let piece = try await stream.body.next() {
      let events: [ServerSentEvent]
      do { events = try reader.add(piece) } catch {
        throw HTTPError(.tooLarge, "an event of the stream is too long")
      }
      for event in events {
        if !event.id.isEmpty { last = event.id }
        // An event without data only carries its identifier, to resume from.
        if event.data.isEmpty { continue }
        if let answer = find(id, in: MCPMessage.read(Array(event.data.utf8)), 200, session) { return answer }
      }
    }
    // A last event that was not ended properly; one that is too long is none.
    if let event = try? reader.rest(),
      let answer = find(id, in: MCPMessage.read(Array(event.data.utf8)), 200, session)
    {
      return answer
    }
    return .broken(lastEvent: last)
  }

  /// The answer among the messages; the others are passed on.
  private func find(_ id: Int, in messages: [MCPMessage], _ status: Int, _ session: String?) -> Answer? {
    var found: Answer?
    for message in messages {
      switch message {
      case .response(id, let result): found = .result(result, session: session)
      case .failure(let failed, let error) where failed == id || failed == nil:
        found = .failure(error, status: status)
      default: aside(message)
      }
    }
    return found
  }
}
