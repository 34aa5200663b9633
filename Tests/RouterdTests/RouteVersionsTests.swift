import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import routerd

/// Versions of the routes on disk.
@Suite struct RouteVersionsTests {
  private let folder: Workplace

  init() throws { folder = try Workplace() }

  private func versions(megabytes: Int = 1, directory: String = "/etc/routes") -> RouteVersions {
    RouteVersions(folder: folder.path("v"), directory: directory, maximumBytes: megabytes << 20)
  }

  private func content(_ text: String, list: String = "+15551230001\n") -> RouteContent {
    RouteContent(
      root: "routes", files: [.init("routes/a.yaml", text), .init("routes/deep/b.yaml", "# the same\n")],
      lists: ["../lists/vip.txt": Array(list.utf8)])
  }

  private func keep(_ text: String, in versions: RouteVersions, reason: String = "test") throws -> String {
    try versions.keep(content(text), reason: reason, date: Date(timeIntervalSince1970: 1_790_000_000))
    return content(text).version
  }

  @Test func whatWasKeptComesBack() throws {
    let versions = versions()
    #expect(versions.entries.isEmpty)
    let first = try keep("# 1", in: versions)
    let second = try keep("# 2", in: versions)
    #expect(versions.entries.map(\.version) == [second, first])
    let back = try versions.content(of: first, root: "elsewhere")
    #expect(back.version == first)
    #expect(back.files.map(\.path) == ["elsewhere/a.yaml", "elsewhere/deep/b.yaml"])
    #expect(back.lists["../lists/vip.txt"] == Array("+15551230001\n".utf8))
    #expect(try versions.find(String(first.prefix(5))).version == first)
    #expect(throws: ControlFailure.self) { try versions.find("zzz") }
  }

  @Test func oneThatComesAgainMovesToTheTop() throws {
    let versions = versions()
    let first = try keep("# 1", in: versions)
    let second = try keep("# 2", in: versions)
    _ = try keep("# 1", in: versions, reason: "rollback")
    #expect(versions.entries.map(\.version) == [first, second])
    #expect(versions.entries.map(\.reason) == ["rollback", "test"])
  }

  @Test func twentyAreKept() throws {
    let versions = versions()
    for number in 0..<25 { _ = try keep("# \(number)", in: versions) }
    #expect(versions.entries.count == 20)
    #expect(versions.entries.first?.version == content("# 24").version)
    #expect(versions.entries.last?.version == content("# 5").version)
  }

  @Test func theirSizeIsBoundedAndWhatTheyShareCountsOnce() throws {
    let versions = versions()
    let filler = String(repeating: "# filler\n", count: 45_000)  // 405 kB: two fit into a megabyte
    let all = try (0..<4).map { try keep("# \($0)\n" + filler, in: versions) }
    #expect(versions.entries.map(\.version) == all.suffix(2).reversed())
    let big = RouteContent(root: "r", files: [.init("r/big.yaml", filler + filler), .init("r/x.yaml", "")])
    for number in 0..<5 {
      var next = big
      next.files.append(.init("r/n.yaml", "# \(number)"))
      try versions.keep(next, reason: "test", date: Date())
    }
    #expect(versions.entries.count == 5)
    let files = try FileManager.default.subpathsOfDirectory(atPath: versions.folder)
      .filter { $0.hasSuffix("big.yaml") }
    let inodes = try files.map {
      try FileManager.default.attributesOfItem(atPath: versions.folder + "/" + $0)[.systemFileNumber] as? Int
    }
    #expect(Set(inodes).count == 1)
  }

  @Test func damageIsNoticed() throws {
    let versions = versions()
    let version = try keep("# 1", in: versions)
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: versions.folder).first)
    try Data("# 2".utf8).write(to: URL(filePath: "\(versions.folder)/\(name)/files/a.yaml"))
    #expect(throws: ControlFailure.self) { try versions.content(of: version, root: "r") }
  }

  @Test func anotherDirectorysVersionsAreNotOurs() throws {
    let version = try keep("# 1", in: versions())
    let others = versions(directory: "/srv/other")
    #expect(others.entries.isEmpty)
    #expect(try keep("# 1", in: others) == version)
    #expect(others.entries.count == 1)
    #expect(versions().entries.count == 1)
  }

  @Test func aVersionComesBackWithTheDocumentsThatItHad() throws {
    try folder.write(
      "routes/main.yaml",
      "agents: {a: {knowledgeBaseId: k}}\nknowledgeBases: {k: {files: [docs/*.md]}}\nroutes: [{agent: a}]\n")
    try folder.write("routes/docs/one.md", "One.")
    let directory = folder.path("routes")
    let versions = versions(directory: directory)
    let first = RouteReading.disk(directory)
    let version = try first.result.get().version
    try versions.keep(try #require(first.content), reason: "test", date: Date())
    // Then one changes, one comes, and the pattern finds other files.
    try folder.write("routes/docs/one.md", "Something else.")
    try folder.write("routes/docs/two.md", "Two.")
    let second = RouteReading.disk(directory)
    #expect(try second.result.get().version != version)
    try versions.keep(try #require(second.content), reason: "test", date: Date())

    let content = try versions.content(of: version, root: directory)
    let back = try RouteReading.kept(content, in: directory).result.get()
    #expect(back.version == version)
    let files = try #require(back.knowledgeBase(named: "k")?["files"]?.array)
    #expect(files.count == 1)
    let path = try #require(files.first?["path"]?.string)
    #expect(path.hasSuffix("/one.md"), "answers name the document")
    try versions.keep(content, reason: "rollback", date: Date())  // its folder has another name now
    #expect(try Files.read(path) == Array("One.".utf8))

    // When the version goes, so does the copy.
    for number in 0..<RouteVersions.maximum { _ = try keep("# \(number)", in: versions) }
    #expect(!versions.entries.contains { $0.version == version })
    #expect(!Files.exists(path))
  }
}
