internal import RouterCore

/// Who calls, by what the INVITE says.
///
/// A peer that belongs to a trunk is believed when it asserts an identity (RFC 3325 section 5); anybody else is only
/// who his From says he is, which is never used to let somebody in.
func callerIdentity(_ headers: SIPHeaders, from: SIPAddress?, isTrusted: Bool) -> Party {
  let party = (isTrusted ? assertedParty(headers, from) ?? remoteParty(headers) : nil) ?? fromParty(from)
  return isTrusted && wantsPrivacy(headers) ? .withheld : party
}

extension Party {
  /// A caller who does not want to be known (RFC 3323 section 4.1.1.3).
  static let withheld = Party(
    user: "anonymous", host: "anonymous.invalid", uri: "sip:anonymous@anonymous.invalid", isAnonymous: true)

  /// The party that an address names; withheld forms are recognised.
  init(_ address: SIPAddress) {
    self.init(
      user: address.uri.user, host: address.uri.host, uri: "\(address.uri)",
      displayName: address.displayName, isAnonymous: namesNobody(address.uri))
  }
}

/// The first asserted address that names somebody; a `sip:` one before a `tel:` one, because it may carry more.
private func assertedParty(_ headers: SIPHeaders, _ from: SIPAddress?) -> Party? {
  let addresses = headers.addresses("P-Asserted-Identity")
  let named = addresses.filter { !$0.uri.user.isEmpty }
  guard let address = named.first(where: { $0.uri.scheme != "tel" }) ?? named.first else { return nil }
  var party = Party(address)
  // Networks assert the number and leave the name where it was.
  if party.displayName == nil, let from, !namesNobody(from.uri) { party.displayName = from.displayName }
  return party
}

/// Remote-Party-ID, an expired draft that much equipment still sends: `;party=calling;privacy=off`.
private func remoteParty(_ headers: SIPHeaders) -> Party? {
  let addresses = headers.addresses("Remote-Party-ID")
  let isCaller = { (address: SIPAddress) in
    let party = address.parameters["party"]?.lowercased() ?? "calling"
    return party == "calling" && !address.uri.user.isEmpty
  }
  guard let address = addresses.first(where: isCaller) else { return nil }
  switch (address.parameters["privacy"] ?? "off").lowercased() {
  case "full", "uri": return .withheld
  case "name":
    var party = Party(address)
    party.displayName = nil
    return party
  default: return Party(address)
  }
}

private func fromParty(_ from: SIPAddress?) -> Party {
  guard let from else { return .withheld }
  return Party(from)
}

/// Words in the place of a number by which networks say that they do not tell it.
private let withheldUsers: Set<String> = [
  "anonymous", "restricted", "unknown", "unavailable", "private", "withheld", "",
]

private func namesNobody(_ uri: SIPURI) -> Bool {
  if uri.host.utf8.count == 17, uri.host.lowercased() == "anonymous.invalid" { return true }
  // Nearly always a number, which is no word.
  let user = uri.user
  if let first = user.utf8.first, first == UInt8(ascii: "+") || first &- 0x30 < 10 { return false }
  return withheldUsers.contains(user.lowercased())
}

/// RFC 3323 section 4.2, RFC 3325 section 9.3: `id`, `user` and `header` all hide who calls.
private func wantsPrivacy(_ headers: SIPHeaders) -> Bool {
  guard headers.contains("Privacy") else { return false }
  let values = headers.values("Privacy").flatMap { $0.split { $0 == ";" || $0 == "," } }
  return values.contains { ["id", "user", "header"].contains($0.trimmed.lowercased()) }
}

extension StringProtocol where UTF8View: BidirectionalCollection {
  /// Without blanks, tabs and line ends at both ends.
  var trimmed: SubSequence {
    let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
    guard let start = utf8.firstIndex(where: { !isBlank($0) }),
      let end = utf8.lastIndex(where: { !isBlank($0) })
    else { return self[endIndex...] }
    return self[start...end]
  }
}
