/// What a route does with a call; routes that do the same share one.
struct RouteAction: Hashable, Sendable {
  enum Target: Hashable, Sendable {
    /// - overrides: Positions among the table's overrides, in the order in which they are merged.
    case agent(String, overrides: [Int])
    case split([Share])
    case transfer(TransferRequest)
    case reject(Rejection)
  }

  struct Share: Hashable, Sendable {
    var agent: String
    var weight: Int
    var overrides: [Int]
  }

  struct Rejection: Hashable, Sendable {
    var code: Int
    var reason: String?
    var retryAfter: Int?
  }

  struct Limit: Hashable, Sendable {
    var calls: Int
    /// `nil`: the route's own.
    var key: String?
  }

  var target: Target
  var fallback: [Target] = []
  var limit: Limit?
  var hook: PreAnswerHook?

  /// All agents that it names.
  var agents: [String] {
    ([target] + fallback).flatMap { target -> [String] in
      switch target {
      case .agent(let name, _): [name]
      case .split(let shares): shares.map(\.agent)
      case .transfer, .reject: []
      }
    }
  }
}

extension [RouteAction.Share] {
  /// The share that a place in 0..<1 falls into. A bigger last share takes callers from the one before it and leaves all
  /// others where they were.
  func pick(_ place: Double) -> RouteAction.Share? {
    let total = reduce(0) { $0 + $1.weight }
    guard total > 0 else { return nil }
    var rest = place * Double(total)
    for share in self where share.weight > 0 {
      rest -= Double(share.weight)
      if rest < 0 { return share }
    }
    return last { $0.weight > 0 }
  }
}
