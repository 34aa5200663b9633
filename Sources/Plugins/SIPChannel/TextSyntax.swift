/// Pieces of a header's text. They look at bytes: every character that SIP gives a meaning is ASCII, and each call has
/// several headers to take apart.
extension Substring {
  /// Where an ASCII character stands first.
  func first(_ character: Unicode.Scalar) -> Index? { utf8.firstIndex(of: UInt8(ascii: character)) }

  /// Where an ASCII character stands first outside of quotes and angle brackets.
  func firstOutsideQuotes(_ character: Unicode.Scalar) -> Index? {
    let wanted = UInt8(ascii: character)
    var isQuoted = false
    var isBracketed = false
    var isEscaped = false
    for index in utf8.indices {
      let byte = utf8[index]
      if isEscaped {
        isEscaped = false
      } else if isQuoted {
        if byte == UInt8(ascii: "\\") { isEscaped = true }
        if byte == UInt8(ascii: "\"") { isQuoted = false }
      } else if byte == wanted, !isBracketed {
        return index
      } else if byte == UInt8(ascii: "\"") {
        isQuoted = true
      } else if byte == UInt8(ascii: "<") {
        isBracketed = true
      } else if byte == UInt8(ascii: ">") {
        isBracketed = false
      }
    }
    return nil
  }

  /// Splits at an ASCII character that stands outside of quotes and angle brackets, into at most `limit` parts; what
  /// would be more is left out.
  func splitOutsideQuotes(_ separator: Unicode.Scalar, limit: Int) -> [Substring] {
    var parts: [Substring] = []
    var rest = self
    while parts.count < limit, let end = rest.firstOutsideQuotes(separator) {
      parts.append(rest[..<end])
      rest = rest[rest.utf8.index(after: end)...]
    }
    if parts.count < limit { parts.append(rest) }
    return parts
  }

  /// Without blanks, tabs and line ends at both ends.
  var trimmed: Substring {
    let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
    guard let start = utf8.firstIndex(where: { !isBlank($0) }),
      let end = utf8.lastIndex(where: { !isBlank($0) })
    else { return self[endIndex...] }
    return self[start...end]
  }

  /// A quoted string without its quotes and escapes (RFC 3261 section 25.1); anything else as it is.
  var unquoted: String {
    let quote = UInt8(ascii: "\"")
    guard utf8.count >= 2, utf8.first == quote, utf8.last == quote else { return String(self) }
    var result: [UInt8] = []
    var isEscaped = false
    for byte in utf8.dropFirst().dropLast() {
      if byte == UInt8(ascii: "\\"), !isEscaped {
        isEscaped = true
      } else {
        result.append(byte)
        isEscaped = false
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// With `%2B` and its like replaced. What is no valid escape, or not UTF-8 after it, stays as it was written.
  var percentDecoded: String {
    guard utf8.contains(UInt8(ascii: "%")) else { return String(self) }
    let bytes = Array(utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = hexDigit(bytes[index + 1]),
        let low = hexDigit(bytes[index + 2])
      {
        result.append(high << 4 | low)
        index += 3
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(validating: result, as: UTF8.self) ?? String(self)
  }

  /// Takes `host`, `host:port`, `[v6]` or `[v6]:port` apart.
  func splitPort() -> (host: String, port: UInt16?) {
    let searched = utf8.lastIndex(of: UInt8(ascii: "]")).map { self[$0...] } ?? self
    guard let colon = searched.utf8.lastIndex(of: UInt8(ascii: ":")) else { return (String(self), nil) }
    return (String(self[..<colon]), UInt16(self[utf8.index(after: colon)...]))
  }
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
