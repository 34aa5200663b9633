internal import RouterCore

/// The caller and the called as Telnyx writes them, for both of its languages.
enum TelnyxParty {
  /// Fields that go along with a call for routes to look at, at most; and bytes of them.
  private static let maximumHeaders = 64
  private static let maximumHeaderBytes = 16 << 10

  private static let anonymous: Set<String> = [
    "", "anonymous", "restricted", "unavailable", "unknown", "blocked", "private", "withheld",
  ]

  /// A number, a SIP URI, or `user@host`.
  static func read(_ text: String, name: String? = nil) -> Party {
    var rest = text[...]
    for scheme in ["sip:", "sips:"] where text.lowercased().hasPrefix(scheme) {
      rest = text.dropFirst(scheme.count).prefix { $0 != ";" && $0 != "?" && $0 != ">" }
    }
    let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let user = parts.first.map(String.init) ?? ""
    let host = parts.count == 2 ? String(parts[1]) : ""
    let isAnonymous = anonymous.contains(user.lowercased()) || host.lowercased() == "anonymous.invalid"
    let uri = text.lowercased().hasPrefix("sip") && !host.isEmpty ? text : nil
    return Party(
      user: user, host: host, uri: uri, displayName: name.flatMap { $0.isEmpty ? nil : $0 },
      isAnonymous: isAnonymous)
  }

  /// The address in a header of Diversion (RFC 5806): `"Ann" <sip:+1…@host>;reason=…`.
  static func diversion(_ header: String) -> Party? {
    let inner = header.firstIndex(of: "<").map { header[header.index(after: $0)...].prefix { $0 != ">" } }
    let party = read(String((inner ?? header[...]).prefix { $0 != ";" }))
    return party.user.isEmpty ? nil : party
  }

  /// As many of the fields as a route may look at.
  static func bounded(_ fields: [(name: String, value: String)]) -> [Header] {
    var bytes = 0
    return Array(
      fields.prefix(maximumHeaders).prefix { field in
        bytes += field.name.utf8.count + field.value.utf8.count
        return bytes <= maximumHeaderBytes
      }.map { Header($0.name, $0.value) })
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
    var call = InboundCall(
      channel: .voip, from: TelnyxParty.read(self["from"] ?? "", name: self["caller_id_name"]),
      to: TelnyxParty.read(self["to"] ?? ""), provider: TelnyxChannel.name)
    let sip = pairs("sip_headers") + pairs("custom_headers")
    let plain = payload.keys.sorted().filter { $0 != "client_state" && $0 != "call_control_id" }
      .compactMap { name in self[name].map { (name: name, value: $0) } }
    call.headers = TelnyxParty.bounded(sip + plain)
    call.diversion = sip.filter { $0.name.lowercased() == "diversion" }
      .compactMap { TelnyxParty.diversion($0.value) }
    call.attestation = TelnyxParty.attestation(
      self["shaken_stir_attestation"], isValid: self["shaken_stir_validated"])
    call.sourceAddress = request.remote
    call.foreignID = callID
    call.defaultAgent = agent
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
