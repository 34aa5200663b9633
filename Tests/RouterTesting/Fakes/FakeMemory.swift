public import FoundationEssentials
public import RouterCore

/// Remembers in memory, and is slow or broken as scripted.
public final class FakeMemory: MemoryStore {
  private struct Kept {
    var conversation: RememberedConversation
    var key: MemoryKey
    var expiry: Date
  }

  /// Whom it was asked for.
  public let asked = Journal<MemoryKey>()
  private let kept = Lock<[Kept]>([])
  private let latch: Latch?
  private let isBroken: Bool

  /// - Parameters:
  ///   - latch: Reading waits for it, like a slow disk.
  ///   - isBroken: Whether everything fails.
  public init(latch: Latch? = nil, isBroken: Bool = false) {
    self.latch = latch
    self.isBroken = isBroken
  }

  public func remember(
    _ conversation: RememberedConversation, of key: MemoryKey, until expiry: Date
  ) async throws {
    if isBroken { throw FakeStore.Broken() }
    kept.withLock { kept in
      kept.removeAll { $0.expiry <= Date() }
      kept.append(Kept(conversation: conversation, key: key, expiry: expiry))
    }
  }

  public func conversations(
    of key: MemoryKey, at date: Date, limit: Int
  ) async throws -> [RememberedConversation] {
    asked.note(key)
    if isBroken { throw FakeStore.Broken() }
    if let latch { await latch.waitStubbornly() }
    let found = kept.withLock { $0.filter { $0.key == key && $0.expiry > date }.map(\.conversation) }
    return found.sorted { $0.date < $1.date }.suffix(max(0, limit))
  }

  public func forget(_ person: String) async throws -> Int {
    kept.withLock { kept in
      let before = kept.count
      kept.removeAll { $0.key.person == person }
      return before - kept.count
    }
  }
}
