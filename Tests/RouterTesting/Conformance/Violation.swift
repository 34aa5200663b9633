/// What an adapter does that it must not do, or the other way round.
///
/// A conformance suite returns a list of these: an empty one is a pass, and a suite can be shown to find what is wrong
/// with a broken adapter.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
  /// The promise, in a few words; the same for every adapter.
  public var rule: String
  /// What was seen instead.
  public var seen: String

  public init(_ rule: String, _ seen: String) {
    self.rule = rule
    self.seen = seen
  }

  public var description: String { "\(rule): \(seen)" }
}

/// Collects violations while a suite runs.
struct Findings {
  private(set) var violations: [Violation] = []

  mutating func expect(_ isTrue: Bool, _ rule: String, _ seen: @autoclosure () -> String = "it does not") {
    if !isTrue { violations.append(Violation(rule, seen())) }
  }

  /// Runs a step that may throw: an error is a violation too.
  mutating func attempt(_ rule: String, _ step: (inout Findings) async throws -> Void) async {
    do { try await step(&self) } catch { violations.append(Violation(rule, "\(error)")) }
  }
}
