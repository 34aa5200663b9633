import FoundationEssentials
import Testing

@testable import RouterCore

/// What strangers can do to an endpoint, and what they cannot.
@Suite(.timeLimit(.minutes(2))) struct SIPHardeningTests {
  private func options(_ number: Int) -> String {
    SIPTortureTests.options(
      via: "SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKprobe\(number)", id: "probe\(number)"
    ).replacing("\n", with: "\r\n")
  }

  /// Seeded, so that a failure can be had again.
  private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func mutatedMessagesDoNoHarm(_ seed: UInt64) async throws {
    let side = SIPTestSide(.loopback { $0.limits.invitesPerSecond = nil })
    let address = try await side.listen()[0]
    let socket = try SIPTestSocket()
    var random = Random(state: seed)
    var seeds = (SIPTortureTests.legal + SIPTortureTests.illegal).map { Array($0.text.utf8) }
    let caller = try SIPTestCaller(address)
    seeds.append(Array(caller.text("INVITE", branch: "%", ["Require: 100rel"], body: "v=0").utf8))
    for round in 0..<1500 {
      var bytes = seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(contentsOf: bytes[index..<min(index + 40, bytes.count)], at: index)
        default: bytes.removeLast(min(bytes.count, Int.random(in: 1...200, using: &random)))
        }
      }
      socket.send(bytes, to: address)
      if round % 100 == 0 {
        socket.send(options(round), to: address)
        var response = try #require(await socket.receive())
        while !response.contains("probe\(round)@") && !response.contains("z9hG4bKprobe\(round)\r\n")
          && !response.contains("z9hG4bKprobe\(round);")
        {
          response = try #require(await socket.receive())
        }
      }
    }
    await side.close()
  }

  @Test func connectionsHaveLimits() async throws {
    let settings = SIPSettings.loopback(.tcp) {
      $0.limits.connectionsPerAddress = 2
      $0.limits.firstMessage = .milliseconds(200)
    }
    let server = SIPTestSide(settings)
    let target = "sip:x@\(try await server.listen()[0]);transport=tcp"
    var clients: [SIPTestSide] = []
    var endings: [SIPCallEnding.Cause?] = []
    for number in 0..<3 {
      let client = SIPTestSide()
      _ = try await client.listen()
      clients.append(client)
      let (_, log) = try await client.call(target)
      // The third one is turned away before it is read.
      endings.append(number < 2 ? nil : try await log.ending().cause)
      if number < 2 { _ = try await server.nextInvitation() }
    }
    #expect(endings == [nil, nil, .lost])
    #expect(await server.endpoint.connectionCount == 2)
    for client in clients { await client.close() }
    await server.close()
  }

  @Test func strangersHearNothing() async throws {
    let side = SIPTestSide()
    let address = try await side.listen(admits: { _, _ in false })[0]
    let socket = try SIPTestSocket()
    socket.send(options(1), to: address)
    socket.send("nonsense sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n", to: address)
    #expect(await socket.receive(within: .milliseconds(100)) == nil)
    await side.close()
  }

  @Test func floodsAreRefused() async throws {
    let side = SIPTestSide(.loopback { $0.limits.invitesPerSecond = 1 })
    let address = try await side.listen(decide: { _ in .refuse(SIPReply(404)) })[0]
    let caller = try SIPTestCaller(address)
    // All at once: the first is served, and long before the next second some are not.
    for number in 1...50 { caller.send("INVITE", branch: "f\(number)", cseq: number) }
    #expect(await caller.socket.status() == 404)
    let refused = try await caller.socket.response(503)
    #expect(refused.field("Retry-After") == "1")
    await side.close()
  }

  @Test func pendingCallsHaveALimit() async throws {
    let side = SIPTestSide(.loopback { $0.limits.pendingCalls = 1 })
    let target = "sip:x@\(try await side.listen()[0])"
    let client = SIPTestSide()
    _ = try await client.listen()
    let (first, _) = try await client.call(target)
    _ = try await side.nextInvitation()
    let (_, second) = try await client.call(target)
    let ending = try await second.ending()
    #expect(ending.status == 503)
    #expect(ending.response?.retryAfter == 5)
    await first.cancel()
    await client.close()
    await side.close()
  }

  @Test(arguments: [true, false]) func certificatesAreChecked(_ isTrusted: Bool) async throws {
    let folder = "/tmp/routerd-sip-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer {
      // What is left of it in the temporary folder harms nobody.
      try? FileManager.default.removeItem(atPath: folder)
    }
    for name in ["127.0.0.1", "other.example"] {
      let pem = try #require(TLSCertificate.selfSigned(for: name))
      try Data(pem.utf8).write(to: URL(filePath: "\(folder)/\(name).pem"))
    }
    let name = isTrusted ? "127.0.0.1" : "other.example"
    var settings = SIPSettings.loopback(.tls)
    settings.listeners[0].certificateFile = "\(folder)/\(name).pem"
    let server = SIPTestSide(settings)
    let target = "sip:x@\(try await server.listen()[0]);transport=tls"
    let client = SIPTestSide(.loopback { $0.authorityFile = "\(folder)/\(name).pem" })
    _ = try await client.listen()
    let (call, log) = try await client.call(target)
    if isTrusted {
      _ = try await server.nextInvitation()
      await call.cancel()
      #expect(try await log.ending().cause == .cancelledByUs)
    } else {
      // The chain is right, the name is not.
      #expect(try await log.ending().cause == .lost)
    }
    await client.close()
    await server.close()
  }

  @Test(arguments: [("secret", 200), ("guess", 401)])
  func challengesAreAnswered(_ password: String, _ status: Int) async throws {
    let authenticator = SIPAuthenticator(realm: "home")
    let server = SIPTestSide()
    let bound = try await server.listen(request: { request in
      switch authenticator.verify(request, password: { $0 == "u" ? "secret" : nil }) {
      case .accepted: .reply(SIPReply(200))
      case .challenge(let isStale): .reply(authenticator.challenge(stale: isStale))
      case .refused: .reply(authenticator.challenge())
      }
    })
    let client = SIPTestSide()
    _ = try await client.listen()
    let target = try #require(SIPURI("sip:x@\(bound[0])"))
    let response = await client.endpoint.send(
      SIPOutgoingRequest(
        .message, target: target, from: SIPAddress(uri: target), contentType: "text/plain", body: [65],
        credentials: SIPCredentials(username: "u", password: password)))
    #expect(response.status == status)
    await client.close()
    await server.close()
  }

  @Test func listenersThatCannotOpenSaySo() async throws {
    let first = SIPTestSide()
    let bound = try await first.listen()[0]
    var settings = SIPSettings.loopback()
    settings.listeners = [
      .init(.tcp, address: "127.0.0.1", port: 0), .init(.udp, address: "127.0.0.1", port: bound.port),
    ]
    let second = SIPTestSide(settings)
    let failure = await #expect(throws: SIPFailure.self) { try await second.listen() }
    #expect(failure?.description == "udp \(bound): Address already in use")
    settings.listeners = [.init(.tls, address: "127.0.0.1", port: 0, certificateFile: "/nowhere.pem")]
    let third = SIPTestSide(settings)
    await #expect(throws: SIPFailure.self) { try await third.listen() }
    for side in [first, second, third] { await side.close() }
  }
}
