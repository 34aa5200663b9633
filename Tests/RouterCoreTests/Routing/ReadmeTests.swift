import FoundationEssentials
import Testing

@testable import RouterCore

/// The reference of the language is right: its blocks are one table that loads and passes its tests, and no key of the
/// schema is missing from it.
@Suite struct ReadmeTests {
  static func text() throws -> String {
    let data = try #require(FileManager.default.contents(atPath: Repository.path("routes/README.md")))
    return String(decoding: data, as: UTF8.self)
  }

  /// The YAML blocks, each as a file in which lines have the numbers that they have on the page.
  static func blocks() throws -> [(String, String)] {
    var blocks: [(String, String)] = []
    var open: String?
    for (number, line) in try text().split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line == "```yaml" {
        open = String(repeating: "\n", count: number + 1)
      } else if line == "```", let block = open {
        blocks.append(("routes/README.md#\(blocks.count + 1)", block))
        open = nil
      } else if open != nil {
        open? += line + "\n"
      }
    }
    return blocks
  }

  static let environment = [
    "CLOUD_API_KEY": "k", "HOOK_SECRET": "h", "SHOP_TOKEN": "t", "CARRIER_PASSWORD": "p",
  ]
  static let files = ["/run/secrets/pbx": "s\n", "lists/vip.txt": "+447700900123\n"]

  @Test func theBlocksAreOneTable() throws {
    let blocks = try Self.blocks()
    #expect(blocks.count > 10)
    switch RouteTableLoader.load(Fixture.source(blocks, lists: Self.files, environment: Self.environment)) {
    case .failure(let problems): Issue.record("\(problems.rendered)")
    case .success(let snapshot):
      #expect(snapshot.runTests().count > 12)
      let lint = snapshot.lint(now: Date(timeIntervalSince1970: 1_767_787_200))
      let rest = lint.all.filter { !$0.message.contains("routerd does not register accounts yet") }
      #expect(rest.isEmpty, "\(lint.rendered)")
    }
  }

  @Test func everyKeyOfTheLanguageIsOnThePage() throws {
    let text = try Self.text()
    var missing: [String] = []
    var seen: Set<String> = []
    func visit(_ object: ObjectShape) {
      guard seen.insert(object.noun).inserted else { return }
      for field in object.fields {
        let isThere =
          text.contains("`\(field.name)`") || text.contains("\(field.name):")
          || text.contains("### \(field.name)")
        if !isThere, !text.contains("\(field.name),") && !text.contains(", \(field.name)\n") {
          missing.append("\(field.name) of \(object.noun)")
        }
        visit(field.shape)
      }
    }
    func visit(_ shape: Shape) {
      switch shape {
      case .object(let object), .patch(let object), .short(_, let object), .shortOrMany(_, let object):
        visit(object)
      case .list(let inner), .oneOrMany(let inner), .named(let inner): visit(inner)
      default: break
      }
    }
    visit(RouteSchema.file)
    #expect(missing.isEmpty, "\(missing)")
  }
}
