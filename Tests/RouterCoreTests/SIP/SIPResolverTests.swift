import Testing

@testable import RouterCore

/// Where requests of ours go (RFC 3263), asked of a DNS server of the test's own.
@Suite(.timeLimit(.minutes(2))) struct SIPResolverTests {
  private typealias Record = SIPTestNameServer.Record

  /// An endpoint that asks this server, and peers that answer OPTIONS with these statuses, or nothing.
  private func send(
    to target: String, _ statuses: [Int?], times: Int = 1, headers: [Header] = [],
    records: ([UInt16]) -> [String: [SIPTestNameServer.Record]]
  ) async throws -> (responses: [Int], asked: [Int], names: [String]) {
    let asked = Lock([Int](repeating: 0, count: statuses.count))
    var servers: [SIPTestSide] = []
    var ports: [UInt16] = []
    for (index, status) in statuses.enumerated() {
      let server = SIPTestSide()
      let address = try await server.listen(request: { _ in
        asked.withLock { $0[index] += 1 }
        guard let status else { return .ignore }
        return .reply(SIPReply(status, headers: status == 503 ? [Header("Retry-After", "60")] : []))
      })[0]
      servers.append(server)
      ports.append(address.port)
    }
    let names = try SIPTestNameServer(records(ports))
    let client = SIPTestSide(.loopback(t1: .milliseconds(10)) { $0.nameServers = [names.address] })
    _ = try await client.listen()
    let uri = try #require(SIPURI(target))
    var responses: [Int] = []
    for _ in 0..<times {
      let request = SIPOutgoingRequest(.options, target: uri, from: SIPAddress(uri: uri), headers: headers)
      responses.append(await client.endpoint.send(request).status)
    }
    for side in servers + [client] { await side.close() }
    names.close()
    return (responses, asked.withLock { $0 }, names.asked)
  }

  private func service(_ priority: UInt16, _ port: UInt16, weight: UInt16 = 0) -> Record {
    .service(priority: priority, weight: weight, port: port, host: "127.0.0.1")
  }

  @Test func theFirstServiceIsAskedFirst() async throws {
    let outcome = try await send(to: "sip:trunk.example;transport=udp", [200, 200]) { ports in
      ["_sip._udp.trunk.example": [service(20, ports[0]), service(10, ports[1])]]
    }
    #expect(outcome.responses == [200])
    #expect(outcome.asked == [0, 1])
    #expect(outcome.names == ["_sip._udp.trunk.example"])
  }

  /// Silence, 503 and a refused connection lead to the next one; other answers stand (RFC 3263 section 4.3).
  @Test(arguments: [(nil, 200), (503, 200), (404, 404), (486, 486)] as [(Int?, Int)])
  func theNextOneIsAskedWhen(_ first: Int?, _ final: Int) async throws {
    let outcome = try await send(to: "sip:trunk.example;transport=udp", [first, 200]) { ports in
      ["_sip._udp.trunk.example": [service(1, ports[0]), service(2, ports[1])]]
    }
    #expect(outcome.responses == [final])
    #expect(outcome.asked[1] == (final == 200 ? 1 : 0))
  }

  /// Who has just failed is asked last for a while.
  @Test func whoFailedIsAskedLast() async throws {
    let outcome = try await send(to: "sip:trunk.example;transport=udp", [503, 200], times: 3) { ports in
      ["_sip._udp.trunk.example": [service(1, ports[0]), service(2, ports[1])]]
    }
    #expect(outcome.responses == [200, 200, 200])
    #expect(outcome.asked == [1, 3])
  }

  @Test func whenAllFailTheLastAnswerCounts() async throws {
    let outcome = try await send(to: "sip:trunk.example;transport=udp", [503, 503], times: 2) { ports in
      ["_sip._udp.trunk.example": [service(1, ports[0]), service(2, ports[1])]]
    }
    #expect(outcome.responses == [503, 503])
    #expect(outcome.asked == [2, 2])
  }

  @Test func withoutServicesTheHostItselfIsAsked() async throws {
    let outcome = try await send(to: "sip:nowhere.invalid", []) { _ in [:] }
    #expect(outcome.responses == [503])
    #expect(
      outcome.names == ["nowhere.invalid", "_sip._udp.nowhere.invalid", "_sip._tcp.nowhere.invalid"])
  }

  /// A service of "." is not offered at all (RFC 2782).
  @Test func aServiceMayBeDenied() async throws {
    let outcome = try await send(to: "sip:trunk.example;transport=udp", [200]) { _ in
      ["_sip._udp.trunk.example": [.service(priority: 0, weight: 0, port: 0, host: "")]]
    }
    #expect(outcome.responses == [503])
    #expect(outcome.asked == [0])
  }

  @Test func theDomainNamesItsTransport() async throws {
    let outcome = try await send(to: "sip:trunk.example", [200, 200]) { ports in
      [
        "trunk.example": [
          .pointer(order: 50, preference: 2, services: "SIP+D2T", name: "_sip._tcp.trunk.example"),
          .pointer(order: 50, preference: 1, services: "SIP+D2U", name: "_sip._udp.edge.example"),
          .pointer(order: 10, preference: 1, services: "E2U+mailto", name: "mail.example"),
        ],
        "_sip._udp.edge.example": [service(1, ports[1])], "_sip._udp.trunk.example": [service(1, ports[0])],
      ]
    }
    #expect(outcome.responses == [200])
    #expect(outcome.asked == [0, 1])
    #expect(outcome.names == ["trunk.example", "_sip._udp.edge.example"])
  }

  /// The same answer is used again for a while, also by the next request.
  @Test func answersAreRemembered() async throws {
    let outcome = try await send(to: "sip:trunk.example;transport=udp", [200], times: 3) { ports in
      ["_sip._udp.trunk.example": [service(1, ports[0])]]
    }
    #expect(outcome.responses == [200, 200, 200])
    #expect(outcome.names.count == 1)
  }

  @Test(arguments: [("x", false), (String(repeating: "x", count: 1300), true)])
  func largeRequestsGoByTCPFirst(_ text: String, _ isTCP: Bool) async throws {
    let transports = Lock<[SIPTransport]>([])
    var settings = SIPSettings.loopback()
    let server = SIPTestSide(settings)
    let port = try await server.listen(request: { request in
      transports.withLock { $0.append(request.arrival.transport) }
      return .reply(SIPReply(200))
    })[0].port
    settings.listeners = [.init(.tcp, address: "127.0.0.1", port: port)]
    let second = SIPTestSide(settings)
    _ = try await second.listen(request: { request in
      transports.withLock { $0.append(request.arrival.transport) }
      return .reply(SIPReply(200))
    })
    let client = SIPTestSide()
    _ = try await client.listen()
    let uri = try #require(SIPURI("sip:x@127.0.0.1:\(port)"))
    let request = SIPOutgoingRequest(
      .options, target: uri, from: SIPAddress(uri: uri), headers: [Header("X-Long", text)])
    #expect(await client.endpoint.send(request).status == 200)
    #expect(transports.withLock { $0 } == [isTCP ? .tcp : .udp])
    await second.close()
    // Without TCP there, the datagram is better than nothing.
    #expect(await client.endpoint.send(request).status == 200)
    #expect(transports.withLock { $0 }.last == .udp)
    for side in [server, client] { await side.close() }
  }
}
