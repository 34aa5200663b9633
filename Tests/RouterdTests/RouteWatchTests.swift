import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import routerd

/// Changes of route files on disk.
@Suite struct RouteWatchTests {
  private let folder: Workplace

  init() throws { folder = try Workplace() }

  /// Watches `routes`; each element is how the files looked when a change was reported.
  private struct Watching {
    let known: Lock<[String]>
    let files: WatchedFiles
    var changes: AsyncStream<Void>.Iterator

    init(_ files: WatchedFiles) {
      let known = Lock(files.fingerprint)
      self.files = files
      self.known = known
      let watch = RouteWatch({ files }, isKnown: { look in known.withLock { $0 == look } }, log: .silent)
      changes = watch.changes().makeAsyncIterator()
    }

    /// Waits for the next change and takes it in.
    mutating func next() async {
      await changes.next()
      let look = files.fingerprint
      known.withLock { $0 = look }
    }
  }

  private func files(references: Set<String> = [], patterns: Set<String> = []) -> WatchedFiles {
    WatchedFiles(directory: folder.path("routes"), references: references, patterns: patterns)
  }

  @Test(.timeLimit(.minutes(1))) func everyWayToChangeAFile() async throws {
    try folder.write("routes/main.yaml", "# 1")
    try folder.write("lists/vip.txt", "1")
    try folder.write("routes/docs/a.md", "1")
    var watching = Watching(files(references: ["../lists/vip.txt", "../later"], patterns: ["docs/*.md"]))
    try folder.write("routes/main.yaml", "# 22")  // in place
    await watching.next()
    try folder.write("routes/.main.yaml.swp", "# 3")  // as editors do
    folder.move("routes/.main.yaml.swp", to: "routes/main.yaml")
    await watching.next()
    try folder.write("routes/deep/er/new.yaml", "# 4")
    await watching.next()
    try folder.write("routes/deep/er/new.yaml", "# 55")  // in a folder that was not there before
    await watching.next()
    try folder.write("lists/vip.txt", "22")
    await watching.next()
    try folder.write("later", "a secret that was missing")
    await watching.next()
    try folder.write("routes/docs/b.md", "1")
    await watching.next()
    try FileManager.default.removeItem(atPath: folder.path("routes/main.yaml"))
    await watching.next()
    folder.move("routes", to: "old")
    await watching.next()
    folder.move("old", to: "routes")
    await watching.next()
  }

  @Test(.timeLimit(.minutes(1))) func aMountedConfigurationIsExchanged() async throws {
    try folder.write("routes/..1/main.yaml", "# 1")
    try folder.write("routes/..2/main.yaml", "# 2")
    try folder.link("routes/..data", to: "..1")
    try folder.link("routes/main.yaml", to: "..data/main.yaml")
    var watching = Watching(files())
    try folder.link("routes/..tmp", to: "..2")
    folder.move("routes/..tmp", to: "routes/..data")
    await watching.next()
    try folder.write("routes/..2/main.yaml", "# 33")
    await watching.next()
  }

  @Test(.timeLimit(.minutes(1))) func theDirectoryItselfIsALink() async throws {
    try folder.write("releases/1/main.yaml", "# 1")
    try folder.write("releases/2/main.yaml", "# 2")
    try folder.link("routes", to: "releases/1")
    var watching = Watching(files())
    try folder.link("next", to: "releases/2")
    folder.move("next", to: "routes")
    await watching.next()
    try folder.write("releases/2/main.yaml", "# 33")
    await watching.next()
  }

  /// Its target comes, or it is taken out: both end what kept the table from being read.
  @Test(.timeLimit(.minutes(1))) func aLinkThatLeadsNowhereIsMended() async throws {
    try folder.write("routes/main.yaml", "# 1")
    try folder.link("routes/more.yaml", to: "../common/more.yaml")
    var watching = Watching(files())
    try folder.write("common/more.yaml", "# 1")
    await watching.next()
    try FileManager.default.removeItem(atPath: folder.path("common/more.yaml"))
    await watching.next()
    try folder.write("routes/main.yaml", "# 22")
    await watching.next()
    try FileManager.default.removeItem(atPath: folder.path("routes/more.yaml"))
    await watching.next()
  }

  @Test func whatIsNoRouteFileChangesNothing() throws {
    try folder.write("routes/main.yaml", "# 1")
    let files = files()
    let before = files.fingerprint
    for name in ["notes.txt", ".main.yaml.swp", "4913", "main.yaml~", "examples/x.yaml", ".hidden/y.yaml"] {
      try folder.write("routes/\(name)", "x")
    }
    #expect(files.fingerprint == before)
    try folder.write("routes/sub/x.yml", "# 1")
    #expect(files.fingerprint != before)
  }

  @Test func filesComeToRest() {
    let start = ContinuousClock.now
    func news(_ begun: Set<String> = [], done: Set<String> = []) -> FolderWatch.News {
      FolderWatch.News(isChange: true, begun: begun, done: done)
    }
    var settling = Settling()
    #expect(!settling.isDue(at: start + .seconds(100)))
    settling.hear(news(), at: start)
    #expect(!settling.isDue(at: start + .milliseconds(200)))
    #expect(settling.isDue(at: start + .milliseconds(250)))
    // Changes that never stop.
    for step in 1...20 { settling.hear(news(), at: start + .milliseconds(100 * step)) }
    #expect(settling.isDue(at: start + .seconds(2)))
    // A file that is being written.
    settling = Settling()
    settling.hear(news(["a.yaml"]), at: start)
    #expect(!settling.isDue(at: start + .seconds(9)))
    #expect(settling.isDue(at: start + .seconds(10)))
    settling.hear(news(done: ["a.yaml"]), at: start + .seconds(1))
    #expect(settling.isDue(at: start + .milliseconds(1250)))
  }

  @Test func moreNewsThanTheSystemKeepsIsNoticed() throws {
    let limit = try #require(
      Int(
        String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
          .trimmingCharacters(in: .whitespacesAndNewlines)))
    try #require(limit <= 1 << 20, "this would take too long")
    try folder.write("routes/a.yaml", "# 1")
    try folder.write("routes/b.yaml", "# 1")
    let watch = try #require(FolderWatch())
    #expect(watch.watch([folder.path("routes"): .all]))
    // Two names in turns: the system counts equal news that follow each other once.
    let names = [folder.path("routes/a.yaml"), folder.path("routes/b.yaml")]
    for number in 0...limit { chmod(names[number & 1], 0o600) }
    var news: [FolderWatch.News] = []
    repeat { news.append(watch.wait(milliseconds: 0)) } while news.last?.isChange == true
    #expect(news.contains { $0.isIncomplete })
    // It goes on after that.
    try folder.write("routes/c.yaml", "# 1")
    let next = watch.wait(milliseconds: 1000)
    #expect(next.isChange && !next.isIncomplete && next.done == ["c.yaml"])
  }

  @Test(.timeLimit(.minutes(1))) func aChangeAmongLostNewsIsFound() async throws {
    try folder.write("routes/main.yaml", "# 1")
    try folder.write("routes/noise", "")
    try folder.write("routes/other", "")
    var watching = Watching(files())
    let names = [folder.path("routes/noise"), folder.path("routes/other")]
    for number in 0...40_000 { chmod(names[number & 1], 0o600) }
    try folder.write("routes/main.yaml", "# 22")
    await watching.next()
    #expect(watching.files.fingerprint == watching.known.withLock { $0 })
  }

  @Test func theWayToAFileLeadsOverItsLinks() throws {
    try folder.write("real/deep/file", "x")
    try folder.link("link", to: "real")
    let way = WatchedFiles.way(to: folder.path("link/deep/file"))
    #expect(way.map(\.name) == ["link", "file"])
    #expect(way.last?.folder == folder.path("real/deep"))
    #expect(WatchedFiles.way(to: folder.path("not/there")).map(\.name) == ["not"])
    try folder.link("circle", to: "circle")
    #expect(WatchedFiles.way(to: folder.path("circle/x")).count < 50)
  }
}

extension Workplace {
  fileprivate func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
  }

  fileprivate func move(_ name: String, to new: String) { rename(path(name), path(new)) }
}
