internal import RouterCore

/// The URI for a Refer-To header (RFC 3515 section 2.1), or `nil` when the target is none of the forms that we know.
///
/// - Parameters:
///   - target: A `sip:`, `sips:` or `tel:` URI, which is used as it is; else an extension or a number.
///   - domain: Where extensions and numbers live: host, with port if any, as the peer names itself in this dialog.
func referTarget(_ target: String, domain: String) -> String? {
  let target = target[...].trimmed
  // It goes into a header between angle brackets: nothing may end those or the line.
  guard !target.isEmpty, target.utf8.count <= 512,
    target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"<>\"".utf8.contains($0) || $0 == 0x20 })
  else { return nil }
  if target.first(":") != nil {
    guard target.first(" ") == nil, let uri = URIParts(target), !uri.user.isEmpty || !uri.host.isEmpty else {
      return nil
    }
    return String(target)
  }
  if target.first("@") != nil { return target.first(" ") == nil ? "sip:\(target)" : nil }
  // Separators that people write into numbers say nothing (RFC 3966 section 5.1.1).
  let number = target.filter { !" ()-./".contains($0) }
  let isNumber = number.utf8.allSatisfy { "+0123456789*#".utf8.contains($0) }
  let user = isNumber ? String(number) : String(target)
  guard !user.isEmpty, !domain.isEmpty else { return nil }
  return "sip:\(escapedUser(user))@\(domain)"
}

/// Characters that a user part may hold stay, the others are escaped (RFC 3261 section 25.1).
private func escapedUser(_ user: String) -> String {
  let hex = Array("0123456789ABCDEF".utf8)
  var result: [UInt8] = []
  for byte in user.utf8 {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      result.append(byte)
    case _ where "-_.!~*'()&=+$,".utf8.contains(byte):
      result.append(byte)
    default:
      result += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
    }
  }
  return String(decoding: result, as: UTF8.self)
}

/// The domain of the other side in a dialog: that of its own address, unless it is hidden; then where it is reached.
func peerDomain(remoteURI: String, remoteContact: String?, source: String) -> String {
  for text in [remoteURI, remoteContact ?? ""] {
    guard let uri = URIParts(text), !uri.host.isEmpty, uri.host.lowercased() != "anonymous.invalid" else {
      continue
    }
    return uri.port.map { "\(uri.host):\($0)" } ?? uri.host
  }
  return source
}

/// Status and reason of the first line of a `message/sipfrag` body (RFC 3420), e.g. `SIP/2.0 486 Busy Here`.
func fragmentStatus(_ body: String) -> (status: Int, reason: String)? {
  guard let line = body.split(whereSeparator: \.isNewline).first else { return nil }
  let words = line.split(separator: " ", maxSplits: 2)
  guard words.count >= 2, words[0].uppercased().hasPrefix("SIP/"), let status = Int(words[1]),
    (100...699).contains(status)
  else { return nil }
  return (status, words.count == 3 ? String(words[2].trimmed) : "")
}

/// A report on a transfer, from the headers and body of a NOTIFY; `nil` when its event is another one.
func transferReport(_ headers: [Header], body: String) -> TransferMachine.Report? {
  guard let event = headers.values("Event").first ?? headers.values("o").first else { return nil }
  let semicolon = event[...].first(";") ?? event.endIndex
  guard event[..<semicolon].trimmed.lowercased() == "refer" else { return nil }
  let id = Parameters(event[semicolon...].dropFirst())["id"].flatMap { UInt32($0) }
  let state = headers.values("Subscription-State").first ?? "active"
  let isLast = (state.split(separator: ";").first ?? "")[...].trimmed.lowercased() == "terminated"
  let result = fragmentStatus(body)
  return TransferMachine.Report(
    sequence: id, status: result?.status, reason: result?.reason ?? "", isLast: isLast)
}
