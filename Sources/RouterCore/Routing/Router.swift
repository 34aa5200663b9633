/// Answers where calls go, by the snapshot that is in force.
public final class Router: CallRouting {
  private let state: Lock<State>

  private struct State {
    var current: RouteSnapshot
    /// Earlier snapshots that calls in progress may still name, newest last.
    var earlier: [RouteSnapshot] = []
  }

  /// How many earlier snapshots can be asked for; the agents of older calls come from the current one.
  public static let maximumEarlier = 20

  public init(_ snapshot: RouteSnapshot) { state = Lock(State(current: snapshot)) }

  /// The snapshot in force.
  public var snapshot: RouteSnapshot { state.withLock { $0.current } }

  /// Puts a snapshot in force, in one step: calls that are asked about before have the old answer, later ones the new.
  /// Returns the snapshot that was in force.
  @discardableResult
  public func swap(_ snapshot: RouteSnapshot) -> RouteSnapshot {
    state.withLock { state in
      let old = state.current
      if old !== snapshot {
        state.earlier.append(old)
        if state.earlier.count > Router.maximumEarlier { state.earlier.removeFirst() }
        state.current = snapshot
      }
      return old
    }
  }

  /// A snapshot by its version, current or earlier.
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
