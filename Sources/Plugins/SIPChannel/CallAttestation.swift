internal import FoundationEssentials
internal import RouterCore

/// How far the caller's network vouches for the number (RFC 8588 section 4), as the trunk's provider reports it.
///
/// A provider's verdict (`verstat`, `X-Twilio-VerStat`) wins over the claim in an Identity header, because it comes
/// after a check of the signature; the claim itself is only read here, not verified. Ask this for trunks only.
func attestation(_ headers: SIPHeaders, from: SIPAddress?) -> Attestation? {
  if let verdict = verificationStatus(headers, from) { return attestation(ofVerdict: verdict) }
  if let level = headers["P-Attestation-Indicator"] {
    return Attestation(rawValue: level.trimmed.uppercased())
  }
  // Several Identity headers are legal; those of other types (`div`, `rcd`) carry no level (RFC 8946, RFC 9795).
  return headers.values("Identity").prefix(4).lazy.compactMap(attestation(inIdentity:)).first
}

private func verificationStatus(_ headers: SIPHeaders, _ from: SIPAddress?) -> String? {
  if let value = headers["X-Twilio-VerStat"] { return value }
  for address in headers.addresses("P-Asserted-Identity") {
    if let value = verificationStatus(address) { return value }
  }
  return from.flatMap(verificationStatus)
}

private func verificationStatus(_ address: SIPAddress) -> String? {
  let uri = address.uri
  return uri.parameters["verstat"] ?? uri.userParameters["verstat"] ?? address.parameters["verstat"]
}

/// `TN-Validation-Passed[-A|-B|-C]`, with a provider's own words behind it at times. Without a level it means A, as
/// Telnyx documents; a failed validation vouches for nothing.
private func attestation(ofVerdict verdict: String) -> Attestation? {
  let passed = "tn-validation-passed"
  let verdict = verdict.trimmed.lowercased()
  guard verdict.hasPrefix(passed) else { return nil }
  let level = verdict.dropFirst(passed.count).split(separator: "-").first { $0.count == 1 }
  return level.map { Attestation(rawValue: String($0).uppercased()) } ?? .full
}

/// The `attest` claim of a PASSporT (RFC 8225): the middle part of `header.claims.signature`, in base64url.
private func attestation(inIdentity value: String) -> Attestation? {
  struct Claims: Decodable { var attest: String? }
  let token = value.prefix { $0 != ";" }
  let parts = token.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
  guard parts.count == 3, token.utf8.count <= 8192 else { return nil }
  var text = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
  text += String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
  guard let data = Data(base64Encoded: text) else { return nil }
  // `try?`: foreign text, and whatever cannot be read vouches for nothing.
  let claims = try? JSONDecoder().decode(Claims.self, from: data)
  return claims?.attest.flatMap { Attestation(rawValue: $0.uppercased()) }
}
