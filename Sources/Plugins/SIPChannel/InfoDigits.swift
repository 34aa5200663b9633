internal import RouterCore

/// The key that an INFO request carries, for the two body types in use, or `nil`.
///
/// `application/dtmf-relay` says `Signal=5` and `Duration=160` in lines, `application/dtmf` is the key alone.
/// Equipment writes blanks around `=`, bare line feeds, lower case, and `10`, `11`, `16` for `*`, `#` and flash.
func infoDigit(contentType: String?, body: [UInt8]) -> Character? {
  guard body.count <= 1024 else { return nil }
  let body = String(decoding: body, as: UTF8.self)
  switch contentType {
  case "application/dtmf":
    return digit(body.trimmed)
  case "application/dtmf-relay":
    for line in body.split(whereSeparator: \.isNewline).prefix(8) {
      guard let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
      if line[..<equals].trimmed.lowercased() == "signal" {
        return digit(line[line.utf8.index(after: equals)...].trimmed)
      }
    }
    return nil
  default:
    return nil
  }
}

private func digit(_ text: Substring) -> Character? {
  switch text.uppercased() {
  case "10": return "*"
  case "11": return "#"
  case "12": return "A"
  case "13": return "B"
  case "14": return "C"
  case "15": return "D"
  case let word where word.utf8.count == 1:
    return word.first.flatMap { "0123456789*#ABCD".contains($0) ? $0 : nil }
  default: return nil
  }
}

/// The answer to an INFO request: 200 for keys and for an empty one, and what RFC 6086 sections 4.2.2 and 4.2.3 say for
/// the rest.
func infoReply(_ request: SIPRequest) -> SIPReply {
  switch request.contentType {
  case "application/dtmf", "application/dtmf-relay":
    return SIPReply(200)
  default:
    if request.headers.contains("Info-Package") { return SIPReply(469, headers: [Header("Recv-Info", "")]) }
    if !request.hasBody { return SIPReply(200) }
    return SIPReply(415, headers: [Header("Accept", "application/dtmf, application/dtmf-relay")])
  }
}
