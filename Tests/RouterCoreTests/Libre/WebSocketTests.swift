import Foundation
import Testing

@testable import RouterCore

/// The client against a real server (the `websockets` package of Debian's Python).
@Suite(.serialized) final class WebSocketTests {
  private let server: PythonServer
  private let port: Int
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient

  init() throws {
    server = try PythonServer("websocket_server.py")
    port = try #require(Int(String(decoding: server.line, as: UTF8.self)))
    client = HTTPClient(on: loop)
  }

  private enum Event: Sendable, Hashable {
    case message(WebSocketMessage)
    case closed(WebSocketClose)
  }

  private func open(
    _ path: String, _ settings: WebSocketSettings = .init()
  ) async throws -> (WebSocket, AsyncStream<Event>) {
    let socket = try await WebSocket.connect(
      "ws://127.0.0.1:\(port)\(path)", over: client, settings: settings)
    let (events, continuation) = AsyncStream.makeStream(of: Event.self)
    await socket.start(
      onMessage: { continuation.yield(.message($0)) },
      onClose: {
        continuation.yield(.closed($0))
        continuation.finish()
      })
    return (socket, events)
  }

  @Test func messagesComeBackInOrder() async throws {
    let (socket, events) = try await open("/echo")
    let sent: [WebSocketMessage] =
      (0..<200).map { .text("message \($0)") } + [
        .binary([0, 255, 1]), .text(""), .text(String(repeating: "ü", count: 70_000)),
      ]
    for message in sent { socket.send(message) }
    var received: [WebSocketMessage] = []
    for await case .message(let message) in events {
      received.append(message)
      if received.count == sent.count { break }
    }
    #expect(received == sent)
    await socket.close()
    await client.close()
  }

  @Test func framesBehindTheHandshakeAreKept() async throws {
    for _ in 0..<20 {
      let (socket, events) = try await open("/greets")
      var first = events.makeAsyncIterator()
      #expect(await first.next() == .message(.text("hello")))
      await socket.close()
    }
    await client.close()
  }

  @Test func fragmentsAreJoined() async throws {
    let (socket, events) = try await open("/fragments")
    var first = events.makeAsyncIterator()
    #expect(await first.next() == .message(.text("one two three")))
    await socket.close()
    await client.close()
  }

  @Test func everyEndIsTold() async throws {
    var (_, events) = try await open("/closes")
    #expect(await events.first { _ in true } == .closed(WebSocketClose(code: 4001, reason: "not today")))
    for path in ["/aborts", "/garbage"] {
      (_, events) = try await open(path)
      guard case .closed(let close) = await events.first(where: { _ in true }) else {
        Issue.record("\(path) must end the socket")
        continue
      }
      #expect(close.code == (path == "/aborts" ? 1006 : 1002))
    }
    let (socket, rest) = try await open("/echo")
    await socket.close(1000, "done")
    #expect(await rest.first { _ in true } == .closed(WebSocketClose(code: 1000, reason: "done")))
    await client.close()
  }

  /// How many messages come before anything else on the loop gets its turn.
  private final class Bursts: Sendable {
    private let state = Lock((now: 0, longest: 0, count: 0))
    var longest: Int { state.withLock(\.longest) }

    /// Returns how many have come.
    func count(on loop: EventLoop) -> Int {
      let (isFirst, count) = state.withLock { state in
        state.now += 1
        state.count += 1
        state.longest = max(state.longest, state.now)
        return (state.now == 1, state.count)
      }
      if isFirst {
        let timer = LoopTimer()
        timer.start(0) {
          self.state.withLock { $0.now = 0 }
          _ = timer
        }
      }
      return count
    }
  }

  @Test func aFloodLetsOthersHaveTheirTurn() async throws {
    let socket = try await WebSocket.connect("ws://127.0.0.1:\(port)/flood", over: client)
    let (done, bursts) = (OneShot<Bool>(), Bursts())
    await socket.start(
      onMessage: { [loop] _ in
        switch bursts.count(on: loop) {
        case 1: usleep(300_000)  // meanwhile what follows fills the kernel's buffer
        case 4000: done.resolve(true)
        default: break
        }
      },
      onClose: { _ in done.resolve(false) })
    #expect(await done.value(cancelled: false))
    #expect(bursts.longest <= (WebSocket.bytesATurn + (16 << 10)) / 1000, "of 1000 bytes each")
    await socket.close()
    await client.close()
  }

  @Test func longMessagesAreRefused() async throws {
    var settings = WebSocketSettings()
    settings.maximumMessageBytes = 100_000
    let (_, events) = try await open("/big", settings)
    guard case .closed(let close) = await events.first(where: { _ in true }) else {
      Issue.record("a message over the limit must end the socket")
      return
    }
    #expect(close.code == 1009)
    await client.close()
  }

  @Test func whatIsNoWebSocketServerIsAnError() async throws {
    let plain = Process()
    plain.executableURL = URL(filePath: "/usr/bin/python3")
    plain.arguments = ["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    let out = Pipe()
    plain.standardOutput = out
    plain.standardError = FileHandle.nullDevice
    try plain.run()
    defer { plain.terminate() }
    let line = String(decoding: out.fileHandleForReading.availableData, as: UTF8.self)
    let port = try #require(line.split(separator: " ").compactMap { Int($0) }.first)
    for (url, kind) in [
      ("ws://127.0.0.1:\(port)/none", HTTPError.Kind.status(404)), ("ws://127.0.0.1:1/", .refused),
      ("http://127.0.0.1/", .invalidURL),
    ] {
      do {
        _ = try await WebSocket.connect(url, over: client)
        Issue.record("\(url) is no WebSocket")
      } catch {
        #expect(error.kind == kind, "\(url): \(error)")
      }
    }
    await client.close()
  }
}
