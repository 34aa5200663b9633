public import Foundation

/// A folder of its own for each test, removed at the end.
public final class Workplace: Sendable {
  public let folder: URL

  /// Makes the folder.
  public init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "routerd-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }  // the system cleans its folder too

  /// Where a file of that name is.
  public func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Writes a file, folders in between included; returns its path.
  @discardableResult
  public func write(_ name: String, _ text: String) throws -> String {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  /// Writes a WAV file with a tone of 440 Hz.
  public func writeTone(_ name: String, seconds: Int) throws -> String {
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
}

extension Workplace {
  /// A pair of RSA keys, as files of PEM.
  public func rsaKey() throws -> (privateKey: String, publicKey: String) {
    let files = (path("key.pem"), path("public.pem"))
    for arguments in [
      ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", files.0],
      ["pkey", "-in", files.0, "-pubout", "-out", files.1],
    ] {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/openssl")
      process.arguments = arguments
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    }
    return files
  }
}
