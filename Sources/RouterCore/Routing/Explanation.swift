/// Why a call goes where it goes: every step, for people and for programs. Holds no secret.
public struct Explanation: Sendable {
  /// A number, as it came and as it was understood.
  public struct Number: Sendable, Hashable {
    public var raw: String
    /// E.164, where it could be read.
    public var number: String?
    /// How it was read, step by step.
    public var steps: [String]
  }

  /// A condition that did not hold.
  public struct Failure: Sendable, Hashable {
    public var key: String
    public var expected: String
    public var actual: String
  }

  /// A route that was asked.
  public struct Candidate: Sendable, Hashable {
    public var route: String
    public var location: String
    public var priority: Int
    /// Its `to`; empty when it takes every number.
    public var to: String
    /// Conditions that held, in order.
    public var passed: [String]
    /// The first one that did not; `nil` for the winner.
    public var failure: Failure?
  }

  public var to: Number
  public var from: Number
  public var channel: String
  /// The moment of the call, UTC: `2026-12-25T10:00:00Z`.
  public var moment: String
  /// In the order in which they were asked; at most ``maximumCandidates``.
  public var candidates: [Candidate]
  /// How many more were asked.
  public var moreCandidates: Int
  public var route: String?
  public var location: String?
  /// What came of it: `route front-door, routes/main.yaml:14 → agent reception`.
  public var summary: String
  /// All targets, in the order in which they are tried.
  public var targets: [String]
  public var limits: [String]
  /// Who is asked before the call is answered, e.g. `https://example.com/hook, for 300 ms`.
  public var hook: String? = nil
  /// When no route took the call: the one that came closest, with what kept it away.
  public var closest: Candidate?
  /// The winning agent's settings with the place of each.
  public var settings: [ResolvedSetting]
  public var version: String
  /// What it takes to ask about the call again, besides what a record keeps anyway.
  var call: JSONValue

  /// More candidates are counted, not listed.
  public static let maximumCandidates = 50
}

/// One leaf of an agent's effective settings.
public struct ResolvedSetting: Sendable, Hashable {
  /// E.g. `providerSettings.turnDetection.threshold`.
  public var path: String
  /// Secrets stay references.
  public var value: JSONValue
  /// Where it was written, e.g. `routes/main.yaml:14`.
  public var origin: String
}

extension RouteSnapshot {
  /// Asks the table as ``resolve(_:)`` does, and writes down every step.
  public func explain(_ call: InboundCall) -> Explanation {
    let facts = CallFacts(call, numbering(for: call))
    return explain(facts, decide(facts))
  }

  /// The steps to a decision that was made already.
  func explain(_ facts: CallFacts, _ decision: RouteDecision) -> Explanation {
    let call = facts.call
    var candidates: [Explanation.Candidate] = []
    var more = 0
    var seen: Set<Int> = []
    var winner: Int?
    table.index.search(facts.to) { route, _ in
      guard seen.insert(route).inserted else { return false }
      let candidate = self.candidate(route, facts)
      if candidates.count < Explanation.maximumCandidates { candidates.append(candidate) } else { more += 1 }
      if candidate.failure == nil { winner = route }
      return candidate.failure == nil
    }
    let closest = winner == nil ? closestCandidate(facts) : nil
    return Explanation(
      to: number(facts.to, facts), from: number(facts.from, facts), channel: call.channel.rawValue,
      moment: facts.momentText, candidates: candidates, moreCandidates: more, route: decision.route,
      location: decision.location,
      summary: decision.summary, targets: decision.targets.map(\.words),
      limits: decision.limits.map { "\($0.key): \($0.maximum) calls" },
      hook: winner.flatMap { table.actions[Int(table.routes[$0].action)].hook?.words }, closest: closest,
      settings: winner.flatMap { settings(ofTarget: $0, facts) } ?? [], version: version,
      call: call.replayable(headers: table.headerNames))
  }

  /// What became of one route.
  func candidate(_ route: Int, _ facts: CallFacts) -> Explanation.Candidate {
    let entry = table.routes[route]
    let name = table.name(of: route)
    var candidate = Explanation.Candidate(
      route: name, location: table.location(of: route), priority: Int(entry.priority),
      to: table.toText(of: route),
      passed: entry.to == .empty ? [] : ["to"])
    for condition in table.conditions[Int(entry.conditions)] {
      guard condition.holds(facts, context, route: name) else {
        candidate.failure = .init(
          key: condition.key, expected: condition.expected,
          actual: condition.actual(facts, context, route: name))
        break
      }
      candidate.passed.append(condition.key)
    }
    return candidate
  }

  private func number(_ dialed: DialedNumber, _ facts: CallFacts) -> Explanation.Number {
    Explanation.Number(
      raw: dialed.raw, number: dialed.number?.description,
      steps: dialed.steps ?? facts.numbering.steps(dialed.raw))
  }

  private func settings(ofTarget route: Int, _ facts: CallFacts) -> [ResolvedSetting]? {
    let target = table.actions[Int(table.routes[route].action)].target
    switch target {
    case .agent(let name, let overrides):
      return resolvedSettings(of: name, channel: facts.call.channel, overrides, of: route)
    case .split(let shares):
      guard let share = shares.pick(facts.share(of: "split " + table.name(of: route))) else { return nil }
      return resolvedSettings(of: share.agent, channel: facts.call.channel, share.overrides, of: route)
    case .transfer, .reject: return nil
    }
  }

  func resolvedSettings(
    of name: String, channel: ChannelKind, _ overrides: [Int], of route: Int
  ) -> [ResolvedSetting]? {
    guard let agent = settings.agents[name] else { return nil }
    let layers = overrides.map { table.overrides($0, of: route) }
    return settings.merged(agent, channel: channel.rawValue, layers: layers).leaves.map {
      ResolvedSetting(path: $0.path, value: $0.value, origin: $0.origin.description)
    }
  }

  // MARK: The route that came closest

  /// Routes beyond this many are not compared: it happens for each call that nobody takes.
  private static let maximumCompared = 512

  /// One line: `route london-day (routes/main.yaml:20): schedule wants office-hours open, not closed at …`.
  func closestRoute(_ facts: CallFacts) -> String? {
    closestCandidate(facts).map { candidate in
      let failure = candidate.failure.map { ": \($0.key) wants \($0.expected), not \($0.actual)" } ?? ""
      return "route \(candidate.route) (\(candidate.location))\(failure)"
    }
  }

  /// The route that takes the number and of which most conditions hold; one that would have refused the call only when
  /// there is no other. When none takes the number, the one with the nearest `to`.
  func closestCandidate(_ facts: CallFacts) -> Explanation.Candidate? {
    var best: (isTarget: Bool, passed: Int, route: Int)?
    var compared = 0
    table.index.search(facts.to) { route, _ in
      let conditions = table.conditions[Int(table.routes[route].conditions)]
      let name = table.name(of: route)
      let passed = conditions.prefix { $0.holds(facts, context, route: name) }.count
      let entry = (!isRejection(route), passed, route)
      if best.map({ (entry.0 ? 1 : 0, entry.1) > ($0.isTarget ? 1 : 0, $0.passed) }) ?? true { best = entry }
      compared += 1
      return compared >= Explanation.maximumCandidates
    }
    if let best { return candidate(best.route, facts) }
    return nearestNumber(facts)
  }

  private func isRejection(_ route: Int) -> Bool {
    if case .reject = table.actions[Int(table.routes[route].action)].target { true } else { false }
  }

  private func nearestNumber(_ facts: CallFacts) -> Explanation.Candidate? {
    var best: (length: Int, route: Int)?
    for route in table.routes.indices.prefix(RouteSnapshot.maximumCompared) where !isRejection(route) {
      let to = table.texts[table.routes[route].to]
      let length = zip(to.utf8, facts.to.text.utf8).prefix { $0 == $1 }.count
      if length > best?.length ?? -1 { best = (length, route) }
    }
    guard let best else { return nil }
    var closest = candidate(best.route, facts)
    closest.passed = []
    closest.failure = .init(key: "to", expected: closest.to, actual: facts.to.described)
    return closest
  }
}
