internal import RouterCore

/// What a record says besides words: the agents that were tried, and how long answers took.
enum CallSteps {
  /// `agent reception (cloud)  0.0 s  given up after 2.3 s: closed: the socket died`.
  static func attempts(_ attempts: [AgentAttempt]) -> [String] {
    guard attempts.count > 1 || attempts.contains(where: { $0.failedAt != nil }) else { return [] }
    let rows = attempts.map { attempt -> [String] in
      var fate = "had the call"
      if let failedAt = attempt.failedAt {
        let words = [attempt.reason, attempt.message].compactMap(\.self).joined(separator: ": ")
        let lasted = failedAt - attempt.at
        fate = lasted > 0 ? "given up after \(seconds(lasted)): \(words)" : "not tried: \(words)"
      }
      return ["agent \(attempt.agent) (\(attempt.provider))", "at \(seconds(attempt.at))", fate]
    }
    return ["", "agents, in seconds since the call came in"] + CallText.table(rows)
  }

  /// A row for each turn: how long each step took.
  static func timings(_ timings: [TurnTiming]) -> [String] {
    guard !timings.isEmpty else { return [] }
    let names = ["endOfTurn", "model", "voice", "wire"]
    let rows = timings.map { timing -> [String] in
      let steps = Dictionary(timing.steps.map { ($0.name, $0.milliseconds) }) { first, _ in first }
      return [timing.turn.description]
        + names.map { steps[$0].map(String.init) ?? "-" }
        + [timing.total.map(String.init) ?? "-", timing.agent ?? ""]
    }
    return ["", "answers, in milliseconds"]
      + CallText.table([["", "end of turn", "model", "voice", "wire", "total", "agent"]] + rows)
  }

  /// `answer 1020 ms: endOfTurn 500, model 300, voice 200, wire 20`.
  static func line(_ timing: TurnTiming) -> String {
    let steps = timing.steps.map { "\($0.name) \($0.milliseconds)" }.joined(separator: ", ")
    let total = timing.total.map { " \($0) ms" } ?? ""
    return "\(timing.turn) answered\(total)\(steps.isEmpty ? "" : ": \(steps)")"
  }

  private static func seconds(_ milliseconds: Int) -> String {
    "\((Double(milliseconds) / 1000).rounded(toPlaces: 1)) s"
  }
}
