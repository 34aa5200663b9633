/// Whom a request outside of a dialog names, read once.
final class SIPParties: Sendable {
  let target: SIPURI
  let from: SIPAddress
  let to: SIPAddress
  /// Of an INVITE; `nil` where a peer of RFC 2543 has none.
  let contact: SIPAddress?

  init(target: SIPURI, from: SIPAddress, to: SIPAddress, contact: SIPAddress?) {
    self.target = target
    self.from = from
    self.to = to
    self.contact = contact
  }
}

extension SIPHeaders {
  /// The first field of that name as an address; `nil` when it is missing or breaks the grammar.
  public func address(_ name: String) -> SIPAddress? {
    range(name).flatMap { withBytes($0) { SIPAddress(bytes: $0) } }
  }

  func address(_ name: SIPHeaderName) -> SIPAddress? { withBytes(name) { SIPAddress(bytes: $0) } ?? nil }

  /// Every address of a field that lists them; those that break the grammar are left out.
  public func addresses(_ name: String) -> [SIPAddress] {
    contains(name) ? SIPAddress.list(list(name)) : []
  }
}
