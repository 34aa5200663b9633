import Glibc
import Testing

@testable import RouterCore

/// A UDP socket that says and hears exactly what a test wants.
final class SIPTestSocket: Sendable {
  let descriptor: Int32
  let port: UInt16

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = self.descriptor
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(bound)
    port = UInt16(bigEndian: address.sin_port)
    var timeout = timeval(tv_sec: 0, tv_usec: 20_000)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { Glibc.close(descriptor) }

  func send(_ bytes: [UInt8], to address: SocketAddress) {
    var peer = sockaddr_in()
    peer.sin_family = sa_family_t(AF_INET)
    peer.sin_addr.s_addr = inet_addr(address.ip)
    peer.sin_port = address.port.bigEndian
    _ = withUnsafePointer(to: &peer) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  func send(_ text: String, to address: SocketAddress) { send(Array(text.utf8), to: address) }

  /// What comes next, or `nil` when nothing comes in that time. It waits on a thread of its own.
  func receive(within limit: Duration = .seconds(20)) async -> String? {
    let outcome = OneShot<String?>()
    let isStarted = DetachedThread.start { [self] in outcome.resolve(wait(limit)) }
    if !isStarted { outcome.resolve(nil) }
    return await outcome.value(cancelled: nil)
  }

  private func wait(_ limit: Duration) -> String? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let deadline = ContinuousClock.now + limit
    repeat {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count >= 0 { return String(decoding: buffer.prefix(count), as: UTF8.self) }
    } while ContinuousClock.now < deadline
    return nil
  }

  /// The status of the next response.
  func status() async -> Int? {
    await receive().flatMap { $0.hasPrefix("SIP/2.0 ") ? Int($0.dropFirst(8).prefix(3)) : nil }
  }

  /// Passes over what comes until `status` comes.
  func response(_ status: Int) async throws -> String { try await next("SIP/2.0 \(status) ") }

  /// Passes over what comes until a request of that method comes.
  func request(_ method: String) async throws -> String { try await next(method + " ") }

  /// Passes over what comes until a final answer to the request of that CSeq comes.
  func answer(_ sequence: String) async throws -> String {
    while let text = await receive() {
      if text.hasPrefix("SIP/2.0 "), !text.hasPrefix("SIP/2.0 1"), text.field("CSeq") == sequence {
        return text
      }
    }
    return try #require(nil as String?, "no answer to \(sequence)")
  }

  private func next(_ prefix: String) async throws -> String {
    while let text = await receive() {
      if text.hasPrefix(prefix) { return text }
    }
    return try #require(nil as String?, "no \(prefix)")
  }
}

extension String {
  /// The value of the first field of that name in a message.
  func field(_ name: String) -> String? {
    for line in split(separator: "\r\n", omittingEmptySubsequences: false) {
      if line.isEmpty { return nil }
      if line.lowercased().hasPrefix(name.lowercased() + ":") {
        return String(line.dropFirst(name.utf8.count + 1).drop { $0 == " " })
      }
    }
    return nil
  }
}
