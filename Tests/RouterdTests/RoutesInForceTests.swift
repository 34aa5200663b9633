import Foundation
import RouterCore
import Testing

@testable import routerd

/// What a reload does with files that say nothing new, and with files that are gone.
@Suite final class RoutesInForceTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/routerd-force-\(UUID().uuidString)"
  private var directory: String { folder + "/routes" }

  init() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }  // nothing to do about it

  private func write(_ text: String, to name: String = "main.yaml") throws {
    try text.write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
  }

  private func routes() throws -> RoutesInForce {
    let versions = RouteVersions(folder: folder + "/versions", directory: directory, maximumBytes: 1 << 20)
    return try RoutesInForce(directory: directory, versions: versions)
  }

  private static let table = "routes:\n  - {name: closed, match: {to: 100}, reject: 480}\n"

  @Test func aReloadThatChangesNothingLeavesNoTrace() async throws {
    try write(Self.table)
    let routes = try routes()
    let (since, kept) = (routes.loadedAt, try #require(routes.versions?.entries.first))
    for _ in 0..<2 {
      let change = await routes.reload(because: "routerd reload")
      #expect(change.isSame && change.notKept == nil)
    }
    #expect(routes.loadedAt == since)
    let now = try #require(routes.versions?.entries.first)
    #expect(now.date == kept.date && now.reason == "start" && routes.versions?.entries.count == 1)
    #expect(routes.lastChange?.reason == "routerd reload")

    try write(Self.table.replacing("100", with: "200"))
    let change = await routes.reload(because: "routerd reload")
    #expect(change.isAccepted && !change.isSame && routes.loadedAt > since)
    #expect(routes.versions?.entries.map(\.reason) == ["routerd reload", "start"])
  }

  @Test func aReloadAfterARollbackToTheSameFilesEndsTheRollback() async throws {
    try write(Self.table)
    let routes = try routes()
    let first = routes.snapshot.version
    try write(Self.table.replacing("100", with: "200"))
    _ = await routes.reload(because: "routerd reload")
    _ = try await routes.rollback(to: nil)
    #expect(routes.versions?.entries.first?.replacing != nil)
    try write(Self.table)
    let change = await routes.reload(because: "routerd reload")
    #expect(change.isSame && routes.footing == .files && routes.snapshot.version == first)
    #expect(routes.versions?.entries.first?.replacing == nil)
    #expect(routes.versions?.entries.first?.reason == "routerd reload")
  }

  @Test(arguments: ["empty", "no routes", "only comments", "gone", "dangling"])
  func filesThatAreGoneAreNoWish(what: String) async throws {
    try write(Self.table)
    let routes = try routes()
    let (version, since) = (routes.snapshot.version, routes.loadedAt)
    switch what {
    case "empty": try FileManager.default.removeItem(atPath: directory + "/main.yaml")
    case "no routes": try write("agents: {a: {}}\n")
    case "only comments": try write("# nothing\n")
    case "gone": try FileManager.default.removeItem(atPath: directory)
    default:
      try FileManager.default.removeItem(atPath: directory)
      try FileManager.default.createSymbolicLink(
        atPath: directory, withDestinationPath: folder + "/nowhere")
    }
    let change = await routes.reload(because: "routerd reload")
    #expect(!change.isAccepted && !change.isSame)
    let words = ["gone", "dangling"].contains(what) ? "there is no directory" : "there is no route any more"
    #expect(change.errors.all.first?.message.hasPrefix(words) == true, "\(change.errors.rendered)")
    #expect(change.errors.all.first?.hint != nil)
    #expect(routes.snapshot.version == version && routes.snapshot.routeCount == 1)
    #expect(routes.loadedAt == since && routes.versions?.entries.count == 1)
  }
}

extension String {
  fileprivate func replacing(_ old: String, with new: String) -> String {
    replacingOccurrences(of: old, with: new)
  }
}
