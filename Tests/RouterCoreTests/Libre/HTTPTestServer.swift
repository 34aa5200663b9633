import Foundation
import Testing

/// A Python script beside this file that serves until its standard input closes, and says in one line where.
final class PythonServer {
  let line: Data
  private let process = Process()
  private let stop = Pipe()

  init(_ script: String, _ arguments: String..., in file: String = #filePath) throws {
    let out = Pipe()
    // Debian's Python, whatever comes first in PATH: the scripts use Debian's packages.
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments =
      [URL(filePath: file).deletingLastPathComponent().appending(path: script).path] + arguments
    process.standardInput = stop
    process.standardOutput = out
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while let byte = try out.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) {
      line.append(byte)
    }
    self.line = line
  }

  deinit { process.terminate() }
}

/// `https_server.py`: one server for each sort of certificate.
final class HTTPTestServer {
  private struct Place: Decodable {
    let authority: String
    let ports: [String: Int]
  }

  private let server: PythonServer
  private let place: Place

  init() throws {
    server = try PythonServer("https_server.py")
    place = try JSONDecoder().decode(Place.self, from: server.line)
  }

  /// A PEM file with the authority that signed the right ones.
  var authority: String { place.authority }

  func port(_ name: String) throws -> Int { try #require(place.ports[name]) }

  /// - Parameter name: `plain`, or the sort of certificate.
  func url(_ name: String, _ path: String) throws -> String {
    let host = name == "six" ? "[::1]" : "localhost"
    return "\(name == "plain" || name == "six" ? "http" : "https")://\(host):\(try port(name))\(path)"
  }
}
