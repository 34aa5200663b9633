internal import RouterCore

/// Who was called: the first of the trunk's sources that names somebody.
///
/// Trunks differ. A registered one has its own account in the Request-URI and the number in To; a diverted call has
/// the first dialled number in To and the present one in the Request-URI; mobile carriers use P-Called-Party-ID.
/// When no configured source says anything, the Request-URI and To are asked, in this order.
func calledParty(
  requestURI: SIPURI, _ headers: SIPHeaders, from sources: [Trunk.CalledNumberSource]
) -> Party {
  for source in sources {
    if let party = calledParty(requestURI, headers, source), !party.user.isEmpty { return party }
  }
  for source in [Trunk.CalledNumberSource.requestURI, .to] {
    if let party = calledParty(requestURI, headers, source), !party.user.isEmpty { return party }
  }
  return Party(user: "", uri: "\(requestURI)")
}

private func calledParty(
  _ requestURI: SIPURI, _ headers: SIPHeaders, _ source: Trunk.CalledNumberSource
) -> Party? {
  switch source {
  case .requestURI:
    return Party(user: requestURI.user, host: requestURI.host, uri: "\(requestURI)")
  case .to: return headers.address("To").map { Party($0) }
  case .calledPartyID: return headers.address("P-Called-Party-ID").map { Party($0) }
  case .diversion:
    // "Originally called": the number that was dialled before any diversion stands last.
    return divertingParties(headers).last
  case .header(let name):
    guard let value = headers[name] else { return nil }
    if let address = SIPAddress(value) { return Party(address) }
    return Party(user: String(value.trimmed))
  }
}

/// Who was called before the call was diverted to us, most recent first: `Diversion` (RFC 5806 section 2), or the
/// same said by `History-Info` (RFC 7044, mapped as RFC 7544 has it).
func divertingParties(_ headers: SIPHeaders) -> [Party] {
  let diversions = headers.addresses("Diversion")
  if !diversions.isEmpty { return diversions.map(divertingParty) }
  return historyDiversions(headers)
}

private func divertingParty(_ address: SIPAddress) -> Party {
  let privacy = (address.parameters["privacy"] ?? "off").lowercased()
  return privacy == "full" || privacy == "uri" ? .withheld : Party(address)
}

private func historyDiversions(_ headers: SIPHeaders) -> [Party] {
  let entries = headers.addresses("History-Info").sorted {
    indexPath($0).lexicographicallyPrecedes(indexPath($1))
  }
  var parties: [Party] = []
  for position in entries.indices.dropFirst() {
    let previous = entries[position - 1]
    // An entry is reached by diversion when it says why (`;cause=302`, RFC 4458) or the one before it does
    // (`?Reason=SIP%3Bcause%3D486`); other entries are plain retargeting within a network.
    let why = (previous.uri.rawHeaders ?? "").lowercased()
    guard entries[position].uri.parameters["cause"] != nil || why.contains("reason=") else { continue }
    parties.append(why.contains("privacy=history") ? .withheld : Party(previous))
  }
  return parties.reversed()
}

/// `1.1.2` as numbers, so that 1.10 comes behind 1.2.
private func indexPath(_ address: SIPAddress) -> [Int] {
  (address.parameters["index"] ?? "").split(separator: ".").prefix(16).map { Int($0) ?? 0 }
}
