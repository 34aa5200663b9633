/// What a condition wanted and what the call had, for traces.
extension Condition {
  /// What would fit, e.g. `sip or voip`.
  var expected: String {
    switch self {
    case .to(let patterns), .from(let patterns), .diversion(let patterns):
      Self.list(patterns.map(\.description))
    case .channel(let names), .provider(let names), .connection(let names), .trunk(let names),
      .language(let names),
      .attestation(let names):
      Self.list(names)
    case .header(_, let patterns): Self.list(patterns.map(\.description))
    case .schedule(let names): "\(Self.list(names)) open"
    case .percent(let percent): "a caller among the first \(percent.words) %"
    case .sourceAddress(let blocks): Self.list(blocks.map(\.text))
    case .not(let blocks): "not (\(blocks.map(Self.words).joined(separator: ") nor ("))" + ")"
    }
  }

  /// What the call had.
  func actual(_ facts: CallFacts, _ context: ConditionContext, route: String) -> String {
    let call = facts.call
    switch self {
    case .to: return facts.to.described
    case .from: return facts.from.described
    case .diversion:
      let parties = call.diversion.map { DialedNumber($0, facts.numbering).described }
      return parties.isEmpty ? "not diverted" : Self.list(parties)
    case .channel: return call.channel.rawValue
    case .provider: return call.provider ?? "no provider"
    case .connection: return call.connection ?? "no connection"
    case .trunk: return call.trunk ?? "no trunk"
    case .language: return call.language ?? "no language"
    case .attestation: return call.attestation?.rawValue ?? "none"
    case .sourceAddress: return call.sourceAddress?.ip ?? "no address"
    case .header(let name, _):
      let values = call.values(ofHeader: name)
      return values.isEmpty ? "no such header" : Self.list(values.map { String($0.prefix(200)) })
    case .schedule(let names):
      return Self.list(
        names.compactMap { context.schedules[$0] }.map { schedule in
          "\(schedule.isOpen(at: facts.moment) ? "open" : "closed") at \(schedule.wallTime(at: facts.moment))"
        })
    case .percent: return "at \((facts.share(of: "percent " + route) * 100).words) %"
    case .not(let blocks):
      let fitting = blocks.filter { $0.allSatisfy { $0.holds(facts, context, route: route) } }
      return fitting.isEmpty ? "none of it" : fitting.map(Self.words).joined(separator: "; ")
    }
  }

  private static func words(_ block: [Condition]) -> String {
    block.map { "\($0.key) \($0.expected)" }.joined(separator: " and ")
  }

  /// Long lists are cut: a trace is read by people.
  static func list(_ words: [String]) -> String {
    if words.isEmpty { return "nobody" }
    return words.prefix(8).joined(separator: " or ") + (words.count > 8 ? " or \(words.count - 8) more" : "")
  }
}

extension DialedNumber {
  /// `0207 946 0001 (+442079460001)`.
  var described: String {
    if isAnonymous { return "anonymous" }
    guard let number, number.description != raw else { return raw.isEmpty ? "no number" : raw }
    return "\(raw) (\(number))"
  }
}

extension Double {
  /// With at most two digits behind the point.
  var words: String {
    let hundredths = (self * 100).rounded()
    guard abs(hundredths) < 1e15 else { return "\(self)" }
    let whole = Int(hundredths)
    if whole % 100 == 0 { return "\(whole / 100)" }
    return whole % 10 == 0
      ? "\(whole / 100).\(abs(whole) / 10 % 10)" : "\(whole / 100).\(two(abs(whole) % 100))"
  }
}
