import FoundationEssentials
import RouterCore
import Testing

@testable import routerd

/// What plugins say that they read, and what their pages say.
@Suite struct ProviderKeyPagesTests {
  private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    .joined(separator: "/")

  /// Of each page of the folder: its name and text.
  private static func pages() throws -> [(name: String, text: String)] {
    let folder = root + "/Sources/Plugins"
    var pages = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
      (name: "\($0)/README.md", path: "\(folder)/\($0)/README.md")
    }
    pages.append(("routes/README.md", root + "/routes/README.md"))
    return try pages.map { name, path in
      let data = try #require(FileManager.default.contents(atPath: path), "\(path)")
      return (name, String(decoding: data, as: UTF8.self))
    }
  }

  @Test func everyTypeSaysWhatItReads() {
    let types = ProviderTypes.ofPlugins
    for type in types.hearing.union(types.speaking).union(types.conversing).union(types.others) {
      #expect(types.keys[type] != nil, "\(type)")
    }
  }

  @Test func everyKeyIsOnAPage() throws {
    let all = try Self.pages().map(\.text)
    for (type, keys) in ProviderTypes.ofPlugins.keys {
      // The page of the plugin is the one that has an example of the type.
      let pages = all.filter { $0.contains("type: \(type)") && $0.contains("## Name") }
      #expect(keys.isEmpty || !pages.isEmpty, "\(type)")
      for key in keys {
        #expect(pages.contains { $0.contains("`\(key.name)`") }, "\(key.name) of \(type)")
      }
    }
  }

  /// No example on a page has a key that its plugin does not read, or a value that it cannot.
  @Test func examplesAreReadWhole() throws {
    var count = 0
    for (name, text) in try Self.pages() {
      var files: [RouteSource.File] = []
      for (number, part) in text.split(separator: "```yaml\n").dropFirst().enumerated() {
        let block = part.prefix(upTo: part.firstRange(of: "\n```")?.lowerBound ?? part.endIndex)
        guard block.contains("type: ") else { continue }
        files.append(.init("\(name)-\(number).yaml", String(block)))
      }
      guard !files.isEmpty else { continue }
      count += 1
      let source = RouteSource(files: files, environment: { _ in "value" })
      guard case .failure(let faults) = RouteTableLoader.load(source, types: .ofPlugins) else { continue }
      // Examples may leave out what is elsewhere on the page; what stands in them is right.
      let wrong = faults.all.filter {
        $0.message.contains("a provider of type") || $0.message.contains("wants")
      }
      #expect(wrong.isEmpty, "\(name): \(faults.rendered)")
    }
    #expect(count > 8)
  }

  /// The slip that would send an account's key to another host.
  @Test func aBaseURLOfAnotherNameIsNoBaseURL() throws {
    let table = """
      providers: {local: {type: openai-chat, url: "http://127.0.0.1:8080/v1", model: any}}
      agents: {a: {provider: local}}
      routes: [{agent: a}]
      """
    let source = RouteSource(files: [.init("main.yaml", table)])
    guard case .failure(let faults) = RouteTableLoader.load(source, types: .ofPlugins) else {
      Issue.record("it loads")
      return
    }
    #expect(faults.rendered.contains("main.yaml:1:40"), "\(faults.rendered)")
    #expect(faults.rendered.contains("did you mean 'baseURL'?"))
  }
}
