internal import FoundationEssentials
internal import RouterCore

/// Reads the records of a file that somebody else writes, or wrote.
final class SQLiteReader: CallRecords {
  private let database: Lock<Database>

  init(_ configuration: SQLiteStore.Configuration) throws {
    let database = try Database(
      path: configuration.path, lockSeconds: configuration.lockSeconds, isReadOnly: true)
    try Schema.check(database, path: configuration.path)
    self.database = Lock(database)
  }

  func record(_ id: CallID) async throws -> CallRecord? { try database.withLock { try $0.record(id) } }

  func records(_ query: CallQuery) async throws -> [CallRecord] {
    try database.withLock { try $0.records(query) }
  }
}

extension Database {
  /// A record by its identifier.
  func record(_ id: CallID) throws -> CallRecord? {
    var found: CallRecord?
    try run(RecordRow.select + " WHERE id = ?", [.text(id.text)]) { found = try RecordRow.record($0) }
    return found
  }

  /// Records, newest first.
  func records(_ query: CallQuery) throws -> [CallRecord] {
    var conditions: [String] = []
    var values: [SQLiteValue] = []
    if let before = query.before {
      conditions.append("received_at < ?")
      values.append(.real(before.timeIntervalSince1970))
    }
    if let agent = query.agent {
      conditions.append("agent = ?")
      values.append(.text(agent))
    }
    if let route = query.route {
      conditions.append("route = ?")
      values.append(.text(route))
    }
    values.append(.integer(max(0, min(query.limit, SQLiteStore.maximumRows))))
    let sql =
      RecordRow.select + (conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND "))
      + " ORDER BY received_at DESC, id DESC LIMIT ?"
    var records: [CallRecord] = []
    try run(sql, values) { records.append(try RecordRow.record($0)) }
    return records
  }
}
