import FoundationEssentials
import Glibc
import RouterCore
import RouterTesting
import Testing

@testable import SQLiteStore

@Suite(.timeLimit(.minutes(5))) struct SQLiteStoreTests {
  /// A folder of the test's own, and stores in it.
  final class Place: Sendable {
    let folder: String
    var file: String { folder + "/calls.sqlite" }

    init() throws {
      folder = "/tmp/routerd-store-\(getpid())-\(UInt64.random(in: 0..<UInt64.max))"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }  // the system cleans /tmp too

    func open(_ change: (inout SQLiteStore.Configuration) -> Void = { _ in }) async throws -> SQLiteStore {
      try await SQLiteStoreTests.open(file, change)
    }
  }

  static func open(
    _ path: String, _ change: (inout SQLiteStore.Configuration) -> Void = { _ in }
  ) async throws -> SQLiteStore {
    var configuration = SQLiteStore.Configuration(path: path)
    change(&configuration)
    let loops = EventLoops(mediaLoops: 0)
    defer { loops.stop() }
    return try await SQLiteStore(
      configuration, PluginHost(log: .silent, metrics: Metrics(), loops: loops))
  }

  static func record(_ id: String) -> CallRecord { CallStoreConformance.fullRecord(id) }

  /// The words of the error that something throws.
  static func words(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func conforms() async throws {
    let place = try Place()
    #expect(await CallStoreConformance.violations { try await place.open() } == [])
  }

  @Test func remembers() async throws {
    let place = try Place()
    #expect(await MemoryStoreConformance.violations { try await place.open() } == [])
  }

  /// Nothing of a person is left in the file, not even in its free pages or the journal.
  @Test func whatIsForgottenIsOverwritten() async throws {
    let place = try Place()
    let store = try await place.open()
    let secret = "the-secret-of-ada"
    var record = SQLiteStoreTests.record("c-ada")
    record.fromNumber = "+15550001"
    record.transcript = [TranscriptEntry(.caller, .speech, secret, at: 0)]
    try await store.save(record)
    let key = MemoryKey(agent: "a", person: "+15550001")
    let conversation = RememberedConversation(date: Date(), channel: .sip, summary: secret)
    try await store.remember(conversation, of: key, until: Date().addingTimeInterval(1000))
    #expect(try await store.forget("+15550001") == 1)
    #expect(try await store.eraseCaller("+15550001") == 1)
    for name in try FileManager.default.contentsOfDirectory(atPath: place.folder) {
      let bytes = try Data(contentsOf: URL(filePath: place.folder + "/" + name))
      #expect(bytes.firstRange(of: Data(secret.utf8)) == nil, "in \(name)")
    }
  }

  /// The child saves from eight tasks at once, notes each identifier after `save` has returned, and is killed in the
  /// middle of it. Whatever it noted must be there.
  @Test func nothingIsLostByAKilledProcess() async throws {
    let place = try Place()
    let (file, noted) = (place.file, place.folder + "/noted")
    await #expect(processExitsWith: .signal(SIGKILL)) { [file = file as String, noted = noted as String] in
      let store = try await SQLiteStoreTests.open(file)
      let journal = Glibc.open(noted, O_CREAT | O_WRONLY | O_APPEND, 0o600)
      await withTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask {
            for number in 0... {
              let id = "c-\(task)-\(number)"
              // The parent sees the status of an error.
              guard (try? await store.save(SQLiteStoreTests.record(id))) != nil else { exit(1) }
              _ = (id + "\n").withCString { write(journal, $0, strlen($0)) }
              if task == 0 && number == 40 { kill(getpid(), SIGKILL) }
            }
          }
        }
      }
    }
    let ids = try String(contentsOfFile: noted, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(ids.count > 40)
    let store = try await place.open()
    let kept = Set(try await store.records(CallQuery(limit: 10_000)).map(\.id.text))
    #expect(ids.filter { !kept.contains($0) } == [])
  }

  @Test func aWrongPathIsToldAtOnce() async throws {
    let words = await SQLiteStoreTests.words { _ = try await SQLiteStoreTests.open("/nowhere/calls.sqlite") }
    #expect(words.hasPrefix("/nowhere/calls.sqlite: unable to open database file"))
    #expect(words.contains("does its folder exist"))
  }

  @Test func aDamagedFileIsToldAtOnce() async throws {
    let place = try Place()
    try String(repeating: "this is no database. ", count: 1000)
      .write(toFile: place.file, atomically: true, encoding: .utf8)
    let words = await SQLiteStoreTests.words { _ = try await place.open() }
    #expect(words.contains("file is not a database"))
    #expect(words.contains("move the file away"))
  }

  @Test func aFileOfALaterVersionIsRefused() async throws {
    let place = try Place()
    _ = try await place.open()
    try Database(path: place.file, lockSeconds: 5).execute("PRAGMA user_version = 1000")
    let words = await SQLiteStoreTests.words { _ = try await place.open() }
    #expect(words.contains("has schema 1000") && words.contains("update routerd"))
  }

  @Test func aHeldFileIsToldAndTriedAgain() async throws {
    let place = try Place()
    let store = try await place.open { $0.lockSeconds = 0 }
    let other = try Database(path: place.file, lockSeconds: 0)
    try other.execute("BEGIN EXCLUSIVE")
    let words = await SQLiteStoreTests.words { try await store.save(SQLiteStoreTests.record("c-1")) }
    #expect(words.contains("another process holds the file"))
    try other.execute("ROLLBACK")
    try await store.save(SQLiteStoreTests.record("c-1"))
    #expect(try await store.record(CallID("c-1")) != nil)
  }

  /// A file that may not grow stands for a full disk.
  @Test func aFullDiskIsToldAndTriedAgain() async throws {
    let place = try Place()
    let file = place.file
    await #expect(processExitsWith: .success) { [file = file as String] in
      let store = try await SQLiteStoreTests.open(file)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 65536, rlim_max: rlim_t.max)
      setrlimit(__rlimit_resource_t(1), &limit)  // RLIMIT_FSIZE
      var words = "no error"
      for number in 0..<1000 where words == "no error" {
        words = await SQLiteStoreTests.words { try await store.save(SQLiteStoreTests.record("c-\(number)")) }
      }
      limit.rlim_cur = rlim_t.max
      setrlimit(__rlimit_resource_t(1), &limit)
      try await store.save(SQLiteStoreTests.record("c-later"))
      let later = try await store.record(CallID("c-later"))
      exit(words.contains("full") && later != nil ? 0 : 1)
    }
  }

  @Test func tooManyThatWaitAreRefused() async throws {
    let place = try Place()
    let store = try await place.open {
      $0.maximumWaiting = 4
      $0.lockSeconds = 60
    }
    let other = try Database(path: place.file, lockSeconds: 0)
    try other.execute("BEGIN EXCLUSIVE")
    let outcomes = await withTaskGroup(of: String.self) { group in
      for number in 0..<20 {
        group.addTask {
          await SQLiteStoreTests.words { try await store.save(SQLiteStoreTests.record("c-\(number)")) }
        }
      }
      // One batch is in the writer's hands and four may wait: at least some are refused while the file is held.
      var outcomes = [await group.next() ?? ""]
      try? other.execute("ROLLBACK")  // told by the saves that then fail
      for await outcome in group { outcomes.append(outcome) }
      return outcomes
    }
    let refused = outcomes.filter { $0.contains("wait for the disk") }
    #expect(refused.count > 0)
    #expect(outcomes.filter { $0 == "no error" }.count == 20 - refused.count)
  }

  @Test func theFileIsItsOwnersAlone() async throws {
    let place = try Place()
    _ = try await place.open()
    var status = stat()
    #expect(stat(place.file, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test func anOddNumberDoesNotSpoilTheRecord() async throws {
    let place = try Place()
    let store = try await place.open()
    var record = SQLiteStoreTests.record("c-odd")
    record.audio?.jitter = .infinity
    record.audio?.mos = .nan
    try await store.save(record)
    #expect(try await store.record(record.id)?.audio?.jitter == 0)
  }

  @Test(arguments: [
    (8, "writable"), (11, "move the file away"), (26, "move the file away"), (5, "another process"),
    (13, "the disk is full"), (10, "system's log"), (10 | 3 << 8, "system's log"), (14, "folder"),
    (23, "writable"), (1, "rescode"),
  ]) func everyErrorSaysWhatToDo(code: Int32, advice: String) {
    let error = SQLiteError(code: code, message: "words", path: "calls.sqlite")
    #expect("\(error)".hasPrefix("calls.sqlite: words (SQLite \(code)); "))
    #expect("\(error)".contains(advice))
  }
}
