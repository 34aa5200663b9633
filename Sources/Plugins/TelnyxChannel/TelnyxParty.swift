internal import RouterCore

/// Parties and what is said of them as Telnyx writes them, for both of its languages.
enum TelnyxParty {
  /// The address in a header of Diversion (RFC 5806): `"Ann" <sip:+1…@host>;reason=…`.
  static func diversion(_ header: String) -> Party? {
    let inner = header.firstIndex(of: "<").map { header[header.index(after: $0)...].prefix { $0 != ">" } }
    let party = Party(announced: String((inner ?? header[...]).prefix { $0 != ";" }))
    return party.user.isEmpty ? nil : party
  }

  /// What Telnyx says of the caller's number.
  static func attestation(_ level: String?, isValid: String?) -> Attestation? {
    guard isValid?.lowercased() != "false" else { return nil }
    return level.flatMap { Attestation(rawValue: $0.uppercased()) }
  }
}

extension TelnyxEvent {
  /// The call as routes see it: every field as a header of its name, SIP headers under their own.
  func call(_ request: HTTPServerRequest, agent: String?) -> InboundCall {
    let sip = pairs("sip_headers") + pairs("custom_headers")
    let plain = payload.keys.sorted().filter { $0 != "client_state" && $0 != "call_control_id" }
      .compactMap { name in self[name].map { (name: name, value: $0) } }
    var call = InboundCall(
      announcedBy: TelnyxChannel.name, id: callID,
      from: Party(announced: self["from"] ?? "", name: self["caller_id_name"]),
      to: Party(announced: self["to"] ?? ""), fields: sip + plain, request, agent: agent)
    call.diversion = sip.filter { $0.name.lowercased() == "diversion" }
      .compactMap { TelnyxParty.diversion($0.value) }
    call.attestation = TelnyxParty.attestation(
      self["shaken_stir_attestation"], isValid: self["shaken_stir_validated"])
    return call
  }

  /// `[{name, value}]`.
  private func pairs(_ member: String) -> [(name: String, value: String)] {
    (payload[member]?.array ?? []).compactMap { pair in
      guard let name = pair["name"]?.string, let value = pair["value"]?.string else { return nil }
      return (name, value)
    }
  }
}
