internal import RouterCore

/// Whom to refer a caller to (RFC 3515 section 2.1), or `nil` when the target is none of the forms that we know.
///
/// - Parameters:
///   - target: A `sip:`, `sips:` or `tel:` URI, which is used as it is; else an extension or a number.
///   - domain: Where extensions and numbers live: host, with port if any, as the peer names itself in this dialog.
func referTarget(_ target: String, domain: String) -> SIPURI? {
  let target = target.trimmed
  guard !target.isEmpty, target.utf8.count <= 512, target.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
    return nil
  }
  if target.contains(":") {
    guard let uri = SIPURI(target), ["sip", "sips", "tel"].contains(uri.scheme) else { return nil }
    return uri
  }
  if target.contains("@") { return SIPURI("sip:\(target)") }
  // Separators that people write into numbers say nothing (RFC 3966 section 5.1.1).
  let number = target.filter { !" ()-./".contains($0) }
  let isNumber = number.utf8.allSatisfy { "+0123456789*#".utf8.contains($0) }
  let user = isNumber ? String(number) : String(target)
  guard !user.isEmpty, let place = SIPURI("sip:\(domain)") else { return nil }
  return SIPURI(user: user, host: place.host, port: place.port)
}

/// The domain of the other side in a dialog: that of its own address, unless it is hidden; then where it is reached.
func peerDomain(remote: SIPURI?, contact: SIPURI?, source: SocketAddress) -> String {
  for uri in [remote, contact] {
    if let uri, !uri.host.isEmpty, uri.host.lowercased() != "anonymous.invalid" { return uri.hostPort }
  }
  return "\(source)"
}
