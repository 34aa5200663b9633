internal import CLibre

/// A way to a peer: the socket and the addresses at both ends.
struct SIPFlow {
  enum Path: Hashable {
    /// A UDP socket, by the number of its listener.
    case datagram(Int)
    /// A TCP or TLS connection, by its number.
    case stream(UInt64)
  }

  var path: Path
  var transport: SIPTransport
  /// Which listener's names stand for us in Contact and Via.
  var listener: Int
  var remote: sa
  /// Our end; a concrete address.
  var local: sa
}

extension sa {
  /// A numeric address without brackets.
  init?(ip: String, port: UInt16) {
    self.init()
    guard sa_set_str(&self, ip, port) == 0 else { return nil }
  }

  init?(_ address: SocketAddress) { self.init(ip: address.ip, port: address.port) }

  var family: Int32 {
    var copy = self
    return sa_af(&copy)
  }

  var port: UInt16 {
    get {
      var copy = self
      return sa_port(&copy)
    }
    set { sa_set_port(&self, newValue) }
  }

  var isAny: Bool {
    var copy = self
    return sa_is_any(&copy)
  }

  /// The address in text, IPv4 in IPv6 (`::ffff:…`) as IPv4.
  var ip: String {
    var copy = self
    if family == AF_INET { return sa.dotted(sa_in(&copy)) }
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer -> String in
      guard let start = buffer.baseAddress, sa_ntop(&copy, start, 64) == 0 else { return "" }
      return String(cString: start)
    }
    return text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
  }

  /// `192.0.2.1`, of an address in the host's order.
  private static func dotted(_ address: UInt32) -> String {
    String(unsafeUninitializedCapacity: 15) { buffer in
      var count = 0
      func add(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
      }
      for shift in [24, 16, 8, 0] as [UInt32] {
        let part = UInt8(address >> shift & 255)
        if part >= 100 { add(0x30 + part / 100) }
        if part >= 10 { add(0x30 + part / 10 % 10) }
        add(0x30 + part % 10)
        if shift > 0 { add(UInt8(ascii: ".")) }
      }
      return count
    }
  }

  var socketAddress: SocketAddress { SocketAddress(ip: ip, port: port) }

  func isSame(_ other: sa) -> Bool {
    var (a, b) = (self, other)
    return sa_cmp(&a, &b, Int32(SA_ALL.rawValue))
  }
}
