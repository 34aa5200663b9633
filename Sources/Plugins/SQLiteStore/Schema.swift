internal import Glibc
internal import RouterCore

typealias Database = SQLiteDatabase

/// The tables, step by step: `PRAGMA user_version` says how many steps a file has seen.
enum Schema {
  /// Each step is run once, in a transaction of its own. Never change one that was released: add another.
  static let steps = [
    """
    CREATE TABLE calls (
      id TEXT PRIMARY KEY NOT NULL,
      received_at REAL NOT NULL, answered_at REAL, ended_at REAL NOT NULL,
      channel TEXT NOT NULL, provider TEXT, trunk TEXT, connection TEXT, foreign_id TEXT,
      source_ip TEXT, source_port INTEGER,
      from_uri TEXT NOT NULL, from_user TEXT NOT NULL, from_host TEXT NOT NULL, from_name TEXT,
      from_anonymous INTEGER NOT NULL, from_number TEXT,
      to_uri TEXT NOT NULL, to_user TEXT NOT NULL, to_host TEXT NOT NULL, to_name TEXT,
      to_anonymous INTEGER NOT NULL, to_number TEXT,
      decision_id TEXT, route TEXT, snapshot_version TEXT, agent TEXT,
      end_reason TEXT NOT NULL, end_status INTEGER NOT NULL, end_q850 INTEGER NOT NULL, end_text TEXT NOT NULL,
      end_retry_after INTEGER,
      transcript TEXT NOT NULL, audio TEXT, decision TEXT
    ) WITHOUT ROWID;
    CREATE INDEX calls_received ON calls (received_at);
    CREATE INDEX calls_agent ON calls (agent, received_at);
    CREATE INDEX calls_route ON calls (route, received_at);
    """,
    """
    ALTER TABLE calls ADD COLUMN attempts TEXT;
    ALTER TABLE calls ADD COLUMN timings TEXT;
    ALTER TABLE calls ADD COLUMN external_client TEXT;
    CREATE TABLE memories (
      id INTEGER PRIMARY KEY, agent TEXT NOT NULL, person TEXT NOT NULL, date REAL NOT NULL,
      expires_at REAL NOT NULL, conversation TEXT NOT NULL
    );
    CREATE INDEX memories_person ON memories (person, agent, date);
    CREATE INDEX memories_expiry ON memories (expires_at);
    """,
    // Rows of a table WITHOUT ROWID that are longer than a quarter of a page take further pages each.
    """
    CREATE TABLE calls_in_rows (
      id TEXT PRIMARY KEY NOT NULL,
      received_at REAL NOT NULL, answered_at REAL, ended_at REAL NOT NULL,
      channel TEXT NOT NULL, provider TEXT, trunk TEXT, connection TEXT, foreign_id TEXT,
      source_ip TEXT, source_port INTEGER,
      from_uri TEXT NOT NULL, from_user TEXT NOT NULL, from_host TEXT NOT NULL, from_name TEXT,
      from_anonymous INTEGER NOT NULL, from_number TEXT,
      to_uri TEXT NOT NULL, to_user TEXT NOT NULL, to_host TEXT NOT NULL, to_name TEXT,
      to_anonymous INTEGER NOT NULL, to_number TEXT,
      decision_id TEXT, route TEXT, snapshot_version TEXT, agent TEXT,
      end_reason TEXT NOT NULL, end_status INTEGER NOT NULL, end_q850 INTEGER NOT NULL, end_text TEXT NOT NULL,
      end_retry_after INTEGER,
      transcript TEXT NOT NULL, audio TEXT, decision TEXT,
      attempts TEXT, timings TEXT, external_client TEXT
    );
    INSERT INTO calls_in_rows SELECT * FROM calls;
    DROP TABLE calls;
    ALTER TABLE calls_in_rows RENAME TO calls;
    CREATE INDEX calls_received ON calls (received_at);
    CREATE INDEX calls_agent ON calls (agent, received_at);
    CREATE INDEX calls_route ON calls (route, received_at);
    """,
  ]

  /// Whether a file can be read as it is.
  static func check(_ database: Database, path: String) throws {
    var version = 0
    try database.run("PRAGMA user_version") { version = $0.integer(0) }
    if version > steps.count { throw NewerSchema(path: path, version: version) }
    if version < steps.count { throw OlderSchema(path: path) }
  }

  /// What its head says against a file (sqlite.org, "Database File Format", section 1.3); `nil` for nothing. To open it would
  /// make files beside it.
  static func fault(ofFile path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var head = [UInt8](repeating: 0, count: 100)
    let count = read(descriptor, &head, head.count)
    if count == 0 { return nil }  // SQLite takes it for a new one
    guard count == head.count, head.starts(with: "SQLite format 3\0".utf8) else {
      return "\(path) is no SQLite file"
    }
    let version = head[60..<64].reduce(0) { $0 << 8 | Int($1) }
    return version > steps.count ? NewerSchema(path: path, version: version).description : nil
  }

  /// Brings a file up to date.
  static func migrate(_ database: Database, path: String) throws {
    var version = 0
    try database.run("PRAGMA user_version") { version = $0.integer(0) }
    guard version <= steps.count else { throw NewerSchema(path: path, version: version) }
    for step in version..<steps.count {
      try database.transaction {
        // Asked again inside: another process may have been quicker.
        var current = 0
        try database.run("PRAGMA user_version") { current = $0.integer(0) }
        guard current == step else { return }
        try database.execute(steps[step])
        try database.execute("PRAGMA user_version = \(step + 1)")
      }
    }
  }
}

/// The file was written by a later routerd.
struct NewerSchema: Error, CustomStringConvertible {
  let path: String
  let version: Int
  var description: String {
    "\(path): has schema \(version), this routerd knows \(Schema.steps.count); update routerd or name another file"
  }
}

/// The file was written by an earlier routerd, and only a start of this one may change it.
struct OlderSchema: Error, CustomStringConvertible {
  let path: String
  var description: String { "\(path): was written by an earlier routerd; start this one once" }
}
