public import FoundationEssentials
public import RouterCore

/// What agents remember, in the same file as the records.
extension SQLiteStore: MemoryStore {
  /// Keeps a conversation, and erases those that have expired by now.
  public func remember(
    _ conversation: RememberedConversation, of key: MemoryKey, until expiry: Date
  ) async throws {
    let text = String(decoding: try JSONEncoder().encode(conversation), as: UTF8.self)
    let now = Date()
    try await ask { database in
      try database.transaction {
        try database.run(
          "DELETE FROM memories WHERE expires_at <= ?", [.real(now.timeIntervalSince1970)])
        try database.run(
          "INSERT INTO memories (agent, person, date, expires_at, conversation) VALUES (?, ?, ?, ?, ?)",
          [
            .text(key.agent), .text(key.person), .real(conversation.date.timeIntervalSince1970),
            .real(expiry.timeIntervalSince1970), .text(text),
          ])
      }
    }
  }

  public func conversations(
    of key: MemoryKey, at date: Date, limit: Int
  ) async throws -> [RememberedConversation] {
    let sql = """
      SELECT conversation FROM memories WHERE agent = ? AND person = ? AND expires_at > ?
      ORDER BY date DESC, id DESC LIMIT ?
      """
    let values: [SQLiteValue] = [
      .text(key.agent), .text(key.person), .real(date.timeIntervalSince1970),
      .integer(max(0, min(limit, SQLiteStore.maximumRows))),
    ]
    return try await ask { database in
      var found: [RememberedConversation] = []
      try database.run(sql, values) { row in
        guard let text = row.text(0) else { return }
        found.append(try JSONDecoder().decode(RememberedConversation.self, from: Data(text.utf8)))
      }
      return found.reversed()
    }
  }

  public func forget(_ person: String) async throws -> Int {
    try await ask { database in
      let count = try database.count("FROM memories WHERE person = ?", [.text(person)])
      guard count > 0 else { return 0 }
      try database.transaction { try database.run("DELETE FROM memories WHERE person = ?", [.text(person)]) }
      try database.execute(SQLiteStore.checkpoint)
      return count
    }
  }

  /// Takes a person out of the records: numbers, names, addresses, words and the decision's trace. When, how long and
  /// through which route somebody called stays.
  public func eraseCaller(_ person: String) async throws -> Int {
    let condition = " WHERE from_number = ?1 OR from_user IN (?1, ltrim(?1, '+')) OR external_client = ?1"
    return try await ask { database in
      let count = try database.count("FROM calls" + condition, [.text(person)])
      guard count > 0 else { return 0 }
      try database.transaction {
        try database.run(
          """
          UPDATE calls SET from_uri = '', from_user = '', from_host = '', from_name = NULL, from_anonymous = 1,
            from_number = NULL, external_client = NULL, foreign_id = NULL, source_ip = NULL, source_port = NULL,
            transcript = '[]', decision = NULL
          """ + condition, [.text(person)])
      }
      try database.execute(SQLiteStore.checkpoint)
      return count
    }
  }

  /// What was erased must not be found in the journal either; `secure_delete` overwrites it in the file.
  private static let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
}

extension Database {
  /// How many rows there are.
  func count(_ source: String, _ values: [SQLiteValue]) throws -> Int {
    var count = 0
    try run("SELECT count(*) " + source, values) { count = $0.integer(0) }
    return count
  }
}
