import Foundation
import RouterCore
import RouterTesting
import Testing

/// The server against libcurl, wslay, and Debian's Python as clients.
@Suite(.serialized) final class HTTPServerTests {
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient

  init() { client = HTTPClient(on: loop) }

  private static let handler: HTTPServer.Handler = { request in
    switch request.path {
    case "/echo":
      return .response(
        HTTPResponse(
          status: 200, headers: [Header("X-Method", request.method), Header("X-Target", request.target)],
          body: request.body))
    case "/stream":
      let (pieces, continuation) = AsyncStream.makeStream(of: [UInt8].self)
      Task {
        for number in 0..<1000 { continuation.yield(Array("line \(number)\n".utf8)) }
        continuation.finish()
      }
      return .stream(status: 200, headers: [Header("Content-Type", "application/x-ndjson")], pieces)
    case "/never":
      try? await Task.sleep(for: .seconds(60))  // the server cancels it
      return .text(200, "late")
    case "/socket":
      return .webSocket(protocol: nil, .init()) { socket in
        await socket.start(onMessage: { socket.send($0) }, onClose: { _ in })
      }
    default: return .text(404, "nothing here\n")
    }
  }

  private func start(_ change: (inout HTTPServerSettings) -> Void = { _ in }) async throws -> (
    HTTPServer, Int
  ) {
    var settings = HTTPServerSettings()
    change(&settings)
    let server = HTTPServer(on: loop, settings: settings, handler: HTTPServerTests.handler)
    return (server, Int(try await server.start().port))
  }

  @Test func requestsAreHandedOverWhole() async throws {
    let (server, port) = try await start()
    for size in [0, 1, 100_000] {
      let body = [UInt8](repeating: 120, count: size)
      let response = try await client.send(
        HTTPRequest("PUT", url: "http://127.0.0.1:\(port)/echo?a=%20b", body: body))
      #expect(response.status == 200)
      #expect(response.body == body)
      #expect(response.header("X-Method") == "PUT")
      #expect(response.header("X-Target") == "/echo?a=%20b")
    }
    #expect(try await client.send(HTTPRequest(url: "http://127.0.0.1:\(port)/none")).status == 404)
    await client.close()
    await server.close()
  }

  @Test func bodiesAreStreamed() async throws {
    let (server, port) = try await start()
    let response = try await client.send(HTTPRequest(url: "http://127.0.0.1:\(port)/stream"))
    #expect(response.text == (0..<1000).map { "line \($0)\n" }.joined())
    await client.close()
    await server.close()
  }

  @Test func limitsAreAnswered() async throws {
    let (server, port) = try await start {
      $0.maximumBodyBytes = 1000
      $0.handlerSeconds = 1
    }
    func status(_ path: String, body: [UInt8]? = nil, _ headers: [Header] = []) async throws -> Int {
      let url = "http://127.0.0.1:\(port)\(path)"
      return try await client.send(
        HTTPRequest(body == nil ? "GET" : "POST", url: url, headers: headers, body: body)
      )
      .status
    }
    #expect(try await status("/echo", body: [UInt8](repeating: 1, count: 1001)) == 413)
    let chunked = [Header("Transfer-Encoding", "chunked")]
    #expect(try await status("/echo", body: [UInt8](repeating: 1, count: 900), chunked) == 200)
    #expect(try await status("/echo", body: [UInt8](repeating: 1, count: 90_000), chunked) == 413)
    #expect(try await status("/never") == 503)
    #expect(try await status("/socket") == 426)
    #expect([414, 431].contains(try await status("/" + String(repeating: "a", count: 60_000))))
    #expect(try await status("/echo") == 200)
    await client.close()
    await server.close()
  }

  @Test func socketsTalk() async throws {
    let (server, port) = try await start()
    let socket = try await WebSocket.connect("ws://127.0.0.1:\(port)/socket", over: client)
    let (events, continuation) = AsyncStream.makeStream(of: WebSocketMessage?.self)
    await socket.start(onMessage: { continuation.yield($0) }, onClose: { _ in continuation.yield(nil) })
    let sent: [WebSocketMessage] = (0..<100).map { .binary([UInt8](repeating: UInt8($0), count: $0 * 100)) }
    for message in sent { socket.send(message) }
    var received: [WebSocketMessage] = []
    for await case .some(let message) in events {
      received.append(message)
      if received.count == sent.count { break }
    }
    #expect(received == sent)
    await server.close()  // with the socket open: it must end, not hang
    #expect(await events.first { _ in true } == .some(nil))
    await client.close()
  }

  /// A close does not overtake what the same thread has sent before it.
  @Test func theLastWordsAreHeard() async throws {
    let heard = Journal<WebSocketMessage>()
    let end = OneShot<WebSocketClose>()
    let server = HTTPServer(on: loop, settings: HTTPServerSettings()) { _ in
      .webSocket(protocol: nil, .init()) { socket in
        await socket.start(onMessage: { heard.note($0) }, onClose: { end.resolve($0) })
      }
    }
    let port = try await server.start().port
    let socket = try await WebSocket.connect("ws://127.0.0.1:\(port)/", over: client)
    await socket.start(onMessage: { _ in }, onClose: { _ in })
    let words: [WebSocketMessage] = (0..<50).map { .text("\($0)") }
    for word in words { socket.send(word) }
    await socket.close()
    #expect(await end.value(cancelled: WebSocketClose(code: 0)).code == 1000)
    #expect(heard.events == words)
    await client.close()
    await server.close()
  }

  /// Who writes and does not read hears nothing: where pings have to be answered, that ends the socket. Another one talks on.
  @Test func aDeafReaderIsGivenUp() async throws {
    let end = OneShot<WebSocketClose>()
    let server = HTTPServer(on: loop, settings: HTTPServerSettings()) { request in
      var settings = WebSocketSettings()
      settings.pingMilliseconds = 200
      settings.mustAnswerPings = true
      return .webSocket(protocol: nil, settings) { socket in
        await socket.start(
          onMessage: { socket.send($0) }, onClose: { if request.path == "/deaf" { end.resolve($0) } })
      }
    }
    let port = Int(try await server.start().port)
    let sockets = try await [
      WebSocket.connect("ws://127.0.0.1:\(port)/deaf", over: client),
      WebSocket.connect("ws://127.0.0.1:\(port)/hears", over: client),
    ]
    let echoes = Journal<WebSocketMessage>()
    let first = OneShot<Void>()
    await sockets[0].start(onMessage: { _ in first.resolve(()) }, onClose: { _ in first.resolve(()) })
    await sockets[1].start(onMessage: { echoes.note($0) }, onClose: { _ in })
    sockets[0].send(.text("I hear you"))
    await first.value(cancelled: ())
    await sockets[0].stopReading()
    let talking = Task {
      for number in 0... {
        for socket in sockets { socket.send(.text("\(number)")) }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    #expect(await end.value(cancelled: WebSocketClose(code: 0)) == .givenUp("no answer to a ping"))
    let count = echoes.events.count
    try await echoes.first(after: count + 10) { _ in true }
    talking.cancel()
    for socket in sockets { await socket.cut() }
    await client.close()
    await server.close()
  }

  /// A client that never answers a ping, and talks: there are such. It is not given up.
  @Test func whoNeverAnswersPingsMayTalk() async throws {
    let server = HTTPServer(on: loop, settings: HTTPServerSettings()) { _ in
      var settings = WebSocketSettings()
      settings.pingMilliseconds = 100
      settings.mustAnswerPings = true
      return .webSocket(protocol: nil, settings) { socket in
        await socket.start(onMessage: { socket.send($0) }, onClose: { _ in })
      }
    }
    let script = """
      import socket, sys, time
      raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
      raw.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
                  b"Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
      seen = b""
      while seen.count(b"tock") < 12 or seen.count(b"\\x89\\x00") < 5:
          raw.sendall(b"\\x81\\x84\\0\\0\\0\\0tock")
          time.sleep(0.05)
          piece = raw.recv(65536)
          assert piece and b"\\x88" not in piece, piece
          seen += piece
      print("all is well", end="")
      """
    let port = try await server.start().port
    #expect(try run("/usr/bin/python3", "-c", script, "\(port)") == "all is well")
    await server.close()
    await client.close()
  }

  /// What a reader does not take is not kept for ever: its socket ends, and another one talks on.
  @Test func aSlowReaderIsGivenUp() async throws {
    let end = OneShot<WebSocketClose>()
    let server = HTTPServer(on: loop, settings: HTTPServerSettings()) { request in
      var settings = WebSocketSettings()
      settings.maximumQueuedBytes = 256 << 10
      return .webSocket(protocol: nil, settings) { socket in
        guard request.path == "/pour" else {
          return await socket.start(onMessage: { socket.send($0) }, onClose: { _ in })
        }
        await socket.start(onMessage: { _ in }, onClose: { end.resolve($0) })
        // Far more than the system keeps for a connection.
        for _ in 0..<500 { socket.send(.binary([UInt8](repeating: 1, count: 64 << 10))) }
      }
    }
    let port = Int(try await server.start().port)
    let other = try await WebSocket.connect("ws://127.0.0.1:\(port)/echo", over: client)
    let echo = OneShot<WebSocketMessage>()
    await other.start(onMessage: { echo.resolve($0) }, onClose: { _ in })
    // One that is never started reads nothing.
    let reader = try await WebSocket.connect("ws://127.0.0.1:\(port)/pour", over: client)
    let close = await end.value(cancelled: WebSocketClose(code: 0))
    #expect(close == .givenUp("the other side reads too slowly"))
    other.send(.text("still there"))
    #expect(await echo.value(cancelled: .text("")) == .text("still there"))
    await reader.cut()
    await other.close()
    await client.close()
    await server.close()
  }

  /// Another client than ours; and garbage ends the socket that it came on, no other.
  @Test func pythonTalks() async throws {
    let (server, port) = try await start()
    let script = """
      import asyncio, socket, sys, websockets
      async def main():
          raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
          raw.sendall(b"\\x00\\x01garbage\\r\\n\\r\\n")
          async with websockets.connect(f"ws://127.0.0.1:{sys.argv[1]}/socket", max_size=None) as one:
              broken = await websockets.connect(f"ws://127.0.0.1:{sys.argv[1]}/socket")
              broken.transport.write(b"\\xff" * 16)
              for size in (1, 1000, 300000, 5000000):
                  await one.send(b"x" * size)
                  assert len(await one.recv()) == size
              await one.ping()
          print("all is well", end="")
      asyncio.run(main())
      """
    #expect(try run("/usr/bin/python3", "-c", script, "\(port)") == "all is well")
    await server.close()
    await client.close()
  }

  private func run(_ words: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    let out = Pipe()
    process.standardOutput = out
    process.standardError = out
    try process.run()
    let data = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
