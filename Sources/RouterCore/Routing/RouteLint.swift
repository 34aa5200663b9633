public import FoundationEssentials

/// What is allowed, and probably not meant.
extension RouteSnapshot {
  /// Warnings about the table as a whole: routes that can never win and which one is asked before them, routes of two
  /// files that only the names of the files put in order, fallbacks that are never tried, schedules that do not open.
  /// What a single line shows is in ``warnings``.
  /// - Parameters:
  ///   - now: Schedules are looked at from here on.
  ///   - channels: What calls come in by, and what that can do; without it nobody looks.
  ///   - advice: What providers say of an agent of theirs, by their `type:`.
  public func lint(
    now: Date = Date(), channels: [ChannelFacts] = [],
    advice: [String: @Sendable (AgentConfiguration) -> [String]] = [:]
  ) -> DiagnosticList {
    var warnings = DiagnosticList()
    lintAgents(advice, &warnings)
    lintHandoffs(&warnings)
    for route in table.routes.indices {
      if warnings.isFull { break }
      lintOrder(of: route, &warnings)
      lintFallback(of: route, &warnings)
      lintChannels(of: route, channels, &warnings)
    }
    lintSchedules(now, &warnings)
    lintConnections(&warnings)
    return warnings
  }

  private func lintAgents(
    _ advice: [String: @Sendable (AgentConfiguration) -> [String]], _ warnings: inout DiagnosticList
  ) {
    guard !advice.isEmpty else { return }
    for name in agentNames where !warnings.isFull {
      guard let agent = configuration(of: name, channel: "", overrides: []) else { continue }
      for words in advice[agent.providerType]?(agent) ?? [] {
        warnings.append(
          Diagnostic(
            .warning, "agent \(name): \(words)", at: settings.agents[name]?.location,
            length: name.unicodeScalars.count))
      }
    }
  }

  func place(_ route: Int) -> SourceLocation {
    let entry = table.routes[route]
    return SourceLocation(file: table.files[Int(entry.file)], line: Int(entry.line), column: 1)
  }

  private func lintOrder(of route: Int, _ warnings: inout DiagnosticList) {
    switch table.rival(of: route) {
    case .shadow(let winner):
      warnings.append(
        Diagnostic(
          .warning, "route \(table.name(of: route)) can never win",
          hint: "take it out, give it a higher priority, or narrow route \(table.name(of: winner))",
          at: place(route),
          notes: [
            .init("route \(table.name(of: winner)) takes all of its calls before it", at: place(winner))
          ]))
    case .tie(let other):
      warnings.append(
        Diagnostic(
          .warning,
          "only the names of the files put route \(table.name(of: route)) behind \(table.name(of: other))",
          hint: "give one of them a priority", at: place(route),
          notes: [.init("the same 'to' and priority here", at: place(other))]))
    case nil: break
    }
  }

  private func lintFallback(of route: Int, _ warnings: inout DiagnosticList) {
    let action = table.actions[Int(table.routes[route].action)]
    guard !action.fallback.isEmpty else { return }
    let all = [action.target] + action.fallback
    let end = all.firstIndex { if case .reject = $0 { true } else { false } }
    if let end, end < all.count - 1, end > 0 || action.limit == nil {
      warnings.append(
        Diagnostic(
          .warning,
          "route \(table.name(of: route)): what stands behind a rejection in 'fallback' is never tried",
          hint: "put the rejection last", at: place(route)))
    }
  }

  private func lintConnections(_ warnings: inout DiagnosticList) {
    for connection in connections where !warnings.isFull {
      warnings.append(
        Diagnostic(
          .warning,
          "the connection '\(connection.name)' is not registered: routerd does not register accounts yet",
          hint: "have \(connection.server) send its calls here, and name its addresses in 'trunks'",
          at: connection.location, length: connection.name.unicodeScalars.count))
    }
  }

  private func lintSchedules(_ now: Date, _ warnings: inout DiagnosticList) {
    let moment = Int(now.timeIntervalSince1970)
    for schedule in context.schedules.values.sorted(by: { $0.name < $1.name }) {
      // Two years hold every weekday on every date of importance.
      if schedule.opens(within: 731, after: moment) { continue }
      warnings.append(
        Diagnostic(
          .warning, "the schedule '\(schedule.name)' does not open in the next two years",
          hint: "look at its 'closed'", at: schedule.location))
    }
  }
}

extension RouteTable {
  enum Rival: Hashable {
    /// It takes every call that the route would take.
    case shadow(Int)
    /// It takes the same numbers, and only its file's name puts it first.
    case tie(Int)
  }

  /// Routes beyond this many are not compared with one.
  private static let maximumRivals = 64

  /// A route that is asked before this one and leaves it nothing, or only by accident is asked first.
  func rival(of route: Int) -> Rival? {
    var tie: Int?
    var shadow: Int?
    // Each of its `to` must be taken away.
    for pattern in patterns(of: route) {
      let found = rival(of: route, pattern)
      guard let found else { return tie.map { .tie($0) } }
      switch found {
      case .tie(let other):
        tie = tie ?? other
        return .tie(other)
      case .shadow(let other): shadow = shadow ?? other
      }
    }
    return shadow.map { .shadow($0) }
  }

  /// What a route takes; `nil` is every number.
  private func patterns(of route: Int) -> [NumberPattern?] {
    let texts = to(of: route)
    if texts.isEmpty { return [nil] }
    return texts.compactMap { try? NumberPattern($0, Numbering()) }  // they were read once and are canonical
  }

  private func rival(of route: Int, _ pattern: NumberPattern?) -> Rival? {
    var compared = 0
    var result: Rival?
    index.searchWider(than: pattern) { other, isSame in
      guard other != route, compared < RouteTable.maximumRivals else { return true }
      compared += 1
      let (mine, theirs) = (routes[route], routes[other])
      if conditions[Int(mine.conditions)].imply(conditions[Int(theirs.conditions)]) {
        result = .shadow(other)
        return true
      }
      if result == nil, isSame, mine.priority == theirs.priority, mine.file != theirs.file {
        result = .tie(other)
      }
      return false
    }
    return result
  }
}

extension [Condition] {
  /// Whether every call that fits these also fits `others`, as far as it can be seen.
  func imply(_ others: [Condition]) -> Bool {
    others.allSatisfy { other in other.isAlways || contains { $0.implies(other) } }
  }
}

extension Condition {
  /// Whether every call fits.
  fileprivate var isAlways: Bool { if case .percent(let share) = self { share >= 100 } else { false } }

  fileprivate func implies(_ other: Condition) -> Bool {
    if self == other { return true }
    switch (self, other) {
    case (.from(let mine), .from(let theirs)), (.to(let mine), .to(let theirs)),
      (.diversion(let mine), .diversion(let theirs)):
      return Set(mine).isSubset(of: theirs)
    case (.channel(let mine), .channel(let theirs)), (.provider(let mine), .provider(let theirs)),
      (.connection(let mine), .connection(let theirs)), (.trunk(let mine), .trunk(let theirs)),
      (.schedule(let mine), .schedule(let theirs)), (.language(let mine), .language(let theirs)),
      (.attestation(let mine), .attestation(let theirs)):
      return Set(mine).isSubset(of: theirs)
    default: return false
    }
  }
}
