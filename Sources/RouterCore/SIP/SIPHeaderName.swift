/// The header fields that the stack itself looks at, so that finding one compares a byte and not a name.
enum SIPHeaderName: UInt8, Sendable, CaseIterable {
  case other
  case via, from, to, callID, cseq, maxForwards, contact, contentLength, contentType, contentEncoding
  case recordRoute, route, require, proxyRequire, supported, unsupported, allow, accept
  case sessionExpires, minSE, rseq, rack, reason, event, subscriptionState, referTo, referredBy, replaces
  case authorization, proxyAuthorization, wwwAuthenticate, proxyAuthenticate, retryAfter, expires, date
  case userAgent, server, minExpires, subject

  /// As it is written when we write it, and the compact form of RFC 3261 section 7.3.3 and the registry.
  var names: (full: StaticString, compact: UInt8?) {
    switch self {
    case .other: ("", nil)
    case .via: ("Via", UInt8(ascii: "v"))
    case .from: ("From", UInt8(ascii: "f"))
    case .to: ("To", UInt8(ascii: "t"))
    case .callID: ("Call-ID", UInt8(ascii: "i"))
    case .cseq: ("CSeq", nil)
    case .maxForwards: ("Max-Forwards", nil)
    case .contact: ("Contact", UInt8(ascii: "m"))
    case .contentLength: ("Content-Length", UInt8(ascii: "l"))
    case .contentType: ("Content-Type", UInt8(ascii: "c"))
    case .contentEncoding: ("Content-Encoding", UInt8(ascii: "e"))
    case .recordRoute: ("Record-Route", nil)
    case .route: ("Route", nil)
    case .require: ("Require", nil)
    case .proxyRequire: ("Proxy-Require", nil)
    case .supported: ("Supported", UInt8(ascii: "k"))
    case .unsupported: ("Unsupported", nil)
    case .allow: ("Allow", nil)
    case .accept: ("Accept", nil)
    case .sessionExpires: ("Session-Expires", UInt8(ascii: "x"))
    case .minSE: ("Min-SE", nil)
    case .rseq: ("RSeq", nil)
    case .rack: ("RAck", nil)
    case .reason: ("Reason", nil)
    case .event: ("Event", UInt8(ascii: "o"))
    case .subscriptionState: ("Subscription-State", nil)
    case .referTo: ("Refer-To", UInt8(ascii: "r"))
    case .referredBy: ("Referred-By", UInt8(ascii: "b"))
    case .replaces: ("Replaces", nil)
    case .authorization: ("Authorization", nil)
    case .proxyAuthorization: ("Proxy-Authorization", nil)
    case .wwwAuthenticate: ("WWW-Authenticate", nil)
    case .proxyAuthenticate: ("Proxy-Authenticate", nil)
    case .retryAfter: ("Retry-After", nil)
    case .expires: ("Expires", nil)
    case .date: ("Date", nil)
    case .userAgent: ("User-Agent", nil)
    case .server: ("Server", nil)
    case .minExpires: ("Min-Expires", nil)
    case .subject: ("Subject", UInt8(ascii: "s"))
    }
  }

  /// Fields that may stand once only (RFC 3261 section 7.3.1); twice is an error, not a choice.
  var isSingle: Bool {
    switch self {
    case .from, .to, .callID, .cseq, .maxForwards, .contentLength, .contentType, .sessionExpires, .minSE,
      .rseq, .rack, .event, .referTo, .referredBy, .replaces, .expires:
      true
    default: false
    }
  }

  /// Which field a name is, in any case, long or compact.
  static func of(_ name: UnsafeRawBufferPointer) -> SIPHeaderName {
    guard let first = name.first else { return .other }
    if name.count == 1 { return compact[Int(SIPByte.lower(first))] }
    // Letters of both cases differ in one bit; few names of one length begin with the same letter.
    guard name.count < 32 else { return .other }
    let slot = index[name.count << 5 | Int(first & 31)]
    for candidate in candidates[Int(slot.start)..<Int(slot.end)]
    where name.equalsFolded(candidate.text) { return candidate.name }
    return .other
  }

  private struct Candidate {
    var text: StaticString
    var name: SIPHeaderName
  }

  /// All names, those of one length and first letter beside each other, and where these stand.
  private static let (candidates, index): ([Candidate], [(start: UInt8, end: UInt8)]) = {
    var slots = [[Candidate]](repeating: [], count: 1024)
    for name in allCases where name != .other {
      let text = name.names.full
      let slot = text.utf8CodeUnitCount << 5 | Int(text.utf8Start.pointee & 31)
      slots[slot].append(Candidate(text: text, name: name))
    }
    var candidates: [Candidate] = []
    let index = slots.map { slot in
      let start = UInt8(candidates.count)
      candidates += slot
      return (start: start, end: UInt8(candidates.count))
    }
    return (candidates, index)
  }()

  private static let compact: [SIPHeaderName] = {
    var table = [SIPHeaderName](repeating: .other, count: 256)
    for name in allCases { if let letter = name.names.compact { table[Int(letter)] = name } }
    return table
  }()
}

extension UnsafeRawBufferPointer {
  /// Equal to `text` without regard to the case of ASCII letters on both sides.
  @inline(__always)
  func equalsFolded(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count where SIPByte.lower(self[index]) != SIPByte.lower(text.utf8Start[index]) {
      return false
    }
    return true
  }

  /// Equal to `other` without regard to the case of ASCII letters.
  func equalsFolded(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where SIPByte.lower(self[index]) != SIPByte.lower(other[index]) { return false }
    return true
  }
}
