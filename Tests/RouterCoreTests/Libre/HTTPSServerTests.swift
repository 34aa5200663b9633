import Foundation
import RouterCore
import RouterTesting
import Testing

/// TLS in front of the HTTP server, against libcurl, openssl and Debian's Python.
@Suite(.serialized) final class HTTPSServerTests {
  private let loop = EventLoop(name: "test")
  private let other = EventLoop(name: "other")
  private let client: HTTPClient
  private let place: Workplace
  private let certificate: String

  init() throws {
    place = try Workplace()
    certificate = try place.write("server.pem", try #require(TLSCertificate.selfSigned(for: "localhost")))
    var settings = HTTPClientSettings()
    settings.authorities = certificate
    client = HTTPClient(on: loop, settings: settings)
  }

  private func start(
    onOtherLoop: Bool = false, _ change: (inout HTTPServerSettings) -> Void = { _ in }
  ) async throws -> (HTTPServer, Int) {
    var settings = HTTPServerSettings()
    settings.certificate = CertificateFiles(certificate: certificate)
    settings.maximumBodyBytes = 4 << 20
    change(&settings)
    let socketLoop = onOtherLoop ? other : nil
    let server = HTTPServer(on: loop, settings: settings) { request in
      if request.path == "/socket" {
        var settings = WebSocketSettings()
        settings.maximumMessageBytes = 2 << 20
        return .webSocket(protocol: nil, settings, on: socketLoop) { socket in
          await socket.start(onMessage: { socket.send($0) }, onClose: { _ in })
        }
      }
      let body = request.body + Array("\(request.isSecure) \(request.remote.ip)".utf8)
      return .response(HTTPResponse(status: 200, body: body))
    }
    return (server, Int(try await server.start().port))
  }

  @Test func requestsGoBothWays() async throws {
    let (server, port) = try await start()
    for size in [0, 1, 70_000, 3_000_000] {
      let body = [UInt8](repeating: 120, count: size)
      let response = try await client.send(
        HTTPRequest(
          "POST", url: "https://localhost:\(port)/", body: body, deadline: .seconds(30),
          maximumBodyBytes: 4 << 20))
      #expect(response.status == 200)
      #expect(response.body.count == size + "true 127.0.0.1".utf8.count)
      #expect(String(decoding: response.body.suffix(14), as: UTF8.self) == "true 127.0.0.1")
    }
    await server.close()
    await client.close()
  }

  /// Over IPv6, with TLS and without.
  @Test func theNewerProtocolIsServed() async throws {
    let (server, port) = try await start { $0.address = SocketAddress(ip: "::1", port: 0) }
    let secure = try await client.send(HTTPRequest(url: "https://localhost:\(port)/"))
    #expect(secure.text == "true ::1")
    await server.close()
    let (plain, plainPort) = try await start {
      $0.address = SocketAddress(ip: "::1", port: 0)
      $0.certificate = nil
    }
    #expect(try await client.send(HTTPRequest(url: "http://[::1]:\(plainPort)/")).text == "false ::1")
    await plain.close()
    await client.close()
  }

  @Test(arguments: [false, true]) func socketsTakeTheConnectionOver(onOtherLoop: Bool) async throws {
    let (server, port) = try await start(onOtherLoop: onOtherLoop)
    let script = """
      import asyncio, ssl, sys, websockets
      context = ssl.create_default_context(cafile=sys.argv[2])
      async def main():
          url = f"wss://localhost:{sys.argv[1]}/socket"
          async def talk(seed):
              async with websockets.connect(url, ssl=context, max_size=None) as one:
                  for size in (1, 1000, 65536, 1 << 20):
                      await one.send(bytes([seed]) * size)
                      assert await one.recv() == bytes([seed]) * size
                  await one.send(["frag", "ments"])
                  assert await one.recv() == "fragments"
                  await (await one.ping())
          await asyncio.gather(*(talk(seed) for seed in range(5)))
          async with websockets.connect(url, ssl=context, max_size=None) as big:
              await big.send(b"x" * (3 << 20))
              try:
                  await big.recv()
                  assert False, "too long a message was taken"
              except websockets.ConnectionClosed:
                  assert big.close_code == 1009, big.close_code
          abrupt = await websockets.connect(url, ssl=context)
          abrupt.transport.abort()
          print("all is well", end="")
      asyncio.run(main())
      """
    #expect(try run(script, "\(port)", certificate) == "all is well")
    await server.close()
    await client.close()
  }

  /// Strangers at the door: no handshake, garbage, half a handshake. Others do not notice, and close does not hang.
  @Test func thoseWhoDoNotShakeHands() async throws {
    let (server, port) = try await start { $0.handshakeSeconds = 1 }
    let script = """
      import socket, sys
      silent = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
      garbage = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
      garbage.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
      half = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
      half.sendall(b"\\x16\\x03\\x01\\x02")
      for one in (garbage, silent, half):
          one.settimeout(20)
          try:
              while one.recv(100): pass
          except ConnectionError: pass
      print("closed", end="")
      """
    #expect(try run(script, "\(port)") == "closed")
    let response = try await client.send(HTTPRequest(url: "https://localhost:\(port)/"))
    #expect(response.status == 200)
    await server.close()
    await client.close()
  }

  @Test func aNewCertificateIsForNewConnections() async throws {
    let (server, port) = try await start()
    let url = "https://localhost:\(port)/"
    #expect(try await client.send(HTTPRequest(url: url)).status == 200)
    try place.write("server.pem", "no certificate")
    await #expect(throws: HTTPError.self) { try await server.reloadCertificate() }
    #expect(try await client.send(HTTPRequest(url: url)).status == 200, "the old one stays in force")
    try place.write("server.pem", try #require(TLSCertificate.selfSigned(for: "localhost")))
    try await server.reloadCertificate()
    var settings = HTTPClientSettings()
    settings.authorities = certificate
    let newcomer = HTTPClient(on: loop, settings: settings)
    #expect(try await newcomer.send(HTTPRequest(url: url)).status == 200)
    await newcomer.close()
    await server.close()
    await client.close()
  }

  @Test func oneAddressHasSoManyConnections() async throws {
    let (server, port) = try await start { $0.maximumConnectionsPerAddress = 3 }
    let script = """
      import socket, ssl, sys
      context = ssl.create_default_context(cafile=sys.argv[2])
      def connect():
          raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
          return context.wrap_socket(raw, server_hostname="localhost")
      held = [connect() for _ in range(3)]
      try:
          connect()
          print("a fourth", end="")
      except OSError:
          held.pop().close()
          for attempt in range(100):
              try:
                  connect()
                  print("room again", end="")
                  break
              except OSError: pass
      """
    #expect(try run(script, "\(port)", certificate) == "room again")
    await server.close()
    await client.close()
  }

  @Test func aCertificateThatIsNone() async throws {
    let server = HTTPServer(
      on: loop,
      settings: {
        var settings = HTTPServerSettings()
        settings.certificate = CertificateFiles(certificate: "/nowhere.pem")
        return settings
      }()
    ) { _ in .text(200, "") }
    await #expect(throws: HTTPError.self) { try await server.start() }
    await server.close()
    await client.close()
  }

  private func run(_ script: String, _ words: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script] + words
    let out = Pipe()
    process.standardOutput = out
    process.standardError = out
    try process.run()
    let data = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
