public import RouterCore

/// Keeps records in memory, and fails as scripted.
public final class FakeStore: CallStore {
  /// The scripted failure.
  public struct Broken: Error, CustomStringConvertible {
    public var description: String { "the store is broken" }
    public init() {}
  }

  /// What was saved, in order.
  public let saved = Journal<CallRecord>()
  /// How often a save was tried.
  public let attempts = Journal<CallID>()

  private let failures: Lock<Int>
  private let latch: Latch?
  private let erased = Lock<Set<CallID>>([])

  /// - Parameters:
  ///   - failures: How many saves fail before one succeeds.
  ///   - latch: A save waits for it, like a slow disk.
  public init(failures: Int = 0, latch: Latch? = nil) {
    self.failures = Lock(failures)
    self.latch = latch
  }

  public func save(_ record: CallRecord) async throws {
    attempts.note(record.id)
    if let latch { await latch.waitStubbornly() }
    let fails = failures.withLock { failures in
      defer { failures = max(0, failures - 1) }
      return failures > 0
    }
    if fails { throw Broken() }
    saved.note(record)
  }

  public func record(_ id: CallID) async throws -> CallRecord? {
    saved.events.last { $0.id == id }.map(withoutCaller)
  }

  public func eraseCaller(_ person: String) async throws -> Int {
    let found = Set(
      saved.events.filter { record in
        [record.fromNumber, record.from.user, record.externalClientID].contains(person)
      }.map(\.id))
    return erased.withLock { erased in
      defer { erased.formUnion(found) }
      return found.subtracting(erased).count
    }
  }

  private func withoutCaller(_ record: CallRecord) -> CallRecord {
    guard erased.withLock({ $0.contains(record.id) }) else { return record }
    var record = record
    record.from = Party(user: "", host: "", isAnonymous: true)
    (record.fromNumber, record.externalClientID, record.foreignID) = (nil, nil, nil)
    (record.sourceAddress, record.decision, record.transcript) = (nil, nil, [])
    return record
  }

  public func records(_ query: CallQuery) async throws -> [CallRecord] {
    let newest = Dictionary(saved.events.map { ($0.id, $0) }) { $1 }.values
    let matching = newest.filter { record in
      (query.before.map { record.receivedAt < $0 } ?? true)
        && (query.agent.map { record.agent == $0 } ?? true)
        && (query.route.map { record.route == $0 } ?? true)
    }
    let sorted = matching.sorted { ($0.receivedAt, $0.id.text) > ($1.receivedAt, $1.id.text) }
    return sorted.prefix(max(0, query.limit)).map(withoutCaller)
  }
}
