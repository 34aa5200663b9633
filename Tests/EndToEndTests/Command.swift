import Foundation
import RouterCore

/// A program that runs beside the tests, with its output in files.
final class RunningProgram: Sendable {
  let processID: Int32
  private let process: Process
  private let outputFile: URL
  private let errorFile: URL
  private let ended = Lock<[OneShot<Int32>]>([])
  private let status = Lock<Int32?>(nil)

  /// Starts it. Standard input is empty.
  init(
    _ executable: String, _ arguments: [String], in folder: URL, environment: [String: String] = [:]
  ) throws {
    let name = "\(URL(fileURLWithPath: executable).lastPathComponent)-\(UUID().uuidString.prefix(6))"
    outputFile = folder.appendingPathComponent(name + ".out")
    errorFile = folder.appendingPathComponent(name + ".err")
    process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    let (status, ended) = (status, ended)
    process.terminationHandler = { process in
      // As a shell says it: 128 and the signal's number.
      let code = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
      let waiters = ended.withLock { waiters in
        status.withLock { $0 = code }
        return waiters
      }
      for waiter in waiters { waiter.resolve(code) }
    }
    try process.run()
    processID = process.processIdentifier
  }

  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }
  var isRunning: Bool { status.withLock { $0 == nil } }

  /// The exit status, when it has ended. Waits at most so long, then kills it.
  func exitCode(within limit: Duration = .seconds(120)) async -> Int32 {
    let waiter = OneShot<Int32>()
    let ready = ended.withLock { waiters in
      let ready = status.withLock { $0 }
      if ready == nil { waiters.append(waiter) }
      return ready
    }
    if let ready { return ready }
    let deadline = Task {
      try await Task.sleep(for: limit)
      kill(processID, SIGKILL)
    }
    defer { deadline.cancel() }
    return await waiter.value(cancelled: -1)
  }

  func send(_ signal: Int32) { kill(processID, signal) }
}

/// Where the programs under test are.
enum Product {
  /// The folder that this test binary lies in; routerd is built beside it.
  static let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    .deletingLastPathComponent()
  static let routerd = folder.appendingPathComponent("routerd").path
  static let repository: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()
}

/// A folder of its own for each test, removed at the end.
final class Workplace: Sendable {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "routerd-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  /// Writes a WAV file with a tone of 440 Hz.
  func writeTone(_ name: String, seconds: Int) throws -> String {
    var bytes = Array("RIFF".utf8)
    func number(_ value: Int, _ count: Int) {
      bytes += (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let count = seconds * 8000
    number(36 + count * 2, 4)
    bytes += Array("WAVEfmt ".utf8)
    for (value, length) in [(16, 4), (1, 2), (1, 2), (8000, 4), (16000, 4), (2, 2), (16, 2)] {
      number(value, length)
    }
    bytes += Array("data".utf8)
    number(count * 2, 4)
    for index in 0..<count { number(Int(8000 * sin(Double(index) * 2 * .pi * 440 / 8000)), 2) }
    let url = folder.appendingPathComponent(name)
    try Data(bytes).write(to: url)
    return url.path
  }

  /// Runs routerd with these arguments and waits for its end.
  func routerd(_ arguments: String..., within limit: Duration = .seconds(120)) async throws -> Finished {
    try await run(arguments, within: limit)
  }

  func run(_ arguments: [String], within limit: Duration = .seconds(120)) async throws -> Finished {
    let program = try RunningProgram(Product.routerd, arguments, in: folder)
    let code = await program.exitCode(within: limit)
    return Finished(code: code, output: program.output, errors: program.errors)
  }
}

/// A program that has ended.
struct Finished {
  var code: Int32
  var output: String
  var errors: String

  /// Output lines that are JSON objects.
  var objects: [[String: Any]] {
    output.split(separator: "\n").compactMap {
      try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  /// The objects of `routerd call --json` with this event.
  func events(_ name: String) -> [[String: Any]] { objects.filter { $0["event"] as? String == name } }
}
