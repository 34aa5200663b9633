public import FoundationEssentials

/// Keeps what agents remember of the people that they have talked to.
public protocol MemoryStore: Sendable {
  /// Keeps a conversation until `expiry`. When it returns, the conversation survives the process being killed. What
  /// has expired by then, of anybody, is erased.
  func remember(_ conversation: RememberedConversation, of key: MemoryKey, until expiry: Date) async throws
  /// The last conversations that have not expired at `date`, oldest first, at most `limit`.
  func conversations(of key: MemoryKey, at date: Date, limit: Int) async throws -> [RememberedConversation]
  /// Erases all that any agent remembers of a person.
  /// - Returns: How many conversations there were.
  func forget(_ person: String) async throws -> Int
}
