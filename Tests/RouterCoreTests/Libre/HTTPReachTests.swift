import Foundation
import RouterCore
import Testing

/// Requests that may go to public addresses only, against a server on this host.
@Suite(.serialized) final class HTTPReachTests {
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient

  init() { client = HTTPClient(on: loop) }

  private func serve() async throws -> (HTTPServer, Int) {
    let server = HTTPServer(on: loop) { request in
      request.path == "/socket"
        ? .webSocket(protocol: nil, .init()) { await $0.start(onMessage: { _ in }, onClose: { _ in }) }
        : .text(200, "here")
    }
    return (server, Int(try await server.start().port))
  }

  private func outcome(_ url: String, _ reach: NetworkReach) async -> String {
    var request = HTTPRequest(url: url, deadline: .seconds(5))
    request.reach = reach
    do throws(HTTPError) { return try await client.send(request).text } catch { return "\(error.kind)" }
  }

  /// How this host can be written; names are looked up.
  static let hosts = [
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "a.localhost", "2130706433", "0x7f000001",
    "017700000001", "127.1",
    "0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::127.0.0.1]",
  ]

  @Test func thisHostIsNotReached() async throws {
    let (server, port) = try await serve()
    for host in HTTPReachTests.hosts {
      #expect(await outcome("http://\(host):\(port)/", .publicOnly) == "forbidden", "\(host)")
    }
    // A kept connection, opened by a request that was allowed to.
    #expect(await outcome("http://127.0.0.1:\(port)/", .anywhere) == "here")
    #expect(await outcome("http://127.0.0.1:\(port)/", .publicOnly) == "forbidden")
    let block = try #require(AddressPrefix("127.0.0.0/8"))
    #expect(await outcome("http://127.0.0.1:\(port)/", .publicOnly.allowing([block])) == "here")
    #expect(await outcome("http://127.1:\(port)/", .publicOnly.allowing([block])) == "here")
    await client.close()
    await server.close()
  }

  /// The host's own name resolves to this host as well (or to nothing), and no rule about spelling knows it.
  @Test func aNameThatResolvesHereIsNotReached() async throws {
    let (server, port) = try await serve()
    let name = ProcessInfo.processInfo.hostName
    let outcome = await outcome("http://\(name):\(port)/", .publicOnly)
    #expect(outcome == "forbidden" || outcome == "unresolved", "\(name): \(outcome)")
    await client.close()
    await server.close()
  }

  @Test func socketsAreKeptInToo() async throws {
    let (server, port) = try await serve()
    for reach in [NetworkReach.publicOnly, .anywhere] {
      do throws(HTTPError) {
        let socket = try await WebSocket.connect("ws://127.0.0.1:\(port)/socket", over: client, reach: reach)
        #expect(reach == .anywhere)
        await socket.start(onMessage: { _ in }, onClose: { _ in })
        await socket.close()
      } catch {
        #expect(error.kind == .forbidden && reach == .publicOnly, "\(error)")
      }
    }
    await client.close()
    await server.close()
  }
}
