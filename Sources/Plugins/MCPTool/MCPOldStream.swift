internal import RouterCore

/// The transport of 2024-11-05: a stream of events that is read all the time, and an endpoint that it names for posting.
actor MCPOldStream {
  private let server: MCPServer
  private let streaming: any HTTPStreaming
  private let http: MCPHTTP
  private let endpoint = OneShot<Result<String, ToolFailure>>()
  private var target: String?
  private var reading: Task<Void, Never>?
  private var waiting: [Int: OneShot<MCPHTTP.Answer>] = [:]
  private var isOver = false

  /// The stream lasts as long as the longest call.
  static let deadline = Duration.seconds(24 * 3600)
  /// Servers that say nothing for so long are gone.
  static let idle = Duration.seconds(600)

  init(_ server: MCPServer, _ streaming: any HTTPStreaming, _ http: MCPHTTP) {
    self.server = server
    self.streaming = streaming
    self.http = http
  }

  /// Opens the stream and shakes hands.
  /// - Parameter id: Of the request `initialize`.
  /// - Returns: Its result.
  func open(_ id: Int) async throws -> JSONValue {
    var request = HTTPRequest(
      "GET", url: server.url, headers: server.headers + [Header("Accept", "text/event-stream")],
      deadline: MCPOldStream.deadline, maximumBodyBytes: 256 << 20)
    request.reach = server.reach
    let stream: HTTPStream
    do throws(HTTPError) {
      stream = try await streaming.stream(
        request, limits: HTTPStreamLimits(head: .seconds(10), idle: MCPOldStream.idle))
    } catch {
      throw ToolFailure("Failed to fetch information: the server cannot be reached")
    }
    guard stream.status == 200,
      stream.header("Content-Type")?.lowercased().hasPrefix("text/event-stream") == true
    else { throw ToolFailure("the server does not speak the Model Context Protocol (\(stream.status))") }
    reading = Task { [weak self] in
      var reader = ServerSentEventReader(maximumEventBytes: MCPHTTP.maximumEventBytes)
      do {
        while let piece = try await stream.body.next() {
          for event in try reader.add(piece) { await self?.take(event) }
        }
      } catch {}  // the end is the end, whatever brought it
      await self?.ended()
    }
    target = try await endpoint.value(cancelled: .failure(ToolFailure("given up"))).get()
    let version = MCPMessage.versions[MCPMessage.versions.count - 1]
    let hello = MCPMessage.ask(id, "initialize", MCPMessage.initialize(version: version))
    switch try await ask(id, hello) {
    case .result(let result, _):
      await tell(MCPMessage.note("notifications/initialized"))
      return result
    case .failure(let error, _): throw ToolFailure("the server refused: \(error.message)")
    case .other, .broken: throw ToolFailure("the server ended without an answer")
    }
  }

  /// Posts a request; its answer comes on the stream.
  func ask(_ id: Int, _ message: JSONValue) async throws -> MCPHTTP.Answer {
    guard let target, !isOver else { return .broken(lastEvent: nil) }
    let answer = OneShot<MCPHTTP.Answer>()
    waiting[id] = answer
    defer { waiting[id] = nil }
    do throws(HTTPError) {
      let status = try await http.tell(target, message, [])
      guard (200..<300).contains(status) else { return .other(status, "") }
    } catch {
      throw ToolFailure("Failed to fetch information: the server cannot be reached")
    }
    return await answer.value(cancelled: .broken(lastEvent: nil))
  }

  func tell(_ message: JSONValue) async {
    guard let target else { return }
    _ = try? await http.tell(target, message, [])  // nothing depends on it
  }

  func close() {
    reading?.cancel()
    ended()
  }

  private func take(_ event: ServerSentEvent) {
    if event.event == "endpoint" {
      let target = MCPOldStream.resolve(event.data, against: server.url)
      endpoint.resolve(
        target.map(Result.success) ?? .failure(ToolFailure("the server names another one to post to")))
      return
    }
    for message in MCPMessage.read(Array(event.data.utf8)) {
      switch message {
      case .response(let id, let result): waiting[id]?.resolve(.result(result, session: nil))
      case .failure(let id?, let error): waiting[id]?.resolve(.failure(error, status: 200))
      case .failure: break
      case .request, .notification: http.aside(message)
      }
    }
  }

  private func ended() {
    isOver = true
    endpoint.resolve(.failure(ToolFailure("the server ended its stream")))
    for answer in waiting.values { answer.resolve(.broken(lastEvent: nil)) }
  }

  /// The endpoint as a URL of the same server; `nil` for any other, which would get our credentials.
  static func resolve(_ endpoint: String, against url: String) -> String? {
    guard let scheme = url.firstRange(of: "://") else { return nil }
    let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let origin = url[..<scheme.upperBound] + authority
    if endpoint.hasPrefix("//") { return nil }
    if endpoint.hasPrefix("/") { return origin + endpoint }
    if endpoint.contains("://") {
      return endpoint == origin || endpoint.hasPrefix(origin + "/") || endpoint.hasPrefix(origin + "?")
        ? endpoint : nil
    }
    let path = url[scheme.upperBound...].prefix { $0 != "?" && $0 != "#" }
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? path + "/"
    return String(url[..<scheme.upperBound]) + folder + endpoint
  }
}
