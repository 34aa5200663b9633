/// Answers where calls go, by the snapshot that is in force.
public final class Router: CallRouting {
  private let state: Lock<State>

  private struct State {
    var current: RouteSnapshot
    /// Earlier snapshots that calls in progress may still need, newest last.
    var earlier: [RouteSnapshot] = []
  }

  public init(_ snapshot: RouteSnapshot) { state = Lock(State(current: snapshot)) }

  /// The snapshot in force.
  public var snapshot: RouteSnapshot { state.withLock { $0.current } }

  /// Puts a snapshot in force, in one step: calls that are asked about before have the old answer, later ones the new.
  /// The old one stays until ``releaseUnused()`` finds that no call needs it. Returns the snapshot that was in force.
  @discardableResult
  public func swap(_ snapshot: RouteSnapshot) -> RouteSnapshot {
    state.withLock { state in
      let old = state.current
      if old !== snapshot {
        state.earlier.append(old)
        state.current = snapshot
      }
      return old
    }
  }

  /// Whether snapshots that are not in force any more are still here.
  public var hasEarlier: Bool { state.withLock { !$0.earlier.isEmpty } }

  /// Lets go of earlier snapshots that no decision holds any more. To free a large table takes milliseconds: this is
  /// for a thread that nobody waits for, and keeps the last call that used a table from doing it.
  /// - Returns: How many earlier snapshots are still needed.
  @discardableResult
  public func releaseUnused() -> Int {
    let (unused, count) = state.withLock { state -> ([RouteSnapshot], Int) in
      var unused: [RouteSnapshot] = []
      var kept: [RouteSnapshot] = []
      while var snapshot = state.earlier.popLast() {
        if isKnownUniquelyReferenced(&snapshot) { unused.append(snapshot) } else { kept.append(snapshot) }
      }
      state.earlier = kept.reversed()
      return (unused, kept.count)
    }
    withExtendedLifetime(unused) {}  // freed here, without the lock
    return count
  }

  /// A snapshot by its version: the current one, or an earlier one that calls may still need.
  public func snapshot(version: String) -> RouteSnapshot? {
    state.withLock { state in
      state.current.version == version ? state.current : state.earlier.last { $0.version == version }
    }
  }

  public func resolve(_ call: InboundCall) -> RouteDecision { snapshot.resolve(call) }

  public func agent(
    named name: String, for call: InboundCall, under decision: RouteDecision, overrides: JSONValue
  ) -> AgentConfiguration? {
    let snapshot = snapshot(version: decision.snapshotVersion) ?? snapshot
    return snapshot.configuration(of: name, channel: call.channel.rawValue, overrides: [], session: overrides)
  }
}
