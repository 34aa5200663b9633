internal import FoundationEssentials
internal import Glibc
public import RouterCore

/// Keeps call records in one SQLite file.
///
/// A thread of its own writes; records that come while it waits for the disk are written together in one
/// transaction. The journal is a WAL with `synchronous=FULL`, so what ``save(_:)`` has returned from survives a
/// killed process and a power cut.
public final class SQLiteStore: OfflineCallStore {
  /// The `sqlite:` section of `routerd.yaml`.
  public struct Configuration: Decodable, Sendable {
    /// The file; it is made if there is none. Relative to the working directory. By default `calls.sqlite` in the
    /// folder that systemd gives (`StateDirectory=`), else in the working directory.
    public var path = usualFolder + "calls.sqlite"
    /// Records and questions that may wait for the disk; more are refused with an error.
    public var maximumWaiting = 10_000
    /// Seconds that another process may hold the file before a save fails.
    public var lockSeconds = 5

    private static var usualFolder: String {
      guard let folder = getenv("STATE_DIRECTORY") else { return "" }
      return String(cString: folder) + "/"
    }

    /// The defaults.
    public init() {}

    /// The defaults, and a file.
    public init(path: String) { self.path = path }

    private enum CodingKeys: String, CodingKey { case path, maximumWaiting, lockSeconds }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      path = try values.decodeIfPresent(String.self, forKey: .path) ?? path
      maximumWaiting = try values.decodeIfPresent(Int.self, forKey: .maximumWaiting) ?? maximumWaiting
      lockSeconds = try values.decodeIfPresent(Int.self, forKey: .lockSeconds) ?? lockSeconds
      if path.isEmpty || maximumWaiting < 1 || !(0...60).contains(lockSeconds) {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "path must not be empty, maximumWaiting 1 or more, lockSeconds 0 to 60"))
      }
    }
  }

  /// Too many wait for the disk, or the store was closed.
  public struct Refused: Error, Hashable, CustomStringConvertible {
    public let description: String
  }

  private enum Job: Sendable {
    case save([CallRecord], OneShot<Result<Void, any Error>>)
    /// A question; it gives its own answer.
    case read(@Sendable (Result<Connection, any Error>) -> Void)
  }

  /// Records in one transaction, so that a crowd waits no longer than a second for the first commit.
  static let batch = 512
  /// Microseconds that a record waits for others: a sync costs more than the records in it.
  static let gathering: UInt32 = 10_000
  /// The most that one question returns, whatever it asks for.
  static let maximumRows = 10_000

  public static let name = "sqlite"
  private let worker: Worker<Job>
  private let refusal: Refused

  /// Opens the file, which tells a wrong path at once. Throws ``SQLiteError``.
  public init(_ configuration: Configuration, _ host: PluginHost) async throws {
    refusal = Refused(
      description: "\(configuration.path): more than \(configuration.maximumWaiting) wait for the disk,"
        + " or the store is closed")
    let connection = Lock(Connection(configuration))
    worker = Worker(maximum: configuration.maximumWaiting, gathering: SQLiteStore.gathering) { jobs in
      connection.withLock { SQLiteStore.work(jobs, on: $0) }
    }
    do { try await ask { _ in } } catch {
      worker.close()
      throw error
    }
  }

  deinit { worker.close() }

  /// The folder must be there and writable: SQLite makes files beside its own.
  public static func obstacles(to configuration: Configuration) -> [SettingObstacle] {
    let path = configuration.path
    if let obstacle = SettingObstacle.writing(in: SettingObstacle.folder(of: path), key: "path") {
      return [obstacle]
    }
    guard access(path, F_OK) == 0 else { return [] }
    if let obstacle = SettingObstacle.reading(path, key: "path") { return [obstacle] }
    if access(path, W_OK) != 0 {
      return [SettingObstacle("path", "\(path) cannot be written: \(String(cString: strerror(errno)))")]
    }
    return Schema.fault(ofFile: path).map { [SettingObstacle("path", $0)] } ?? []
  }

  /// Writes a record; when it returns, the record is on the disk. A record with the same identifier is replaced.
  /// Throws ``SQLiteError`` or ``Refused``.
  public func save(_ record: CallRecord) async throws { try await save([record]) }

  /// The same for several records, in one transaction: all of them are written, or none.
  public func save(_ records: [CallRecord]) async throws {
    let result = OneShot<Result<Void, any Error>>()
    guard worker.add(.save(records, result)) else { throw refusal }
    try await result.value(cancelled: .failure(CancellationError())).get()
  }

  /// A record by its identifier.
  public func record(_ id: CallID) async throws -> CallRecord? {
    try await ask { try $0.record(id) }
  }

  /// Records, newest first; at most 10 000.
  public func records(_ query: CallQuery) async throws -> [CallRecord] {
    try await ask { try $0.records(query) }
  }

  /// Opens the file for reading; a routerd may write to it meanwhile. Throws ``SQLiteError``.
  public static func reader(_ configuration: Configuration) throws -> any CallRecords {
    try SQLiteReader(configuration)
  }

  func ask<Answer: Sendable>(
    _ question: @escaping @Sendable (Database) throws -> Answer
  ) async throws -> Answer {
    let answer = OneShot<Result<Answer, any Error>>()
    let job = Job.read { connection in
      answer.resolve(Result { try question(try connection.get().open()) })
    }
    guard worker.add(job) else { throw refusal }
    return try await answer.value(cancelled: .failure(CancellationError())).get()
  }

  // MARK: On the thread

  /// All jobs that wait, in order; saves that follow each other share a transaction.
  private static func work(_ jobs: [Job], on connection: Connection) {
    if jobs.isEmpty { return connection.close() }
    var saves: [Save] = []
    var count = 0
    func flush() {
      if !saves.isEmpty { save(saves, on: connection) }
      saves = []
      count = 0
    }
    for job in jobs {
      switch job {
      case .save(let records, let result):
        saves.append((records, result))
        count += records.count
        if count >= batch { flush() }
      case .read(let answer):
        flush()
        answer(.success(connection))
      }
    }
    flush()
  }

  private typealias Save = (records: [CallRecord], result: OneShot<Result<Void, any Error>>)

  private static func save(_ saves: [Save], on connection: Connection) {
    let outcome = Result<Void, any Error> {
      let database = try connection.open()
      try database.transaction {
        for record in saves.lazy.flatMap(\.records) {
          try database.run(RecordRow.insert, RecordRow.values(record))
        }
      }
    }
    if case .failure(let error as SQLiteError) = outcome, error.isAboutTheData, saves.count > 1 {
      // One bad record must not take the others with it.
      for save in saves { self.save([save], on: connection) }
      return
    }
    for save in saves { save.result.resolve(outcome) }
  }

  /// The file, opened when it is needed: a file that could not be opened is tried again with the next job.
  private final class Connection {
    private let configuration: Configuration
    private var database: Database?
    init(_ configuration: Configuration) { self.configuration = configuration }

    func open() throws -> Database {
      if let database { return database }
      // Records hold numbers and words of people: the file is its owner's alone. An error is told by SQLite below.
      let path = configuration.path
      let descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
      if descriptor >= 0 { Glibc.close(descriptor) }
      let database = try Database(path: path, lockSeconds: configuration.lockSeconds)
      try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON")
      try Schema.migrate(database, path: path)
      self.database = database
      return database
    }

    func close() { database = nil }
  }
}
