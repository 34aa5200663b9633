internal import CLibreShim

/// A packet's sender: IPv6, or IPv4 mapped into it, and the port. Compares in a few instructions.
struct PacketAddress: Hashable, Sendable {
  var high: UInt64
  var low: UInt64
  var port: UInt16
  /// The interface of a link-local address; 0 for any other.
  var scope: UInt32

  /// Whether the hosts are the same.
  func isSameHost(as other: PacketAddress) -> Bool { high == other.high && low == other.low }

  /// Addresses that only mean something in their own network, so that a peer behind NAT may name one (RFC 1918,
  /// RFC 6598, RFC 3927, RFC 4193, RFC 4291; loopback).
  var isPrivate: Bool {
    if high == 0, low >> 32 == 0xFFFF {
      let four = UInt32(truncatingIfNeeded: low)
      return four >> 24 == 10 || four >> 20 == 0xAC1 || four >> 16 == 0xC0A8 || four >> 22 == 0x191
        || four >> 16 == 0xA9FE || four >> 24 == 127
    }
    return high >> 57 == 0x7E || high >> 54 == 0x3FA || (high == 0 && low == 1)
  }
}

extension PacketAddress {
  /// `nil` for anything but a numeric address.
  init?(_ address: SocketAddress) {
    var parsed = shim_address()
    guard shim_address_parse(address.ip, address.port, &parsed) else { return nil }
    self.init(parsed)
  }

  init(_ address: shim_address) {
    self.init(high: address.high, low: address.low, port: address.port, scope: address.scope)
  }

  var shim: shim_address { shim_address(high: high, low: low, port: port, scope: scope) }

  /// The same host, another port.
  func with(port: UInt16) -> PacketAddress { PacketAddress(high: high, low: low, port: port, scope: scope) }
}
