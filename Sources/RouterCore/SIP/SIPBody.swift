/// What a request carries besides its fields.
enum SIPBody: Equatable {
  case none
  case sdp([UInt8])
  /// Something that we do not read: 415 (RFC 3261 section 8.2.3).
  case foreign

  /// Finds the session description of a message, also as one part of several (RFC 5621: carriers add ISUP or location).
  init(_ headers: SIPHeaders, _ range: Range<Int32>) {
    guard !range.isEmpty else {
      self = .none
      return
    }
    if let encoding = headers.first(.contentEncoding), !encoding.equalsFolded("identity") {
      self = .foreign
      return
    }
    let bytes = headers.storage[Int(range.lowerBound)..<Int(range.upperBound)]
    let value = headers.first(.contentType) ?? ""
    let type = value.prefix { $0 != ";" }.trimmingBlanks().lowercased()
    if type == "application/sdp" {
      self = .sdp(Array(bytes))
    } else if type.hasPrefix("multipart/"), let semicolon = value.firstIndex(of: ";"),
      let boundary = SIPParameters(parsing: value[semicolon...])["boundary"], !boundary.isEmpty,
      let part = SIPBody.sessionPart(bytes, boundary: boundary)
    {
      self = .sdp(part)
    } else if headers["Content-Disposition"]?.lowercased().contains("handling=optional") == true {
      self = .none
    } else {
      self = .foreign
    }
  }

  /// Whether the sender of an INVITE reads SDP: without `Accept` it does (RFC 3261 section 20.1), with an empty one it
  /// reads nothing.
  static func mayAnswer(_ headers: SIPHeaders) -> Bool {
    guard headers.contains(.accept) else { return true }
    return headers.list(.accept).contains { range in
      let parts = range.split(separator: ";").map { $0.trimmingBlanks().lowercased() }
      guard let type = parts.first, ["application/sdp", "application/*", "*/*"].contains(type) else {
        return false
      }
      // `q=0` is "not this one" (RFC 2616 section 3.9).
      return !parts.dropFirst().contains { $0.hasPrefix("q=0") && !$0.contains { ("1"..."9").contains($0) } }
    }
  }

  /// The first `application/sdp` part (RFC 2046 section 5.1.1).
  private static func sessionPart(_ bytes: ArraySlice<UInt8>, boundary: String) -> [UInt8]? {
    let delimiter = Array("--\(boundary)".utf8)
    var parts: [ArraySlice<UInt8>] = []
    var start: Int?
    var line = bytes.startIndex
    // No sensible message has more parts; each line is looked at once.
    while line < bytes.endIndex, parts.count < 16 {
      let end = bytes[line...].firstIndex(of: SIPByte.lf) ?? bytes.endIndex
      if bytes[line..<end].starts(with: delimiter) {
        if let start { parts.append(bytes[start..<line]) }
        start = min(end + 1, bytes.endIndex)
      }
      line = end + 1
    }
    return parts.lazy.compactMap(session).first
  }

  private static func session(_ part: ArraySlice<UInt8>) -> [UInt8]? {
    var line = part.startIndex
    var isSession = false
    while line < part.endIndex, let end = part[line...].firstIndex(of: SIPByte.lf) {
      let text = String(decoding: part[line..<end], as: UTF8.self).trimmingBlanks().lowercased()
      line = end + 1
      if text.isEmpty { return isSession ? trimmed(part[line...]) : nil }
      if text.hasPrefix("content-type:"), text.contains("application/sdp") { isSession = true }
    }
    return nil
  }

  /// The line end before a boundary belongs to the boundary.
  private static func trimmed(_ body: ArraySlice<UInt8>) -> [UInt8] {
    var body = body
    if body.last == SIPByte.lf { body.removeLast() }
    if body.last == SIPByte.cr { body.removeLast() }
    return Array(body)
  }
}
