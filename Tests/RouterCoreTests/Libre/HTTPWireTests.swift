import Foundation
import RouterCore
import Testing

/// What the server answers to requests that no client library would write, byte by byte.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HTTPWireTests {
  /// Sends a text; returns what comes until the connection ends or, if that is asked for, until a head is complete.
  private func exchange(_ request: String, untilHead: Bool = false) async throws -> String {
    let loop = EventLoop(name: "test")
    let server = HTTPServer(on: loop) { request in
      guard request.path == "/socket" else { return .text(200, "\(request.body.count)") }
      return .webSocket(protocol: nil, .init()) { socket in
        await socket.start(onMessage: { socket.send($0) }, onClose: { _ in })
      }
    }
    let port = try await server.start().port
    let script = """
      import socket, sys
      raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
      raw.sendall(sys.argv[2].encode())
      seen = b""
      while not (sys.argv[3] == "head" and b"\\r\\n\\r\\n" in seen) and (piece := raw.recv(65536)): seen += piece
      print(seen.decode(), end="")
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script, "\(port)", request, untilHead ? "head" : "all"]
    let out = Pipe()
    process.standardOutput = out
    process.standardError = out
    try process.run()
    let answer = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    await server.close()
    loop.stop()
    return answer
  }

  /// Whoever asks for something else than a WebSocket of RFC 6455 learns what there is (its section 4.4, RFC 9110 section
  /// 15.5.22).
  @Test(arguments: [
    ("GET", ["Sec-WebSocket-Version": "8"], 426), ("GET", ["Upgrade": "h2c"], 426),
    ("GET", ["Connection": "keep-alive"], 426), ("GET", ["Sec-WebSocket-Key": "short"], 426),
    ("GET", ["Upgrade": "h2c, WebSocket"], 101), ("POST", [:], 426), ("GET", [:], 101),
  ])
  func whatASocketIsAskedForBy(_ method: String, _ change: [String: String], _ status: Int) async throws {
    let usual = [
      "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]
    let headers = usual.merging(change) { $1 }.map { "\($0): \($1)\r\n" }.joined()
    let answer = try await exchange(
      "\(method) /socket HTTP/1.1\r\nHost: x\r\n\(headers)Content-Length: 0\r\n\r\n", untilHead: true)
    #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
    let fields = answer.lowercased()
    #expect(fields.contains("\r\nupgrade: websocket\r\n"), "\(answer)")
    #expect(fields.contains(/\r\nconnection: [^\r]*upgrade/), "\(answer)")
    #expect(fields.contains("\r\nsec-websocket-version: 13\r\n") == (status == 426), "\(answer)")
  }

  /// A folded length, which not everybody understands: what one takes for the body is no next request (RFC 9112 section
  /// 11.2).
  @Test(arguments: [
    "Content-Length:\r\n 5", "Content-Length: 1\r\n\t5", "Transfer-Encoding:\r\n chunked",
    "X: a\r\n Content-Length:5",
  ])
  func foldedLengthsEndTheConnection(_ header: String) async throws {
    let answers = try await exchange(
      "POST / HTTP/1.1\r\nHost: x\r\n\(header)\r\n\r\nhelloGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(answers.hasPrefix("HTTP/1.1 400 "), "\(answers)")
    #expect(answers.ranges(of: "HTTP/1.1").count == 1, "\(answers)")
  }
}
