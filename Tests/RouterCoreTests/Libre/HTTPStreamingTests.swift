import RouterCore
import Testing

/// Bodies that are read piece by piece, from a real server.
@Suite(.serialized) struct HTTPStreamingTests {
  private let server: HTTPTestServer
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient

  init() throws {
    server = try HTTPTestServer()
    var settings = HTTPClientSettings()
    settings.authorities = server.authority
    client = HTTPClient(on: loop, settings: settings)
  }

  private func open(
    _ path: String, on name: String = "plain", deadline: Duration = .seconds(60), bytes: Int = 1 << 40,
    limits: HTTPStreamLimits = .init()
  ) async throws -> HTTPStream {
    let request = HTTPRequest(
      url: try server.url(name, path), deadline: deadline, maximumBodyBytes: bytes)
    return try await client.stream(request, limits: limits)
  }

  private func failure(_ body: () async throws -> Void) async -> HTTPError.Kind? {
    do { try await body() } catch { return (error as? HTTPError)?.kind }
    return nil
  }

  @Test(arguments: ["plain", "right"]) func piecesArriveAsTheyAreSent(_ name: String) async throws {
    let stream = try await open("/events", on: name)
    #expect(stream.status == 200)
    #expect(stream.header("transfer-encoding") == "chunked")
    #expect(try await stream.body.next() == Array("data: one\n".utf8))
    var rest: [UInt8] = []
    for try await piece in stream.body { rest += piece }
    #expect(String(decoding: rest, as: UTF8.self) == "\ndata: two\n\n")
    #expect(try await stream.body.next() == nil)
    await client.close()
  }

  @Test func otherAnswersAreAnswers() async throws {
    #expect(try await open("/none").status == 404)
    let moved = try await open("/moved")
    #expect(moved.status == 302)
    #expect(try await moved.text(upTo: 100) == "")
    #expect(try await open("/hints").text(upTo: 100) == "after the hints")
    #expect(try await open("/hints").text(upTo: 5) == "after")
    let trailers = try await open("/trailers")
    #expect(try await trailers.text(upTo: 100) == "body")
    #expect(trailers.header("x-late") == nil)
    await client.close()
  }

  @Test func connectionsAreReusedAfterAStream() async throws {
    let first = try await open("/port").text(upTo: 10)
    let second = try await open("/port").text(upTo: 10)
    #expect(first == second)
    await client.close()
  }

  @Test func deadlinesHold() async throws {
    let soon = Duration.milliseconds(200)
    #expect(await failure { _ = try await open("/never", limits: .init(head: soon)) } == .timedOut)
    #expect(await failure { _ = try await open("/never", deadline: soon) } == .timedOut)
    for limits in [HTTPStreamLimits(idle: soon), .init()] {
      let stream = try await open("/stalls", limits: limits)
      #expect(try await stream.body.next() == Array("first".utf8))
      let kind = await failure { _ = try await stream.body.next(within: limits.idle == soon ? nil : soon) }
      #expect(kind == .timedOut)
      #expect(await failure { _ = try await stream.body.next() } == .timedOut, "it stays ended")
    }
    let whole = try await open("/stalls", deadline: soon)
    #expect(await failure { while try await whole.body.next() != nil {} } == .timedOut)
    await client.close()
  }

  @Test func whatBreaksIsNoEnd() async throws {
    let stream = try await open("/breaks")
    #expect(try await stream.body.next() == Array("first".utf8))
    #expect(await failure { _ = try await stream.body.next() } == .closed)
    #expect(await failure { _ = try await open("/big", bytes: 1000).text(upTo: .max) } == .tooLarge)
    #expect(await failure { _ = try await open("/port", on: "expired") } == .untrusted)
    await client.close()
    #expect(await failure { _ = try await open("/port") } == .closed)
  }

  @Test func aReaderWhoWaitsStopsTheSender() async throws {
    let stream = try await open("/endless")
    _ = try await stream.body.next()
    // Until the network is full the server goes on; then what it has written stays the same.
    var written = [0, 1]
    while written.suffix(2).first != written.last || written.last == 0 {
      try await Task.sleep(for: .milliseconds(300))
      written.append(try #require(Int(try await open("/written").text(upTo: 20))))
    }
    #expect(try #require(written.last) < 64 << 20)
    var more = 0
    while more < 80 << 20, let piece = try await stream.body.next() { more += piece.count }
    #expect(more >= 80 << 20, "it goes on when it is read again")
    await client.close()
  }

  @Test func aLateReaderIsToldThatTheBodyIsTooLong() async throws {
    // libcurl holds the piece over the limit back while nobody reads: it is refused in the reader's own turn.
    let stream = try await open("/endless", bytes: 70_000)
    for _ in 0..<20 { _ = try await open("/port").text(upTo: 10) }
    #expect(await failure { while try await stream.body.next(within: .seconds(10)) != nil {} } == .tooLarge)
    await client.close()
  }

  @Test func whoLeavesEndsTheExchange() async throws {
    for isCancelled in [true, false] {
      do {
        let stream = try await open("/endless")
        if isCancelled {
          let reading = Task { for try await _ in stream.body {} }
          _ = try await open("/port").text(upTo: 10)
          reading.cancel()
          #expect(await failure { try await reading.value } == .cancelled)
        } else {
          for try await _ in stream.body { break }
        }
      }
      #expect(try await open("/ended").text(upTo: 10) == "True")
    }
    let url = try server.url("plain", "/never")
    let waiting = Task { [client] in _ = try await client.stream(HTTPRequest(url: url), limits: .init()) }
    waiting.cancel()
    #expect(await failure { try await waiting.value } == .cancelled)
    await client.close()
  }

  @Test func closingTheClientEndsItsStreams() async throws {
    let stream = try await open("/stalls")
    #expect(try await stream.body.next() == Array("first".utf8))
    let reading = Task { try await stream.body.next() }
    await client.close()
    #expect(await failure { _ = try await reading.value } == .closed)
  }

  @Test func manyStreamsShareOneLoop() async throws {
    let request = HTTPRequest(url: try server.url("plain", "/events"))
    let bodies = try await withThrowingTaskGroup(of: String.self) { [client] group in
      for _ in 0..<100 {
        group.addTask { try await client.stream(request, limits: .init()).text(upTo: 1000) }
      }
      return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
    #expect(bodies == ["data: one\n\ndata: two\n\n": 100])
    await client.close()
  }
}
