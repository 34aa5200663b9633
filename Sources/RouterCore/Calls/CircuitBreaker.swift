/// Whether a backend is asked at all: after some failures in a row it is left alone for a while, then one call tries
/// it again. A pure value; times are those of the engine's clock.
public struct CircuitBreaker: Sendable, Hashable {
  /// Its limits, the `breaker:` part of `failover:`.
  public struct Limits: Sendable, Hashable, Decodable {
    /// So many failures in a row, within ``windowSeconds``, open it.
    public var failures = 5
    public var windowSeconds = 60
    /// How long it stays open; twice as long each time that the trial fails, up to ``maximumOpenSeconds``.
    public var openSeconds = 15
    public var maximumOpenSeconds = 240
    /// A trial that says nothing for so long is forgotten, and the next call tries.
    public var trialSeconds = 30

    public init() {}

    private enum CodingKeys: CodingKey {
      case failures, windowSeconds, openSeconds, maximumOpenSeconds, trialSeconds
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      func read(_ key: CodingKeys, _ value: inout Int) throws {
        value = try values.decodeIfPresent(Int.self, forKey: key) ?? value
        guard (1...86_400).contains(value) else {
          throw DecodingError.dataCorruptedError(
            forKey: key, in: values, debugDescription: "\(key.stringValue) is 1 to 86400")
        }
      }
      try read(.failures, &failures)
      try read(.windowSeconds, &windowSeconds)
      try read(.openSeconds, &openSeconds)
      try read(.maximumOpenSeconds, &maximumOpenSeconds)
      try read(.trialSeconds, &trialSeconds)
    }
  }

  /// Where it stands.
  public enum State: Sendable, Hashable {
    /// The backend is used.
    case closed
    /// It is left alone until then.
    case open(until: Duration)
    /// One call tries it; others leave it alone until then.
    case halfOpen(until: Duration)
  }

  public private(set) var state = State.closed
  /// Failures in a row.
  public private(set) var failures = 0
  private var firstFailure = Duration.zero
  private var pause = 0
  private let limits: Limits

  public init(_ limits: Limits = Limits()) { self.limits = limits }

  /// Whether a call may use the backend now; it then tells how that went, if it can.
  public mutating func admits(at now: Duration) -> Bool {
    switch state {
    case .closed: return true
    case .open(let until), .halfOpen(let until):
      guard now >= until else { return false }
      state = .halfOpen(until: now + .seconds(limits.trialSeconds))
      return true
    }
  }

  /// The backend was heard.
  public mutating func succeeded() { self = CircuitBreaker(limits) }

  /// The backend failed.
  public mutating func failed(at now: Duration) {
    switch state {
    case .open: return  // of a call that began before
    case .halfOpen: open(at: now)
    case .closed:
      if failures == 0 || now - firstFailure > .seconds(limits.windowSeconds) {
        failures = 0
        firstFailure = now
      }
      failures += 1
      if failures >= limits.failures { open(at: now) }
    }
  }

  private mutating func open(at now: Duration) {
    pause = min(pause == 0 ? limits.openSeconds : pause * 2, limits.maximumOpenSeconds)
    state = .open(until: now + .seconds(pause))
  }
}

/// The circuit breakers of all backends, by the provider's name. Any thread.
final class Breakers: Sendable {
  /// Providers that are watched; more are never left alone.
  static let maximum = 1024

  private let breakers = Lock<[String: CircuitBreaker]>([:])
  private let limits: CircuitBreaker.Limits
  private let now: @Sendable () -> Duration
  private let metrics: Metrics

  init(_ limits: CircuitBreaker.Limits, metrics: Metrics, now: @escaping @Sendable () -> Duration) {
    self.limits = limits
    self.metrics = metrics
    self.now = now
  }

  /// The first of some providers that is left alone; `nil` when all of them may be asked. Only then is it a trial for
  /// those that have failed.
  func leftAlone(of providers: [String]) -> String? {
    let now = now()
    let alone = breakers.withLock { breakers -> String? in
      var asked: [String: CircuitBreaker] = [:]
      for provider in providers {
        guard var breaker = breakers[provider] else { continue }
        guard breaker.admits(at: now) else { return provider }
        asked[provider] = breaker
      }
      breakers.merge(asked) { $1 }
      return nil
    }
    if let alone { metrics.add("routerd_backend_skipped_total", 1, ["provider": alone]) }
    return alone
  }

  func succeeded(_ provider: String) {
    let wasKnown = breakers.withLock { $0.removeValue(forKey: provider) != nil }
    if wasKnown { show(provider, nil) }
  }

  func failed(_ provider: String, _ reason: String) {
    let breaker = breakers.withLock { breakers -> CircuitBreaker? in
      guard breakers[provider] != nil || breakers.count < Breakers.maximum else { return nil }
      breakers[provider, default: CircuitBreaker(limits)].failed(at: now())
      return breakers[provider]
    }
    metrics.add("routerd_backend_failures_total", 1, ["provider": provider, "reason": reason])
    show(provider, breaker)
  }

  private func show(_ provider: String, _ breaker: CircuitBreaker?) {
    let isOpen = breaker.map { $0.state != .closed } ?? false
    metrics.set("routerd_breaker_open", isOpen ? 1 : 0, ["provider": provider])
  }

  /// Backends that have failed since they were heard last, sorted.
  var troubled: [BackendState] {
    let now = now()
    return breakers.withLock { breakers in
      breakers.map { name, breaker in
        let (state, until): (String, Duration?) =
          switch breaker.state {
          case .closed: ("closed", nil)
          case .open(let until): (until > now ? "open" : "half-open", until)
          case .halfOpen(let until): ("half-open", until)
          }
        return BackendState(
          provider: name, state: state, failures: breaker.failures,
          seconds: until.map { max(0, Int(($0 - now).components.seconds)) } ?? 0)
      }
    }.sorted { $0.provider < $1.provider }
  }
}

/// How it stands with one backend, for people.
public struct BackendState: Sendable, Hashable, Codable {
  /// The provider's name in the route files.
  public var provider: String
  /// `closed` (in use), `open` (left alone), `half-open` (one call tries it).
  public var state: String
  /// Failures in a row.
  public var failures: Int
  /// Until it is tried again.
  public var seconds: Int
}
