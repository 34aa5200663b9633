/// Where to send a request, as far as that can be told without asking DNS (RFC 3263 section 4).
struct SIPLookup: Hashable, Sendable {
  enum Plan: Hashable, Sendable {
    /// A numeric address.
    case direct(SocketAddress, SIPTransport)
    /// A name with a port, or one for which there are no services: A and AAAA.
    case addresses(host: String, port: UInt16, SIPTransport)
    /// SRV, in this order, unless there is a choice and NAPTR has another one; when there is none, A and AAAA with the
    /// usual port.
    case services(host: String, [SIPTransport])
  }

  var plan: Plan
  /// What a TLS certificate must be for.
  var name: String

  /// - Parameter available: Transports that we can send on, best first.
  init(_ uri: SIPURI, available: [SIPTransport] = [.udp, .tcp, .tls]) {
    let host = uri.parameters["maddr"] ?? uri.host
    name = uri.host
    let wanted = uri.transport
    let fallback = wanted ?? available.first ?? .udp
    if let address = SIPLookup.numeric(host) {
      plan = .direct(SocketAddress(ip: address, port: uri.port ?? fallback.defaultPort), fallback)
    } else if let port = uri.port {
      plan = .addresses(host: host, port: port, fallback)
    } else {
      plan = .services(host: host, wanted.map { [$0] } ?? available.filter { $0 != .tls })
    }
  }

  /// A numeric address without brackets, or `nil` for a name.
  static func numeric(_ host: String) -> String? {
    if host.utf8.contains(SIPByte.colon) { return host }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    let isAddress =
      parts.count == 4 && parts.allSatisfy { !$0.isEmpty && $0.utf8.count <= 3 && UInt8($0) != nil }
    return isAddress ? host : nil
  }

  /// The name that SRV records of a transport stand under.
  static func service(_ transport: SIPTransport, _ host: String) -> String {
    switch transport {
    case .udp: "_sip._udp.\(host)"
    case .tcp: "_sip._tcp.\(host)"
    case .tls: "_sips._tcp.\(host)"
    }
  }

  /// An SRV record (RFC 2782).
  struct Service: Hashable, Sendable {
    var priority: UInt16
    var weight: UInt16
    var port: UInt16
    var host: String
  }

  /// A NAPTR record (RFC 3403 section 4.1).
  struct Pointer: Hashable, Sendable {
    var order: UInt16
    var preference: UInt16
    var flags: String
    var services: String
    /// Where SRV records stand.
    var name: String
  }

  /// The names to ask for SRV, best first: what NAPTR says about transports that we have (RFC 3263 section 4.1).
  static func order(_ pointers: [Pointer]) -> [(name: String, transport: SIPTransport)] {
    pointers.sorted { ($0.order, $0.preference) < ($1.order, $1.preference) }.compactMap { pointer in
      guard pointer.flags.equalsFolded("s"), !pointer.name.isEmpty, pointer.name != "." else { return nil }
      return switch pointer.services.uppercased() {
      case "SIP+D2U": (pointer.name, .udp)
      case "SIP+D2T": (pointer.name, .tcp)
      case "SIPS+D2T": (pointer.name, .tls)
      default: nil
      }
    }
  }

  /// Records in the order in which they are to be tried: by priority, and by lot among equals, in proportion to their
  /// weights (RFC 2782).
  static func order(_ services: [Service], using random: inout some RandomNumberGenerator) -> [Service] {
    var ordered: [Service] = []
    for priority in Set(services.map(\.priority)).sorted() {
      // Those without weight first, so that they have a small chance too.
      var rest = services.filter { $0.priority == priority }.sorted { $0.weight < $1.weight }
      while !rest.isEmpty {
        let total = rest.reduce(0) { $0 + Int($1.weight) }
        let drawn = Int.random(in: 0...total, using: &random)
        var sum = 0
        let index = rest.firstIndex { service in
          sum += Int(service.weight)
          return sum >= drawn
        }
        ordered.append(rest.remove(at: index ?? 0))
      }
    }
    return ordered
  }
}
