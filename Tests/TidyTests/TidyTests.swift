import Foundation
import Testing

/// Architecture and style of this repository.
@Suite struct TidyTests {
  private func expectNone(_ violations: [Violation]) {
    for violation in violations { Issue.record("\(violation)") }
  }

  private func sources() throws -> [SourceFile] { try Repository.files(["Sources"], [".swift"]) }

  private func manifest() throws -> [String: [String]] {
    PluginRules.manifest(try #require(try Repository.file("Package.swift")).text)
  }

  @Test func thereIsSomethingToTest() throws {
    #expect(try sources().count > 20)
    #expect(try manifest().count >= 5)
  }

  @Test func importsKeepToTheArrows() throws {
    let files = try sources()
    expectNone(ImportRules.libreStaysInItsFolder(files))
    expectNone(ImportRules.oneFileForEachLibrary(files))
    expectNone(ImportRules.noFoundation(files))
    expectNone(ImportRules.pluginsStandAlone(files, plugins: try manifest()))
    expectNone(ImportRules.coreKnowsNoPlugin(files))
  }

  @Test func foldersOfTheCoreKeepToTheArrows() throws {
    expectNone(FolderRules.arrowsHold(try sources()))
  }

  @Test func noVendorInCore() throws {
    expectNone(ImportRules.noVendorInCore(try sources()))
  }

  @Test func filesAndFunctionsAreShort() throws {
    for file in try Repository.swift() {
      expectNone(TextRules.fileSize(file))
      expectNone(TextRules.functionSize(file))
    }
    for file in try Repository.files(["Sources"], [".c", ".h"]) { expectNone(TextRules.fileSize(file)) }
  }

  @Test func nothingIsUnfinished() throws {
    let files = try Repository.files(
      ["Sources", "Tests", "scripts", "docs", "routes", "dist"],
      [".swift", ".c", ".h", ".md", ".yaml", ".sh", ".xml", ".service"])
    for file in files {
      expectNone(TextRules.noUnfinishedWork(file))
      expectNone(TextRules.noMachinePaths(file))
    }
  }

  @Test func swallowedErrorsAreExplained() throws {
    for file in try sources() { expectNone(TextRules.swallowedErrorsAreExplained(file)) }
  }

  @Test func nothingIsUnwrappedByForce() throws {
    for file in try sources() { expectNone(TextRules.noForcedUnwrap(file)) }
  }

  @Test func pluginsAreRegisteredEverywhere() throws {
    let list = try #require(try Repository.file("Sources/routerd/PluginList.swift"))
    expectNone(
      PluginRules.registered(
        folders: try Repository.folders("Sources/Plugins"), manifest: Set(try manifest().keys),
        list: PluginRules.list(list.text),
        table: try Repository.file("README.md").map { PluginRules.table($0.text) }))
  }

  @Test func pluginsAreDocumented() throws {
    for plugin in try Repository.folders("Sources/Plugins") {
      let path = "Sources/Plugins/\(plugin)/README.md"
      guard let readme = try Repository.file(path) else {
        Issue.record("\(path) is missing")
        continue
      }
      expectNone(PluginRules.readme(readme, plugin: plugin))
    }
  }

  @Test func formattingIsClean() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["swift", "format", "lint", "--strict", "-r", "Sources", "Tests", "Package.swift"]
    process.currentDirectoryURL = Repository.root
    let output = Pipe()
    process.standardError = output
    try process.run()
    let complaints = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: complaints, as: UTF8.self))")
  }
}
