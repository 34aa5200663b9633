import Testing

@testable import RouterCore

@Suite struct SIPSessionTimerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var headers: [Header]
    var outcome: SIPSessionTimer.ServerOutcome
    var ours: Int? = 1800
    var testDescription: String { "\(headers.map { "\($0.name): \($0.value)" })" }
  }

  private static func agreed(
    _ interval: Int, _ refresher: SIPSessionExpires.Refresher
  ) -> SIPSessionTimer.ServerOutcome {
    .agreed(
      SIPSessionTimer(interval: interval, isOurs: refresher == .uas),
      field: SIPSessionExpires(interval, refresher: refresher), requires: refresher == .uac)
  }

  static let cases = [
    Case(headers: [], outcome: .none),
    Case(headers: [Header("Supported", "timer")], outcome: agreed(1800, .uac)),
    Case(headers: [Header("Supported", "timer")], outcome: .none, ours: nil),
    Case(headers: [Header("Supported", "timer"), Header("Min-SE", "2400")], outcome: agreed(2400, .uac)),
    Case(headers: [Header("Supported", "timer"), Header("x", "600")], outcome: agreed(600, .uac)),
    Case(
      headers: [Header("Supported", "timer"), Header("Session-Expires", "3600;refresher=uas")],
      outcome: agreed(1800, .uas)),
    Case(
      headers: [Header("Supported", "timer"), Header("Session-Expires", "3600"), Header("Min-SE", "3000")],
      outcome: agreed(3000, .uac)),
    Case(
      headers: [Header("Supported", "timer"), Header("Session-Expires", "3600")], outcome: agreed(3600, .uac),
      ours: nil),
    Case(
      headers: [Header("Supported", "timer"), Header("Session-Expires", "60")],
      outcome: .tooSmall(minimum: 90)),
    Case(headers: [Header("Session-Expires", "60")], outcome: agreed(60, .uas)),
    Case(headers: [Header("Session-Expires", "600;refresher=uac")], outcome: agreed(600, .uas)),
  ]

  @Test(arguments: cases) func serverAgrees(_ test: Case) {
    var settings = SIPSessionTimerSettings()
    settings.interval = test.ours
    #expect(SIPSessionTimer.serve(SIPHeaders(test.headers), settings) == test.outcome)
  }

  @Test(
    arguments: [
      ([], nil),
      ([Header("Session-Expires", "600;refresher=uac")], SIPSessionTimer(interval: 600, isOurs: true)),
      ([Header("Session-Expires", "600;refresher=uas")], SIPSessionTimer(interval: 600, isOurs: false)),
      ([Header("x", "600")], SIPSessionTimer(interval: 600, isOurs: true)), ([Header("x", "0")], nil),
    ] as [([Header], SIPSessionTimer?)])
  func clientAgrees(_ headers: [Header], _ timer: SIPSessionTimer?) {
    #expect(SIPSessionTimer.accepted(SIPHeaders(headers)) == timer)
  }

  @Test func times() {
    #expect(SIPSessionTimer(interval: 1800, isOurs: true).refresh == .seconds(900))
    #expect(SIPSessionTimer(interval: 1800, isOurs: true).expiry == .seconds(1800))
    #expect(SIPSessionTimer(interval: 1800, isOurs: false).refresh == nil)
    #expect(SIPSessionTimer(interval: 1800, isOurs: false).expiry == .seconds(1768))
    #expect(SIPSessionTimer(interval: 90, isOurs: false).expiry == .seconds(60))
  }
}

@Suite struct SIPLookupTests {
  @Test(
    arguments: [
      ("sip:10.0.0.1", .direct(SocketAddress(ip: "10.0.0.1", port: 5060), .udp)),
      ("sips:10.0.0.1", .direct(SocketAddress(ip: "10.0.0.1", port: 5061), .tls)),
      ("sip:a@[::1]:7;transport=tcp", .direct(SocketAddress(ip: "::1", port: 7), .tcp)),
      ("sip:h:5070", .addresses(host: "h", port: 5070, .udp)),
      ("sip:h;transport=tls", .services(host: "h", [.tls])), ("sip:h", .services(host: "h", [.udp, .tcp])),
      ("sip:1.2.3", .services(host: "1.2.3", [.udp, .tcp])),
      ("sip:h;maddr=10.0.0.2", .direct(SocketAddress(ip: "10.0.0.2", port: 5060), .udp)),
    ] as [(String, SIPLookup.Plan)])
  func plans(_ text: String, _ plan: SIPLookup.Plan) throws {
    #expect(SIPLookup(try #require(SIPURI(text))).plan == plan)
  }

  @Test func servicesByPriorityAndWeight() {
    var random = SystemRandomNumberGenerator()
    let services = [(2, 0), (1, 9), (1, 1), (1, 0)].enumerated().map { index, service in
      SIPLookup.Service(priority: UInt16(service.0), weight: UInt16(service.1), port: 5060, host: "h\(index)")
    }
    var first: [String: Int] = [:]
    for _ in 0..<2000 {
      let ordered = SIPLookup.order(services, using: &random)
      #expect(ordered.count == 4)
      #expect(ordered.last?.host == "h0")
      first[ordered[0].host, default: 0] += 1
    }
    // Nine to one, with room for luck.
    #expect(first["h1", default: 0] > 1400)
    #expect(first["h2", default: 0] > 50)
  }
}

@Suite struct SIPRateLimiterTests {
  @Test func servesRefusesIgnoresAndRecovers() {
    var limiter = SIPRateLimiter(rate: 2, addresses: 4)
    let start = ContinuousClock.now
    let verdicts = (0..<6).map { _ in limiter.ask("a", now: start) }
    #expect(verdicts == [.serve, .serve, .refuse, .refuse, .ignore, .ignore])
    #expect(limiter.ask("b", now: start) == .serve)
    #expect(limiter.ask("a", now: start + .milliseconds(1600)) == .serve)
    #expect(limiter.ask("a", now: start + .milliseconds(1600)) == .refuse)
  }

  @Test func manyAddressesAreForgotten() {
    var limiter = SIPRateLimiter(rate: 1, addresses: 10)
    let start = ContinuousClock.now
    for address in 0..<1000 { #expect(limiter.ask("\(address)", now: start) == .serve) }
  }
}

@Suite struct SIPFramerTests {
  private func items(_ pieces: [String], limit: Int = 1000) -> [SIPStreamFramer.Item] {
    var framer = SIPStreamFramer(limit: limit)
    var items: [SIPStreamFramer.Item] = []
    for piece in pieces {
      piece.withRawUTF8 { framer.append($0) }
      while let item = framer.next() { items.append(item) }
    }
    return items
  }

  private let one = "OPTIONS sip:a SIP/2.0\r\nl: 4\r\n\r\nbody"
  private let two = "BYE sip:a SIP/2.0\r\nContent-Length : 0\r\n\r\n"

  @Test func messagesAreCutHoweverTheyCome() {
    let stream = one + "\r\n\r\n" + two + "\r\n" + one
    let expected: [SIPStreamFramer.Item] = [
      .message(Array(one.utf8)), .ping, .message(Array(two.utf8)), .message(Array(one.utf8)),
    ]
    for size in 1...stream.utf8.count {
      let bytes = Array(stream.utf8)
      let pieces = stride(from: 0, to: bytes.count, by: size).map {
        String(decoding: bytes[$0..<min($0 + size, bytes.count)], as: UTF8.self)
      }
      #expect(items(pieces) == expected, "in pieces of \(size)")
    }
  }

  /// Continuation lines belong to the field before them (RFC 3261 section 7.3.1).
  @Test(arguments: [
    "OPTIONS sip:a SIP/2.0\r\nSubject: x\r\n l: 40, w: 30\r\nl: 4\r\n\r\nbody",
    "OPTIONS sip:a SIP/2.0\r\nSubject: x\r\n\tContent-Length: 0\r\nContent-Length: 4\r\n\r\nbody",
    "OPTIONS sip:a SIP/2.0\r\nContent-Length:\r\n 4\r\n\r\nbody",
    "OPTIONS sip:a SIP/2.0\nl:\n 4\nl: 4\n\nbody",
  ])
  func foldedLinesAreNoFieldsOfTheirOwn(_ text: String) {
    #expect(items([text, two]) == [.message(Array(text.utf8)), .message(Array(two.utf8))])
  }

  @Test(arguments: [
    "OPTIONS sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 4\r\n\r\nbody",
    "OPTIONS sip:a SIP/2.0\r\nl: 1\r\n 0\r\n\r\nb",
    "OPTIONS sip:a SIP/2.0\r\n\r\n", "OPTIONS sip:a SIP/2.0\r\nl: x\r\n\r\n",
    "OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n",
    "OPTIONS sip:a SIP/2.0\r\nl: 1001\r\n\r\n", String(repeating: "x", count: 1001),
  ])
  func whatCannotBeCutBreaksOff(_ text: String) throws {
    let found = items([text, two])
    #expect(found.count == 1)
    guard case .broken = try #require(found.first) else {
      Issue.record("\(found)")
      return
    }
  }
}

@Suite struct SIPBodyTests {
  private func body(_ headers: [Header], _ text: String) -> SIPBody {
    var headers = SIPHeaders(headers)
    let start = Int32(headers.storage.count)
    headers.storage += Array(text.utf8)
    return SIPBody(headers, start..<Int32(headers.storage.count))
  }

  @Test func sessionDescriptionsAreFound() {
    let sdp = SIPBody.sdp(Array("v=0\r\n".utf8))
    #expect(body([], "") == .none)
    #expect(body([Header("c", "Application/SDP; charset=utf-8")], "v=0\r\n") == sdp)
    #expect(body([Header("Content-Type", "text/plain")], "v=0\r\n") == .foreign)
    #expect(body([], "v=0\r\n") == .foreign)
    #expect(
      body([Header("c", "application/sdp"), Header("e", "gzip")], "v=0\r\n") == .foreign)
    #expect(
      body([Header("c", "x/y"), Header("Content-Disposition", "render;handling=optional")], "z") == .none)
    let parts = """
      preamble\r\n--b1\r\nContent-Type: application/isup\r\n\r\nxx\r\n--b1\r\ncontent-type: application/sdp\r\n\
      Content-ID: 7\r\n\r\nv=0\r\n\r\n--b1--\r\n
      """
    #expect(body([Header("c", "multipart/mixed;boundary=\"b1\"")], parts) == sdp)
    #expect(body([Header("c", "multipart/mixed;boundary=b2")], parts) == .foreign)
    #expect(body([Header("c", "multipart/mixed")], parts) == .foreign)
  }
}
