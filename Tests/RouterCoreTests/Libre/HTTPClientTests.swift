import RouterCore
import Testing

/// The client against a real server, with certificates of every sort.
@Suite(.serialized) final class HTTPClientTests {
  private let server: HTTPTestServer
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient

  init() throws {
    server = try HTTPTestServer()
    var settings = HTTPClientSettings()
    settings.authorities = server.authority
    client = HTTPClient(on: loop, settings: settings)
  }

  private func url(_ name: String, _ path: String) throws -> String { try server.url(name, path) }

  private func failure(_ request: HTTPRequest) async -> HTTPError.Kind? {
    await HTTPClientTests.failure(of: client, request)
  }

  private static func failure(of client: HTTPClient, _ request: HTTPRequest) async -> HTTPError.Kind? {
    do {
      _ = try await client.send(request)
      return nil
    } catch {
      return error.kind
    }
  }

  @Test func bodiesGoBothWays() async throws {
    for name in ["plain", "right", "six"] {
      let request = HTTPRequest(
        "POST", url: try url(name, "/echo"), headers: [Header("X-Question", "why")], body: Array("Grüße".utf8)
      )
      let response = try await client.send(request)
      #expect(response.status == 200)
      #expect(response.text == "Grüße")
      #expect(response.header("x-echo") == "why")
      #expect(try await client.send(HTTPRequest(url: url(name, "/chunked"))).text == "one two three")
      #expect(try await client.send(HTTPRequest(url: url(name, "/none"))).status == 404)
    }
    await client.close()
  }

  @Test func connectionsAreReused() async throws {
    let first = try await client.send(HTTPRequest(url: url("right", "/port"))).text
    let second = try await client.send(HTTPRequest(url: url("right", "/port"))).text
    #expect(first == second)
    await client.close()
  }

  @Test func redirectsAreNotFollowed() async throws {
    #expect(try await client.send(HTTPRequest(url: url("plain", "/moved"))).status == 302)
    await client.close()
  }

  @Test func certificatesThatDoNotFitAreRefused() async throws {
    for name in ["other", "expired", "own"] {
      #expect(await failure(HTTPRequest(url: try url(name, "/port"))) == .untrusted, "\(name)")
    }
    #expect(await failure(HTTPRequest(url: try url("right", "/port"))) == nil)
    await client.close()
  }

  @Test func limitsHold() async throws {
    #expect(await failure(HTTPRequest(url: try url("plain", "/big"))) == .tooLarge)
    #expect(
      await failure(HTTPRequest(url: try url("plain", "/never"), deadline: .milliseconds(200))) == .timedOut)
    #expect(await failure(HTTPRequest(url: "http://127.0.0.1:1/")) == .refused)
    #expect(await failure(HTTPRequest(url: "http://nowhere.invalid/")) == .unresolved)
    #expect(await failure(HTTPRequest(url: "file:///etc/passwd")) == .invalidURL)
    #expect(await failure(HTTPRequest(url: "http://h/", headers: [Header("X", "a\r\nY: b")])) == .invalidURL)
    await client.close()
    #expect(await failure(HTTPRequest(url: try url("plain", "/port"))) == .closed)
  }

  @Test func cancellingEndsAnExchange() async throws {
    let request = HTTPRequest(url: try url("plain", "/never"), deadline: .seconds(60))
    let task = Task { [client] in await HTTPClientTests.failure(of: client, request) }
    #expect(try await client.send(HTTPRequest(url: url("plain", "/port"))).status == 200)
    task.cancel()
    #expect(await task.value == .cancelled)
    await client.close()
  }

  @Test func messagesHideCredentials() async throws {
    do {
      _ = try await client.send(HTTPRequest(url: "http://user:secret@127.0.0.1:1/?token=secret"))
      Issue.record("no server is there")
    } catch {
      #expect(!error.message.contains("secret"))
      #expect(error.message.contains("127.0.0.1:1"))
    }
    await client.close()
  }

  @Test func manyExchangesShareOneLoop() async throws {
    let url = try url("right", "/port")
    let answered = await withTaskGroup(of: Bool.self) { [client] group in
      for _ in 0..<200 {
        group.addTask { await HTTPClientTests.failure(of: client, HTTPRequest(url: url)) == nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(answered == 200)
    await client.close()
  }
}
