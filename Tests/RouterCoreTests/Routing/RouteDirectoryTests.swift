import Foundation
import RouterCore
import Testing

/// Which files of a directory count.
@Suite struct RouteDirectoryTests {
  private func folder(_ files: [String]) throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/routes-\(UUID().uuidString.prefix(8))"
    for file in files {
      let url = URL(filePath: "\(path)/\(file)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: url)
    }
    return path
  }

  @Test func routeFiles() throws {
    let path = try folder([
      "b.yaml", "a.yml", "x/c.yaml", ".d.yaml", ".git/e.yaml", "examples/f.yaml", "g.txt",
    ])
    defer { try? FileManager.default.removeItem(atPath: path) }
    let directory = try RouteDirectory(path + "//")
    #expect(directory.files.map { $0.dropFirst(path.count) } == ["/a.yml", "/b.yaml", "/x/c.yaml"])
    #expect(directory.folders == [path, path + "/x"])
    let single = try RouteDirectory(path + "/b.yaml")
    #expect(single.root == path)
    #expect(single.files == [path + "/b.yaml"])
    #expect(throws: DiagnosticList.self) { try RouteDirectory(path + "/nothing") }
  }

  @Test func aLinkThatLeadsNowhereIsNoEmptyTable() throws {
    let path = try folder(["a.yaml"])
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.createSymbolicLink(atPath: path + "/b.yaml", withDestinationPath: "gone.yaml")
    let directory = try RouteDirectory(path)
    #expect(directory.faults.rendered.contains("b.yaml is a link to gone.yaml"))
    #expect(directory.dangling == [path + "/b.yaml"] && directory.files == [path + "/a.yaml"])
    // The others are checked, and names that may stand behind the link are not doubted.
    let table = "routes:\n  - {agent: a, match: {to: +44x}}\n"
    try table.write(toFile: path + "/a.yaml", atomically: false, encoding: .utf8)
    guard case .failure(let faults) = RouteTableLoader.load(directory: path) else {
      return #expect(Bool(false), "it loads")
    }
    #expect(faults.all.count == 2, "\(faults.rendered)")
    #expect(faults.rendered.contains("+44x is no international number"))
  }

  @Test func patterns() throws {
    let path = try folder([
      "docs/a.md", "docs/b.md", "docs/c.txt", "docs/.d.md", "docs/deep/e.md", "more/f.md",
    ])
    defer { try? FileManager.default.removeItem(atPath: path) }
    func files(_ pattern: String) -> [String] {
      FilePattern.files(pattern, in: path).map { String($0.dropFirst(path.count + 1)) }
    }
    #expect(files("docs/*.md") == ["docs/a.md", "docs/b.md"])
    #expect(files("docs/?.*") == ["docs/a.md", "docs/b.md", "docs/c.txt"])
    #expect(files("*/*.md") == ["docs/a.md", "docs/b.md", "more/f.md"])
    #expect(files("docs/a.md") == ["docs/a.md"])
    #expect(files("docs/*a*.md*") == ["docs/a.md"])
    #expect(files("docs/deep").isEmpty)
    #expect(files("nothing/*.md").isEmpty)
  }

  @Test(arguments: [
    ("docs/a.md", "docs/*.md", true), ("docs/a.md", "*/?.md", true), ("docs/.a.md", "docs/*.md", false),
    ("docs/deep/a.md", "docs/*.md", false), ("a.md", "a.md", true), ("a.md", "docs/a.md", false),
    ("/srv/a.md", "/srv/*", true),
  ])
  func aPathFitsAPattern(path: String, pattern: String, fits: Bool) {
    #expect(FilePattern.matches(path, pattern) == fits)
  }

  @Test func documentsThatAreNotThereAreToldOf() throws {
    let path = try folder(["docs/a.md"])
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(
      """
      agents: {a: {knowledgeBaseId: k}}
      knowledgeBases:
        k: {files: [docs/*.md, none/*.md, docs/b.md]}
      routes: [{agent: a}]
      """.utf8
    ).write(to: URL(filePath: path + "/main.yaml"))
    guard case .failure(let problems) = RouteTableLoader.load(directory: path) else {
      Issue.record("it loaded")
      return
    }
    #expect(problems.all.map(\.message) == ["the document docs/b.md cannot be read: no such file"])
  }

  @Test func findingsShowTheirLine() throws {
    let source = RouteSource(
      root: "routes",
      files: [
        .init(
          "routes/main.yaml",
          "agents: {a: {}}\nroutes:\n  - {name: all, agent: a}\n  - {name: never, match: {to: \"+1*\"}, agent: a, priority: -1}\n"
        )
      ])
    let snapshot = try RouteTableLoader.load(source).get()
    let finding = try #require(source.quoting(snapshot.lint()).all.first)
    #expect(
      finding.rendered.contains(
        "4 |   - {name: never, match: {to: \"+1*\"}, agent: a, priority: -1}\n    |     ^^^"),
      "\(finding.rendered)")
  }
}
