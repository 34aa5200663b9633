internal import CSQLite

/// One SQLite connection. The only file that sees libsqlite3's pointers; belongs to one thread.
public final class SQLiteDatabase {
  private let connection: OpaquePointer
  private let path: String
  private var statements: [String: Statement] = [:]
  /// What was run last: in a transaction mostly what is run next.
  private var last: (sql: String, statement: Statement)?

  /// Opens the file, or makes it.
  /// - Parameters:
  ///   - lockSeconds: How long another process may hold the file before a statement fails.
  ///   - isReadOnly: Makes and changes nothing.
  public init(path: String, lockSeconds: Int, isReadOnly: Bool = false) throws(SQLiteError) {
    var handle: OpaquePointer?
    let purpose = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let flags = purpose | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK, let handle else {
      let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(handle)
      throw SQLiteError(code: code, message: message, path: path)
    }
    connection = handle
    self.path = path
    sqlite3_busy_timeout(connection, Int32(clamping: lockSeconds * 1000))
  }

  deinit {
    last = nil
    statements = [:]  // finalised before the connection closes
    sqlite3_close_v2(connection)
  }

  /// Runs statements that have no parameters.
  public func execute(_ sql: String) throws(SQLiteError) {
    let code = sqlite3_exec(connection, sql, nil, nil, nil)
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Runs one statement, which is prepared once and kept.
  /// - Parameter row: Called for each row of the result; the columns are valid only inside.
  public func run(
    _ sql: String, _ values: [SQLiteValue] = [], row: (Row) throws -> Void = { _ in }
  ) throws {
    let statement = try prepared(sql)
    defer { statement.reset(bound: values.count) }
    for (index, value) in values.enumerated() { try statement.bind(value, at: Int32(index + 1), failure) }
    while true {
      let code = sqlite3_step(statement.pointer)
      switch code {
      case SQLITE_ROW: try row(Row(statement.pointer))
      case SQLITE_DONE: return
      default: throw failure(code)
      }
    }
  }

  /// Runs `body` in one transaction; an error undoes it.
  public func transaction(_ body: () throws -> Void) throws {
    try run("BEGIN IMMEDIATE")
    do {
      try body()
      try run("COMMIT")
    } catch {
      // SQLite may have rolled back by itself already; then there is nothing to undo.
      try? execute("ROLLBACK")
      throw error
    }
  }

  private func prepared(_ sql: String) throws(SQLiteError) -> Statement {
    if let last, last.sql == sql { return last.statement }  // the same text is seen at its address
    let statement = try findOrPrepare(sql)
    last = (sql, statement)
    return statement
  }

  private func findOrPrepare(_ sql: String) throws(SQLiteError) -> Statement {
    if let known = statements[sql] { return known }
    var pointer: OpaquePointer?
    let code = sqlite3_prepare_v3(
      connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
    guard code == SQLITE_OK, let pointer else { throw failure(code) }
    let statement = Statement(pointer)
    statements[sql] = statement
    return statement
  }

  private func failure(_ code: Int32) -> SQLiteError {
    SQLiteError(code: code, message: String(cString: sqlite3_errmsg(connection)), path: path)
  }

  /// The columns of one row.
  public struct Row {
    private let pointer: OpaquePointer
    fileprivate init(_ pointer: OpaquePointer) { self.pointer = pointer }

    /// A text; `nil` for NULL.
    public func text(_ column: Int32) -> String? {
      guard let bytes = sqlite3_column_text(pointer, column) else { return nil }
      let count = Int(sqlite3_column_bytes(pointer, column))
      return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
    /// A number; 0 for NULL.
    public func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(pointer, column)) }
    /// A number; `nil` for NULL.
    public func real(_ column: Int32) -> Double? {
      sqlite3_column_type(pointer, column) == SQLITE_NULL ? nil : sqlite3_column_double(pointer, column)
    }
  }
}

/// A value for a parameter.
public enum SQLiteValue: Sendable, Hashable {
  case text(String)
  /// A text as its UTF-8.
  case utf8([UInt8])
  case integer(Int)
  case real(Double)
  case null
}

/// A prepared statement.
private final class Statement {
  let pointer: OpaquePointer
  init(_ pointer: OpaquePointer) { self.pointer = pointer }
  deinit { sqlite3_finalize(pointer) }

  func bind(
    _ value: SQLiteValue, at index: Int32, _ failure: (Int32) -> SQLiteError
  ) throws(SQLiteError) {
    // SQLITE_TRANSIENT: SQLite copies the text before the call returns.
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    let code =
      switch value {
      case .text(let text):
        sqlite3_bind_text(pointer, index, text, Int32(clamping: text.utf8.count), transient)
      case .utf8(let bytes):
        // An address even where there is no byte: none at all would be NULL.
        (bytes.isEmpty ? [0] : bytes).withUnsafeBytes {
          sqlite3_bind_text(
            pointer, index, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: bytes.count),
            transient)
        }
      case .integer(let number): sqlite3_bind_int64(pointer, index, Int64(number))
      case .real(let number): sqlite3_bind_double(pointer, index, number)
      case .null: sqlite3_bind_null(pointer, index)
      }
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Ready for the next use. Its result was told by the step already.
  /// - Parameter bound: How many parameters had a value: where all of them have, the next use brings new ones for all.
  func reset(bound: Int) {
    sqlite3_reset(pointer)
    if bound < sqlite3_bind_parameter_count(pointer) { sqlite3_clear_bindings(pointer) }
  }
}

/// What SQLite could not do, and what a person can do about it.
public struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The result code of <https://sqlite.org/rescode.html>, extended.
  public let code: Int32
  /// SQLite's own words.
  public let message: String
  public let path: String

  /// A fault as SQLite told it.
  public init(code: Int32, message: String, path: String) {
    self.code = code
    self.message = message
    self.path = path
  }

  /// Whether it lies in the values, not in the file or the machine.
  public var isAboutTheData: Bool {
    [SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH].contains(code & 0xFF)
  }

  public var description: String { "\(path): \(message) (SQLite \(code)); \(advice)" }

  private var advice: String {
    switch code & 0xFF {
    case SQLITE_CANTOPEN:
      "does its folder exist, and may this user write there? sqlite: {path: …} in routerd.yaml names the file"
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
      "make the file and its folder writable for the user that routerd runs as"
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      "move the file away and routerd makes a new one; `sqlite3 FILE .recover` may save what is in it"
    case SQLITE_BUSY, SQLITE_LOCKED:
      "another process holds the file for longer than `lockSeconds`: a second routerd, a backup?"
    case SQLITE_FULL: "the disk is full: make room, records wait meanwhile and are then lost"
    case SQLITE_IOERR: "the disk fails or is full: look into the system's log"
    default: "look at https://sqlite.org/rescode.html"
    }
  }
}
