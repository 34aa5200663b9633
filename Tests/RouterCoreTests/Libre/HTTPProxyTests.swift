import Foundation
import RouterCore
import Testing

/// The way out through a proxy, as the environment says it: for HTTP, streams and WebSockets.
@Suite(.serialized) final class HTTPProxyTests {
  private let server: HTTPTestServer
  private let sockets: PythonServer
  private let proxy: String
  private let proxyProgram: PythonServer
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient

  init() throws {
    server = try HTTPTestServer()
    sockets = try PythonServer("websocket_server.py")
    proxyProgram = try PythonServer("proxy.py")
    proxy = "http://127.0.0.1:\(String(decoding: proxyProgram.line, as: UTF8.self))"
    var settings = HTTPClientSettings()
    settings.authorities = server.authority
    client = HTTPClient(on: loop, settings: settings)
    for name in ["https_proxy", "http_proxy"] { setenv(name, proxy, 1) }
    setenv("no_proxy", "127.0.0.1,::1", 1)
  }

  deinit { for name in ["https_proxy", "http_proxy", "no_proxy", "HTTPS_PROXY"] { unsetenv(name) } }

  private func get(_ url: String) async throws -> String {
    String(decoding: try await client.send(HTTPRequest(url: url)).body, as: UTF8.self)
  }

  private func failure(_ url: String) async -> HTTPError.Kind? {
    do {
      _ = try await client.send(HTTPRequest(url: url))
      return nil
    } catch { return error.kind }
  }

  /// The hosts that it made tunnels to.
  private func tunnels() async throws -> String { try await get(proxy + "/tunnels") }

  @Test func secureRequestsGoThroughATunnelAndAreVerified() async throws {
    let text = try await get(server.url("right", "/chunked"))
    #expect(text == "one two three")
    let hosts = try await tunnels()
    #expect(hosts == "localhost")
    let stream = try await client.stream(HTTPRequest(url: server.url("right", "/events")), limits: .init())
    #expect(stream.header("transfer-encoding") == "chunked", "the proxy's own head is not ours")
    var body: [UInt8] = []
    for try await piece in stream.body { body += piece }
    #expect(String(decoding: body, as: UTF8.self) == "data: one\n\ndata: two\n\n")
    for name in ["other", "own", "expired"] {
      let kind = await failure(try server.url(name, "/port"))
      #expect(kind == .untrusted, "\(name)")
    }
    await client.close()
  }

  @Test func theUpperCaseNameIsRead() async throws {
    unsetenv("https_proxy")
    setenv("HTTPS_PROXY", proxy, 1)
    _ = try await get(server.url("right", "/port"))
    let hosts = try await tunnels()
    #expect(hosts == "localhost")
    await client.close()
  }

  @Test func plainRequestsAreForwarded() async throws {
    let text = try await get("http://somewhere.example/a?b=c")
    #expect(text == "through the proxy: http://somewhere.example/a?b=c")
    await client.close()
  }

  @Test func exceptionsGoDirectly() async throws {
    setenv("no_proxy", "localhost,127.0.0.1", 1)
    _ = try await get(server.url("right", "/port"))
    let hosts = try await tunnels()
    #expect(hosts == "")
    await client.close()
  }

  @Test func aProxyThatRefusesIsAnError() async throws {
    let kind = await failure("https://forbidden.example/")
    #expect(kind != nil)
    await client.close()
  }

  /// Also those without TLS: nothing else carries what is no HTTP.
  @Test func webSocketsGoThroughATunnel() async throws {
    let port = String(decoding: sockets.line, as: UTF8.self)
    let socket = try await WebSocket.connect("ws://localhost:\(port)/greets", over: client)
    let (messages, told) = AsyncStream.makeStream(of: WebSocketMessage.self)
    await socket.start(onMessage: { told.yield($0) }, onClose: { _ in told.finish() })
    let first = await messages.first { _ in true }
    #expect(first == .text("hello"))
    let hosts = try await tunnels()
    #expect(hosts == "localhost")
    await socket.close()
    await client.close()
  }
}
