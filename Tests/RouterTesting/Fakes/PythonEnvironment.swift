public import Foundation

/// A Python with packages of other people: official SDKs, whose word on what we send and take counts more than ours.
public struct PythonEnvironment: Sendable {
  /// The interpreter.
  public let python: String

  /// Why there is none, or why a program failed, with what it wrote.
  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  /// Makes it below the build folder, once for each set of packages; later runs find it there.
  /// - Parameter packages: With their versions, e.g. `openai==3.54.0`.
  public init(_ packages: [String]) throws {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let name = packages.map { $0.prefix { $0 != "=" } }.joined(separator: "-")
    let folder = root.appending(path: ".build/python/\(name)").path
    python = folder + "/bin/python"
    let done = folder + "/.made-of"
    let wanted = packages.joined(separator: "\n")
    // Not there, or of other packages: it is made anew.
    if (try? String(contentsOfFile: done, encoding: .utf8)) == wanted { return }
    try PythonEnvironment.run("/usr/bin/python3", ["-m", "venv", "--clear", folder])
    try PythonEnvironment.run(folder + "/bin/pip", ["install", "--quiet"] + packages)
    try wanted.write(toFile: done, atomically: true, encoding: .utf8)
  }

  /// Runs a program to its end and returns what it wrote. Throws ``Failure`` when it fails.
  @discardableResult
  public func run(_ script: URL, _ arguments: [String] = [], input: Data = Data()) throws -> String {
    try PythonEnvironment.run(python, [script.path] + arguments, input: input)
  }

  @discardableResult
  private static func run(_ program: String, _ arguments: [String], input: Data = Data()) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    // A file, not a pipe: a program that writes before it has read all cannot block us.
    let place = try Workplace()
    let file = place.path("input")
    try input.write(to: URL(fileURLWithPath: file))
    process.standardInput = FileHandle(forReadingAtPath: file)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(program) \(arguments.joined(separator: " ")): \(text.suffix(2000))")
    }
    return text
  }
}
