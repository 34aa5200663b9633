import FoundationEssentials
import Testing

@testable import RouterCore

/// Every table that we hand out loads, passes its own tests, and has nothing to be warned of.
@Suite struct ExampleTableTests {
  static let examples: [String] = {
    let folder = Repository.path("routes/examples")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []  // empty: a test fails
    return names.filter { $0.hasSuffix(".yaml") }.sorted()
  }()

  static func load(_ path: String) throws -> RouteSnapshot {
    do throws(DiagnosticList) {
      var source = try RouteSource.directory(Repository.path(path))
      source.environment = { ["DENVER_PASSWORD": "not a secret"][$0] }
      return try RouteTableLoader.load(source).get()
    } catch {
      Issue.record("\(error.rendered)")
      throw error
    }
  }

  @Test func allExamplesAreThere() { #expect(Self.examples.count >= 9) }

  @Test(arguments: examples)
  func anExampleLoadsAndPassesItsTests(name: String) throws {
    let snapshot = try Self.load("routes/examples/\(name)")
    #expect(snapshot.runTests().count > 1)
    #expect(snapshot.warnings.isEmpty, "\(snapshot.warnings.rendered)")
    let lint = snapshot.lint(now: Date(timeIntervalSince1970: 1_767_787_200))
    #expect(lint.isEmpty, "\(lint.rendered)")
  }

  @Test func theDemonstrationTableHasNothingToBeWarnedOf() throws {
    let snapshot = try Self.load("routes")
    #expect(snapshot.files.count == 1, "the examples are not part of it")
    #expect(snapshot.warnings.isEmpty && snapshot.lint().isEmpty, "\(snapshot.warnings.rendered)")
    #expect(snapshot.runTests().count == 4)
  }
}
