import Glibc
import RouterCore

/// A UDP socket of a test's own, for what no ready-made peer sends. Blocking, with a time limit.
final class DatagramSocket: @unchecked Sendable {
  private let descriptor: Int32
  /// The port that it is bound to.
  let port: UInt16

  /// Binds an IPv4 address; port 0 is any free one. `nil` when that cannot be had.
  init?(ip: String, port: UInt16 = 0) {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0, var address = ipv4(ip, port) else { return nil }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
      }
    }
    guard isBound else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    self.port = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8], to target: SocketAddress) {
    guard var address = ipv4(target.ip, target.port) else { return }
    withUnsafeMutablePointer(to: &address) {
      _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// The next datagram and the port that it came from; `nil` when none comes in time.
  func receive(within milliseconds: Int32) -> (bytes: [UInt8], port: UInt16)? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, milliseconds) == 1 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 65536)
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
      }
    }
    guard count >= 0 else { return nil }
    return (Array(buffer[..<count]), UInt16(bigEndian: address.sin_port))
  }
}

private func ipv4(_ ip: String, _ port: UInt16) -> sockaddr_in? {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  guard inet_pton(AF_INET, ip, &address.sin_addr) == 1 else { return nil }
  return address
}
