internal import FoundationEssentials

/// The client's half of the opening handshake (RFC 6455 section 4.1), as text and values.
struct WebSocketHandshake {
  /// Heads longer than this are no answer.
  static let maximumHeadBytes = 32 << 10

  let key: String
  let request: [UInt8]

  /// - Parameters:
  ///   - url: `http:` or `https:` by now; host, port and path are taken from it.
  ///   - key: 16 random bytes in base 64.
  init(url: String, headers: [Header], protocols: [String], key: String) throws(HTTPError) {
    self.key = key
    let host = HTTPExchange.host(of: url)
    guard let scheme = url.firstRange(of: "://"), !host.isEmpty else {
      throw HTTPError(.invalidURL, "\(host): not a WebSocket URL")
    }
    let rest = url[scheme.upperBound...]
    var target = String(rest.drop { $0 != "/" && $0 != "?" }.prefix { $0 != "#" })
    if !target.hasPrefix("/") { target = "/" + target }
    var lines = [
      "GET \(target) HTTP/1.1", "Host: \(host)", "Upgrade: websocket", "Connection: Upgrade",
      "Sec-WebSocket-Key: \(key)", "Sec-WebSocket-Version: 13",
    ]
    if !protocols.isEmpty { lines.append("Sec-WebSocket-Protocol: \(protocols.joined(separator: ", "))") }
    lines += headers.map { "\($0.name): \($0.value)" }
    for line in lines where line.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) {
      throw HTTPError(.invalidURL, "\(host): a line break in a request's head")
    }
    request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  /// What a server answers to a key (section 4.2.2, step 5.4).
  static func accept(key: String) -> String {
    let digest = Digest.hash((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8, .sha1)
    return Data(digest).base64EncodedString()
  }

  /// The end of a response's head in `bytes`: the index after the empty line.
  static func endOfHead(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
  }

  /// How much of a refusal's body is told.
  private static let maximumWords = 300

  /// Checks the server's answer; an answer other than 101 becomes an error with its status and, as far as they came
  /// with the head, its words.
  func check(_ head: some Sequence<UInt8>, body: some Collection<UInt8> = [UInt8]()) throws(HTTPError) {
    let lines = String(decoding: Array(head), as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
      throw HTTPError(.protocolError, "the server does not speak HTTP")
    }
    guard status == 101 else {
      let words = String(decoding: body.prefix(WebSocketHandshake.maximumWords), as: UTF8.self)
        .split(whereSeparator: \.isWhitespace).joined(separator: " ")
      throw HTTPError(
        .status(status),
        "the server answered \(status) instead of 101" + (words.isEmpty ? "" : ": \(words)"))
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].trimmed
      headers[line[..<colon].lowercased()] = value
    }
    guard headers["upgrade"]?.lowercased() == "websocket",
      headers["sec-websocket-accept"] == WebSocketHandshake.accept(key: key)
    else { throw HTTPError(.protocolError, "the server's 101 is no WebSocket handshake") }
  }
}

extension Substring {
  fileprivate var trimmed: String {
    let start = drop { $0 == " " || $0 == "\t" }
    guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
    return String(start[...last])
  }
}

extension HTTPClient {
  /// Connects, sends the handshake and reads the answer's head.
  func open(
    _ handshake: WebSocketHandshake, _ url: String, _ settings: WebSocketSettings, _ deadline: Duration,
    _ reach: NetworkReach
  ) async throws(HTTPError) -> WebSocket {
    let begin = ContinuousClock.now
    var request = HTTPRequest(url: url, deadline: deadline)
    request.reach = reach
    let connection = try await connect(request)
    let left = deadline - (ContinuousClock.now - begin)
    let answer = await HandshakeExchange(connection, handshake).run(left.milliseconds)
    do throws(HTTPError) {
      let bytes = try answer.get()
      guard let end = WebSocketHandshake.endOfHead(bytes) else {
        throw HTTPError(.protocolError, "the server's answer has no end")
      }
      try handshake.check(bytes[..<end], body: bytes[end...])
      return WebSocket(.client, connection, rest: Array(bytes[end...]), on: loop, settings)
    } catch {
      connection.close()
      throw HTTPError(error.kind, "\(HTTPExchange.host(of: url)): \(error.message)")
    }
  }
}

/// Writes the request and collects the answer's head, on the connection's loop.
private final class HandshakeExchange {
  private let connection: HTTPConnection
  private let outcome = OneShot<Result<[UInt8], HTTPError>>()
  private let timer = LoopTimer()
  private var output: [UInt8]
  private var input: [UInt8] = []

  init(_ connection: HTTPConnection, _ handshake: WebSocketHandshake) {
    self.connection = connection
    output = handshake.request
  }

  func run(_ milliseconds: Int, on client: isolated HTTPClient = #isolation) async -> Result<
    [UInt8], HTTPError
  > {
    timer.start(milliseconds) { [outcome] in
      outcome.resolve(.failure(HTTPError(.timedOut, "no answer to the WebSocket handshake in time")))
    }
    go()
    defer {
      timer.cancel()
      connection.pause()
    }
    return await outcome.value(cancelled: .failure(HTTPError(.cancelled, "cancelled")))
  }

  private func go() {
    while !output.isEmpty {
      switch output.withUnsafeBytes({ connection.write($0) }) {
      case .bytes(let count): output.removeFirst(count)
      case .wouldBlock: return listen(writing: true)
      case .closed(let why): return fail(.closed, why)
      }
    }
    var buffer = [UInt8](repeating: 0, count: 4096)
    while input.count < WebSocketHandshake.maximumHeadBytes {
      switch buffer.withUnsafeMutableBytes({ connection.read(into: $0) }) {
      case .bytes(let count):
        input += buffer[..<count]
        if WebSocketHandshake.endOfHead(input) != nil {
          // At once: what follows belongs to the socket that is not there yet.
          connection.pause()
          outcome.resolve(.success(input))
          return
        }
      case .wouldBlock: return listen(writing: false)
      case .closed(let why): return fail(.closed, why)
      }
    }
    fail(.tooLarge, "the head of the answer is longer than \(WebSocketHandshake.maximumHeadBytes) bytes")
  }

  private func listen(writing: Bool) {
    if !connection.listen(writing: writing, { [unowned self] in go() }) {
      fail(.busy, "the event loop has no room for another socket")
    }
  }

  private func fail(_ kind: HTTPError.Kind, _ message: String) {
    outcome.resolve(.failure(HTTPError(kind, message)))
  }
}
