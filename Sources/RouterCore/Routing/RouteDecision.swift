/// Where a call goes.
public enum RouteTarget: Sendable, Hashable {
  case agent(AgentConfiguration)
  case transfer(TransferRequest)
  case reject(CallEnd)
}

/// A number of calls that may be up at once under one key.
public struct CallLimit: Sendable, Hashable {
  /// What is counted, e.g. `route front-door`; calls with the same key share the limit.
  public var key: String
  public var maximum: Int
  public init(key: String, maximum: Int) {
    self.key = key
    self.maximum = maximum
  }
}

/// What the route table says about one call, and all that it took to say it.
public struct RouteDecision: Sendable {
  /// Names this decision in the `X-Route-Decision` header and in the record.
  public var id: String
  /// Version of the snapshot that decided.
  public var snapshotVersion: String
  /// Name of the winning route; `nil` when the call's own default or nothing applied.
  public var route: String?
  /// Where the winning route stands, e.g. `routes/main.yaml:14`.
  public var location: String?
  /// What to try, in order: the route's target, then its fallbacks. Never empty.
  public var targets: [RouteTarget]
  /// Slots to take before the first target is tried; when one is full, the rest of `targets` is tried.
  public var limits: [CallLimit]
  /// Somebody to ask before the first target is tried.
  public var hook: PreAnswerHook?
  /// The parties as E.164, where they could be normalised.
  public var fromNumber: String?
  public var toNumber: String?
  /// One line for a person: `route front-door, routes/main.yaml:14 → agent reception`.
  public var summary: String
  /// The whole trace for `why` and the record: candidates, first failing conditions, normalisation, merge. No secret in it.
  /// Made when it is asked for: the record of a call needs it, the call itself does not.
  public var trace: WrittenJSON {
    var writer = JSONWriter(capacity: 1024)
    writeTrace(&writer)
    return WrittenJSON(writer)
  }
  /// Writes ``trace`` as a value.
  private(set) var writeTrace: @Sendable (inout JSONWriter) -> Void

  public init(
    id: String, snapshotVersion: String, route: String?, location: String?, targets: [RouteTarget],
    limits: [CallLimit] = [], fromNumber: String? = nil, toNumber: String? = nil, summary: String,
    trace: @autoclosure @escaping @Sendable () -> WrittenJSON = [:]
  ) {
    self.id = id
    self.snapshotVersion = snapshotVersion
    self.route = route
    self.location = location
    self.targets = targets
    self.limits = limits
    self.fromNumber = fromNumber
    self.toNumber = toNumber
    self.summary = summary
    writeTrace = { $0.value(trace()) }
  }

  /// The same decision with a trace that may look at the decision itself.
  func tracing(_ write: @escaping @Sendable (RouteDecision, inout JSONWriter) -> Void) -> RouteDecision {
    var traced = self
    traced.writeTrace = { [self] in write(self, &$0) }
    return traced
  }
}

/// Answers where a call goes: the one question that the engine asks of routing.
public protocol CallRouting: Sendable {
  /// Pure: no I/O, no failure. The answer comes from the snapshot that is in force at the moment of the question.
  func resolve(_ call: InboundCall) -> RouteDecision
  /// The configuration of an agent by name for this call: for `fallback:` within a call and for the answer of a
  /// pre-answer hook; from the snapshot that `decision` names.
  /// - Parameter overrides: The session's own, merged last; `[:]` for none.
  func agent(
    named name: String, for call: InboundCall, under decision: RouteDecision, overrides: JSONValue
  ) -> AgentConfiguration?
}
