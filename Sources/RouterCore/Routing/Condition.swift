internal import FoundationEssentials

/// One key of a `match`, besides the `to` that the index knows.
indirect enum Condition: Hashable, Sendable {
  case to([NumberPattern])
  case from([NumberPattern])
  case channel([String])
  case provider([String])
  case connection([String])
  case trunk([String])
  case header(String, [TextPattern])
  case schedule([String])
  case language([String])
  case percent(Double)
  case attestation([String])
  case sourceAddress([Block])
  case diversion([NumberPattern])
  /// Blocks, none of which may hold.
  case not([[Condition]])

  /// An address prefix with the text that was written.
  struct Block: Hashable, Sendable {
    var prefix: AddressPrefix
    var text: String
  }
}

/// What a call is, as far as conditions look at it. What few routes ask for is worked out when they do.
struct CallFacts {
  let call: InboundCall
  let to: DialedNumber
  let from: DialedNumber
  let numbering: Numbering

  init(_ call: InboundCall, _ numbering: Numbering) {
    self.call = call
    self.numbering = numbering
    to = DialedNumber(call.to, numbering)
    from = DialedNumber(call.from, numbering)
  }

  /// Seconds since 1970.
  var moment: Int {
    // A date outside of what an integer holds is nobody's call, but must not crash.
    let seconds = call.receivedAt.timeIntervalSince1970
    return abs(seconds) < 1e12 ? Int(seconds.rounded(.down)) : 0
  }

  /// `2026-12-25T10:00:00Z`.
  var momentText: String {
    let day = moment >= 0 ? moment / 86400 : (moment - 86399) / 86400
    let seconds = moment - day * 86400
    return "\(CivilDate(daysSince1970: day))T\(ClockTime.text(seconds / 60)):\(two(seconds % 60))Z"
  }

  /// Where a caller stands among all callers, 0..<1, for one purpose; the same caller stands there for ever.
  func share(of purpose: String) -> Double {
    // Callers that cannot be told apart are spread by their calls.
    let caller = from.isAnonymous ? (call.foreignID ?? call.id.text) : from.text
    return StableHash.fraction(purpose, caller)
  }
}

/// A hash that is the same in every process and release (FNV-1a, 64 bits, with a final mix).
enum StableHash {
  static func fraction(_ texts: String...) -> Double {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for text in texts {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3  // no UTF-8 text holds this byte: "ab","c" is not "a","bc"
    }
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    hash ^= hash >> 31
    return Double(hash >> 11) / Double(1 << 53)
  }
}

/// What conditions refer to by name.
struct ConditionContext {
  var lists: [String: NumberSet]
  var schedules: [String: Schedule]
}

extension Condition {
  /// Whether the condition holds.
  /// - Parameter route: The name that `percent` keeps callers apart by.
  func holds(_ facts: CallFacts, _ context: ConditionContext, route: @autoclosure () -> String) -> Bool {
    let call = facts.call
    switch self {
    case .to(let patterns): return patterns.contains { $0.matches(facts.to) { context.lists[$0] } }
    case .from(let patterns): return patterns.contains { $0.matches(facts.from) { context.lists[$0] } }
    case .channel(let names): return names.contains(call.channel.rawValue)
    case .provider(let names): return call.provider.map(names.contains) ?? false
    case .connection(let names): return call.connection.map(names.contains) ?? false
    case .trunk(let names): return call.trunk.map(names.contains) ?? false
    case .header(let name, let patterns):
      return call.values(ofHeader: name).contains { value in patterns.contains { $0.matches(value) } }
    case .schedule(let names):
      return names.contains { context.schedules[$0]?.isOpen(at: facts.moment) ?? false }
    case .language(let tags):
      return call.language.map { language in tags.contains { Condition.covers($0, language) } } ?? false
    case .percent(let percent): return facts.share(of: "percent " + route()) * 100 < percent
    case .attestation(let levels): return levels.contains(call.attestation?.rawValue ?? "none")
    case .sourceAddress(let blocks):
      return call.sourceAddress.map { source in blocks.contains { $0.prefix.contains(source.ip) } } ?? false
    case .diversion(let patterns):
      return call.diversion.contains { party in
        let dialed = DialedNumber(party, facts.numbering)
        return patterns.contains { $0.matches(dialed) { context.lists[$0] } }
      }
    case .not(let blocks):
      return !blocks.contains { block in block.allSatisfy { $0.holds(facts, context, route: route()) } }
    }
  }

  /// Whether a language range takes a tag (RFC 4647 section 3.3.1): `en` takes `en-GB`.
  private static func covers(_ range: String, _ tag: String) -> Bool {
    let (range, tag) = (range.lowercased(), tag.lowercased())
    return tag == range || tag.hasPrefix(range + "-")
  }

  /// The key as it is written.
  var key: String {
    switch self {
    case .to: "to"
    case .from: "from"
    case .channel: "channel"
    case .provider: "provider"
    case .connection: "connection"
    case .trunk: "trunk"
    case .header(let name, _): "header \(name)"
    case .schedule: "schedule"
    case .language: "language"
    case .percent: "percent"
    case .attestation: "attestation"
    case .sourceAddress: "sourceAddress"
    case .diversion: "diversion"
    case .not: "not"
    }
  }

  /// Headers that it looks at, in small letters.
  var headerNames: [String] {
    switch self {
    case .header(let name, _): [name.lowercased()]
    case .not(let blocks): blocks.joined().flatMap(\.headerNames)
    default: []
    }
  }
}
