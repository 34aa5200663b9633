import RouterTesting
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

extension Workplace {
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
