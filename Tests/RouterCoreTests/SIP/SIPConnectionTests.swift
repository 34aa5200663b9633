import CLibreShim
import Glibc
import Testing

@testable import RouterCore

/// TCP connections that cost more than they bring.
@Suite(.timeLimit(.minutes(2))) struct SIPConnectionTests {
  /// A connection that writes what a test wants; blocking, with a time limit.
  final class Wire: Sendable {
    private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)

    init() {
      var timeout = timeval(tv_sec: 20, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Glibc.close(descriptor) }

    func connect(_ port: UInt16) -> Bool {
      var peer = sockaddr_in()
      peer.sin_family = sa_family_t(AF_INET)
      peer.sin_addr.s_addr = inet_addr("127.0.0.1")
      peer.sin_port = port.bigEndian
      return withUnsafePointer(to: &peer) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
    }

    func send(_ text: String) {
      _ = Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// What comes next; empty when the other side has closed, `nil` when nothing comes.
    func receive() async -> String? {
      let outcome = OneShot<String?>()
      let isStarted = DetachedThread.start { [self] in
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        outcome.resolve(
          count < 0 && errno == EAGAIN ? nil : String(decoding: buffer[..<max(0, count)], as: UTF8.self))
      }
      if !isStarted { outcome.resolve(nil) }
      return await outcome.value(cancelled: nil)
    }
  }

  private static let options = SIPTortureTests.options(
    via: "SIP/2.0/TCP 127.0.0.1;rport;branch=z9hG4bKc", id: "c", more: "Content-Length: 0\n"
  ).replacing("\n", with: "\r\n")

  private func withServer(
    _ change: (inout SIPSettings) -> Void, _ body: (SIPTestSide, UInt16) async throws -> Void
  ) async throws {
    let side = SIPTestSide(.loopback(.tcp, change))
    let port = try await side.listen()[0].port
    try await body(side, port)
    await side.close()
  }

  @Test(arguments: ["", "\r\n\r\n", "OPTIONS sip:x SIP/2.0\r\nVia: "])
  func whoSaysNothingWholeIsClosed(_ text: String) async throws {
    try await withServer {
      $0.limits.firstMessage = .milliseconds(100)
    } _: { _, port in
      let wire = Wire()
      #expect(wire.connect(port))
      if !text.isEmpty { wire.send(text) }
      if text == "\r\n\r\n" { #expect(await wire.receive() == "\r\n") }
      #expect(await wire.receive() == "")
    }
  }

  @Test func whoFallsSilentIsClosed() async throws {
    try await withServer {
      $0.limits.idle = .milliseconds(150)
    } _: { side, port in
      let wire = Wire()
      #expect(wire.connect(port))
      wire.send(Self.options)
      #expect(await wire.receive()?.hasPrefix("SIP/2.0 200 ") == true)
      #expect(await wire.receive() == "")
      #expect(await side.endpoint.connectionCount == 0)
    }
  }

  @Test func aMessageMustEnd() async throws {
    try await withServer {
      $0.limits.partialMessage = .milliseconds(100)
    } _: { _, port in
      let wire = Wire()
      #expect(wire.connect(port))
      wire.send(Self.options + "OPTIONS sip:x SIP/2.0\r\n")
      #expect(await wire.receive()?.hasPrefix("SIP/2.0 200 ") == true)
      #expect(await wire.receive() == "")
    }
  }

  /// Without a descriptor for it, a new connection is closed at once: left in the queue it would wake the loop for ever.
  @Test func withoutDescriptorsConnectionsAreTurnedAway() async throws {
    try await withServer { _ in
    } _: { _, port in
      let before = shim_turned_away()
      let wires = [Wire(), Wire(), Wire()]
      let limits = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
      var usual = rlimit()
      #expect(getrlimit(limits, &usual) == 0)
      let free = dup(0)
      Glibc.close(free)
      var tight = usual
      tight.rlim_cur = rlim_t(free)
      #expect(setrlimit(limits, &tight) == 0)
      for wire in wires.dropLast() {
        #expect(wire.connect(port))
        #expect(await wire.receive() == "")
      }
      #expect(setrlimit(limits, &usual) == 0)
      #expect(shim_turned_away() - before == 2)
      // And there is room again.
      let last = wires[2]
      #expect(last.connect(port))
      last.send(Self.options)
      #expect(await last.receive()?.hasPrefix("SIP/2.0 200 ") == true)
    }
  }
}
