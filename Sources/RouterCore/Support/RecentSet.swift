/// Identifiers that were seen lately. Bounded: the older half is forgotten when it is full.
public struct RecentSet: Sendable {
  private let maximum: Int
  private var all: Set<String> = []
  private var order: [String] = []

  /// - Parameter maximum: More than this are not remembered.
  public init(_ maximum: Int) {
    precondition(maximum > 1, "it has to remember something")
    self.maximum = maximum
  }

  public func contains(_ id: String) -> Bool { all.contains(id) }

  /// Remembers one. Returns whether it is new.
  @discardableResult public mutating func insert(_ id: String) -> Bool {
    guard all.insert(id).inserted else { return false }
    order.append(id)
    if order.count > maximum {
      let forgotten = order.count / 2
      for old in order.prefix(forgotten) { all.remove(old) }
      order.removeFirst(forgotten)
    }
    return true
  }
}
