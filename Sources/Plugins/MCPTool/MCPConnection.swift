internal import RouterCore

/// A server as one call, or the catalogue, sees it: which era it is of, its session, and requests to it.
actor MCPConnection {
  /// How the server is spoken to.
  enum Era: Sendable, Hashable {
    case session(version: String)
    case stateless
    case oldStreams
  }

  static let maximumResumptions = 3

  nonisolated let server: MCPServer
  private let http: MCPHTTP
  private let streaming: any HTTPStreaming
  private let log: Log
  private let changed: @Sendable () -> Void
  private let asides: AsyncStream<MCPMessage>
  private var answering: Task<Void, Never>?
  private var url: String
  private var era: Era?
  private var session: String?
  private var instructions = ""
  private var opening: Task<Void, any Error>?
  private var old: MCPOldStream?
  private var nextID = 0
  private var isClosed = false

  /// - Parameter changed: The server's list of tools is another one now.
  init(
    _ server: MCPServer, over http: any HTTPStreaming, _ log: Log,
    changed: @escaping @Sendable () -> Void = {}
  ) {
    self.server = server
    self.log = log
    self.changed = changed
    streaming = http
    url = server.url
    let (asides, take) = AsyncStream.makeStream(of: MCPMessage.self, bufferingPolicy: .bufferingNewest(64))
    self.asides = asides
    self.http = MCPHTTP(http: http, headers: server.headers, reach: server.reach) { take.yield($0) }
  }

  deinit { answering?.cancel() }

  // MARK: For the tool

  /// Shakes hands, unless that was done. Throws ``ToolFailure``.
  func open() async throws {
    if era != nil { return }
    if opening == nil {
      opening = Task {
        listen()
        try await connect()
      }
    }
    defer { if era == nil { opening = nil } }
    try await opening?.value
  }

  /// All tools of the server, and what it says about their use.
  func tools() async throws -> (tools: [MCPTools.Entry], instructions: String) {
    try await open()
    var tools: [MCPTools.Entry] = []
    var cursor: String?
    for _ in 0..<MCPTools.maximumPages {
      let page = try await request("tools/list", cursor.map { ["cursor": .string($0)] } ?? [:])
      // A name that comes again is the same tool: some servers give the last page for any cursor.
      for entry in MCPTools.read(page) where !tools.contains(where: { $0.tool.name == entry.tool.name }) {
        tools.append(entry)
      }
      let next = page["nextCursor"]?.string
      guard let next, !next.isEmpty, next != cursor, tools.count < MCPTools.maximumTools else { break }
      cursor = next
    }
    return (Array(tools.prefix(MCPTools.maximumTools)), instructions)
  }

  func call(_ entry: MCPTools.Entry, _ arguments: JSONValue) async throws -> JSONValue {
    try await open()
    return try await request(
      "tools/call", ["name": .string(entry.tool.name), "arguments": arguments], name: entry.tool.name,
      MCPTools.headers(for: arguments, entry))
  }

  /// Ends the session.
  func close() async {
    guard !isClosed else { return }
    isClosed = true
    opening?.cancel()
    answering?.cancel()
    await old?.close()
    guard session != nil, case .session? = era else { return }
    var goodbye = HTTPRequest(
      "DELETE", url: url, headers: server.headers + sessionHeaders, deadline: .seconds(2))
    goodbye.reach = server.reach
    // A server need not let itself be told (405).
    _ = try? await streaming.send(goodbye)
  }

  // MARK: Hands

  private func connect() async throws {
    if server.transport == .sse { return try await connectOld() }
    if server.transport == .stateless {
      era = .stateless
      return
    }
    nextID += 1
    let id = nextID
    let hello = MCPMessage.ask(id, "initialize", MCPMessage.initialize(version: MCPMessage.versions[0]))
    switch try await post(hello, id, []) {
    case .result(let result, let session): try await shake(result, session)
    case .failure(let error, _) where error.isModern:
      era = .stateless
      log.debug("an MCP server without sessions", ("server", server.name))
    case .failure(let error, _): throw ToolFailure("the server refused: \(error.message)")
    case .other(let status, _)
    where [400, 404, 405, 406, 415, 501].contains(status) && server.transport == .auto:
      try await connectOld()
    case .other(let status, _): throw MCPConnection.failure(status)
    case .broken: throw ToolFailure("the server ended without an answer")
    }
  }

  private func shake(_ result: JSONValue, _ session: String?) async throws {
    let version = result["protocolVersion"]?.string ?? ""
    guard MCPMessage.versions.contains(version) else {
      throw ToolFailure("the server speaks a version that is not known here")
    }
    self.session = session.flatMap { id in id.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? id : nil }
    era = .session(version: version)
    instructions = result["instructions"]?.string ?? ""
    let done = MCPMessage.note("notifications/initialized")
    do throws(HTTPError) { try await http.tell(url, done, sessionHeaders) } catch { throw failure(error) }
  }

  private func connectOld() async throws {
    let old = MCPOldStream(server, streaming, http)
    self.old = old
    nextID += 1
    do {
      let result = try await old.open(nextID)
      instructions = result["instructions"]?.string ?? ""
      era = .oldStreams
    } catch {
      await old.close()
      self.old = nil
      throw error
    }
  }

  private var sessionHeaders: [Header] {
    var headers: [Header] = []
    if let session { headers.append(Header("Mcp-Session-Id", session)) }
    if case .session(let version)? = era { headers.append(Header("MCP-Protocol-Version", version)) }
    return headers
  }

  // MARK: Requests

  private func request(
    _ method: String, _ params: JSONValue, name: String? = nil, _ more: [Header] = []
  ) async throws -> JSONValue {
    for attempt in 0..<2 {
      let answer = try await ask(method, params, name, more)
      switch answer {
      case .result(let result, _): return result
      case .failure(let error, let status):
        if attempt == 0, isSessionLost(status, error) {
          try await openAgain()
          continue
        }
        throw ToolFailure("the tool failed: \(error.message)")
      case .other(let status, let words):
        if attempt == 0, isSessionLost(status, MCPError(.string(words))) {
          try await openAgain()
          continue
        }
        throw MCPConnection.failure(status)
      case .broken: throw ToolFailure("Failed to fetch information: the server ended without an answer")
      }
    }
    throw ToolFailure("Failed to fetch information: the server forgets its sessions")
  }

  private func isSessionLost(_ status: Int, _ error: MCPError) -> Bool {
    guard case .session? = era else { return false }
    return session != nil && status == 404 || error.isLostSession
  }

  private func openAgain() async throws {
    log.debug("an MCP server has lost its session", ("server", server.name))
    era = nil
    session = nil
    opening = nil
    try await open()
  }

  private func ask(
    _ method: String, _ params: JSONValue, _ name: String?, _ more: [Header]
  ) async throws -> MCPHTTP.Answer {
    nextID += 1
    let id = nextID
    if era == .oldStreams, let old { return try await old.ask(id, MCPMessage.ask(id, method, params)) }
    if era == .stateless {
      var params = params.object ?? [:]
      params["_meta"] = MCPMessage.modernMeta
      var headers = more + [Header("MCP-Protocol-Version", MCPMessage.modern), Header("Mcp-Method", method)]
      if let name { headers.append(Header("Mcp-Name", MCPTools.headerText(name))) }
      return try await post(MCPMessage.ask(id, method, .object(params)), id, headers)
    }
    var answer = try await post(MCPMessage.ask(id, method, params), id, sessionHeaders)
    for _ in 0..<MCPConnection.maximumResumptions {
      guard case .broken(let event?) = answer else { break }
      try await Task.sleep(for: .seconds(1))  // what servers ask for is about that; cancelled with the tool
      do throws(HTTPError) { answer = try await http.resume(url, after: event, id: id, sessionHeaders) } catch
      {
        throw failure(error)
      }
    }
    return answer
  }

  /// Posts a request; one move within the same server is followed, because many mount themselves at `…/`.
  private func post(_ message: JSONValue, _ id: Int, _ headers: [Header]) async throws -> MCPHTTP.Answer {
    do throws(HTTPError) {
      let answer = try await http.post(url, message, id: id, headers)
      guard case .other(307...308, _) = answer, !url.hasSuffix("/") else { return answer }
      url += "/"
      return try await http.post(url, message, id: id, headers)
    } catch {
      if error.kind == .cancelled, case .session? = era {
        let note = MCPMessage.note(
          "notifications/cancelled", ["requestId": .integer(id), "reason": "the call went on without it"])
        let (http, url, headers) = (http, url, sessionHeaders)
        // Nobody waits for it any more, so nobody needs to know whether it was heard.
        Task { _ = try? await http.tell(url, note, headers) }
      }
      throw failure(error)
    }
  }

  // MARK: What the server says by itself

  private func listen() {
    guard answering == nil else { return }
    answering = Task { [weak self, asides] in
      for await message in asides { await self?.take(message) }
    }
  }

  private func take(_ message: MCPMessage) async {
    switch message {
    case .request(let id, let method):
      let answer = MCPMessage.answer(to: id, method)
      if let old { return await old.tell(answer) }
      _ = try? await http.tell(url, answer, sessionHeaders)  // it asked; whether it listens is its matter
    case .notification("notifications/tools/list_changed"): changed()
    case .notification, .response, .failure: break
    }
  }

  // MARK: Words

  private static func failure(_ status: Int) -> ToolFailure {
    switch status {
    case 401, 403: ToolFailure("the server does not let us in (\(status))")
    case 300..<400: ToolFailure("the server redirects, which is not followed")
    default: ToolFailure("Failed to fetch information: the server answered \(status)")
    }
  }

  private func failure(_ error: HTTPError) -> any Error {
    if error.kind == .cancelled { return CancellationError() }
    log.notice("an MCP server: \(error.message)", ("server", server.name))
    return ToolFailure(
      error.kind == .forbidden
        ? "the server may not be reached: its address is not public"
        : "Failed to fetch information: the server cannot be reached")
  }
}
