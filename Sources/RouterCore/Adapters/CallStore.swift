public import FoundationEssentials

/// Call records that can be asked for.
public protocol CallRecords: Sendable {
  /// A record by its identifier.
  func record(_ id: CallID) async throws -> CallRecord?
  /// Records, newest first.
  func records(_ query: CallQuery) async throws -> [CallRecord]
}

/// Keeps call records.
public protocol CallStore: CallRecords {
  /// Writes a record. When it returns, the record survives the process being killed.
  func save(_ record: CallRecord) async throws
  /// Writes several records at once, where that is cheaper. Throws when it is not sure of all of them: each is then
  /// given to ``save(_:)`` again.
  func save(_ records: [CallRecord]) async throws
  /// Takes a person out of the records: number, name, addresses, words and the decision's trace. When, how long and
  /// through which route somebody called stays.
  /// - Parameter person: A number in E.164, or an ``CallRecord/externalClientID``.
  /// - Returns: How many records there were.
  func eraseCaller(_ person: String) async throws -> Int
}

extension CallStore {
  /// One after the other.
  public func save(_ records: [CallRecord]) async throws {
    for record in records { try await save(record) }
  }
}

/// A store whose records can be read without it: the command line does, when no routerd runs.
public protocol OfflineCallStore: Plugin, CallStore {
  /// Opens the records for reading. Changes nothing; throws when there are none.
  static func reader(_ configuration: Configuration) throws -> any CallRecords
}

/// Which records to list.
public struct CallQuery: Sendable, Hashable {
  /// At most this many.
  public var limit: Int
  /// Only calls that were received before this moment (for paging).
  public var before: Date?
  public var agent: String?
  public var route: String?
  public init(limit: Int = 50, before: Date? = nil, agent: String? = nil, route: String? = nil) {
    self.limit = limit
    self.before = before
    self.agent = agent
    self.route = route
  }
}
