import Foundation
import Testing

@testable import routerd

@Suite struct ProcessLimitsTests {
  /// What the kernel says of this process's table of open files.
  private func room() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("FDSize:") })
    return try #require(Int(line.dropFirst(7).trimmingCharacters(in: .whitespaces)))
  }

  /// The table has its size before the first call, and no descriptor is lost for it.
  @Test func thereIsRoomForFiles() throws {
    let count = ProcessLimits.raiseOpenFiles()
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    ProcessLimits.makeRoom(forFiles: count)
    #expect(try room() >= min(count, ProcessLimits.roomyFiles))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count <= open)
  }
}
