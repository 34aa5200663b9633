import FoundationEssentials
import Testing

@testable import RouterCore

/// A case of `Cases/broken.yaml`.
struct BrokenTable: Decodable, Sendable, CustomTestStringConvertible {
  var name: String
  var table: String?
  var files: [String: String]?
  var says: [String]
  /// How many complaints there are, where nothing else may be said.
  var count: Int?
  /// `accepts`: the JSON Schema cannot see what is wrong.
  var schema: String?

  var testDescription: String { name }
  var content: [(String, String)] {
    files.map { $0.sorted { $0.key < $1.key } } ?? [("routes/main.yaml", table ?? "")]
  }

  static func all() throws -> [BrokenTable] {
    let path = Repository.path("Tests/RouterCoreTests/Routing/Cases/broken.yaml")
    let data = try #require(FileManager.default.contents(atPath: path))
    return try YAMLDecoder.decode(
      [BrokenTable].self, from: try #require(try YAML.parse([UInt8](data), file: path)))
  }
}

/// The tree that is tested.
enum Repository {
  static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(
    separator: "/")
  static func path(_ relative: String) -> String { root + "/" + relative }
}

@Suite struct BrokenTableTests {
  @Test(arguments: try BrokenTable.all())
  func whatIsWrongIsSaidSoThatOneCanMendIt(table: BrokenTable) {
    switch RouteTableLoader.load(Fixture.source(table.content)) {
    case .success: Issue.record("\(table.name): it loads")
    case .failure(let problems):
      for text in table.says {
        #expect(problems.rendered.contains(text), "\(table.name): wanted \(text)\n\(problems.rendered)")
      }
      if let count = table.count { #expect(problems.all.count == count, "\(problems.rendered)") }
      // An error without a place helps nobody.
      #expect(problems.all.allSatisfy { $0.location != nil })
    }
  }
}
