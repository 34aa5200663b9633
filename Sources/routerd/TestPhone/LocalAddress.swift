internal import Glibc
internal import RouterCore

/// Finds the address of this host that a peer would see.
enum LocalAddress {
  /// The source address that the system chooses towards `host`, a name or a number; nothing is sent.
  /// Throws ``ControlFailure`` when the name is unknown or there is no way there.
  static func toward(_ host: String, port: UInt16) throws(ControlFailure) -> String {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0, let list else {
      // A name that has only SRV records is resolved by the SIP stack: any address of ours will do.
      if code == EAI_NONAME { return "0.0.0.0" }
      throw ControlFailure("cannot resolve \(host): \(String(cString: gai_strerror(code)))", .unavailable)
    }
    defer { freeaddrinfo(list) }
    let descriptor = socket(list.pointee.ai_family, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { throw ControlFailure("no socket: \(ControlSocket.errorText())", .system) }
    defer { close(descriptor) }
    guard connect(descriptor, list.pointee.ai_addr, list.pointee.ai_addrlen) == 0 else {
      throw ControlFailure("there is no way to \(host): \(ControlSocket.errorText())", .unavailable)
    }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout.size(ofValue: storage))
    var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let found = withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        getsockname(descriptor, address, &length) == 0
          && getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
      }
    }
    guard found else { throw ControlFailure("no address of ours towards \(host)", .system) }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
