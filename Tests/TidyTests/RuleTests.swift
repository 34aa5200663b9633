import Testing

/// Shows each rule failing on a bad sample, and holding its peace on a good one.
@Suite struct RuleTests {
  private func file(_ path: String, _ text: String) -> SourceFile { SourceFile(path: path, text: text) }

  @Test func maskingLeavesCodeOnly() {
    let cases: [(String, String)] = [
      ("let a = 1 // b", "let a = 1     "),
      ("a /* b /* c */ d */ e", "a                   e"),
      (#"f("a{b") {"#, #"f("   ") {"#),
      (#"f("\(g("x)")) y") {"#, #"f("            ") {"#),
      (##"f(#"a"b"#) {"##, ##"f(#"   "#) {"##),
      ("f(\"\"\"\n a { \"q\" b\n \"\"\") }", "f(\"\"\"\n          \n \"\"\") }"),
      (#"f("\"{") }"#, #"f("   ") }"#),
    ]
    for (text, expected) in cases { #expect(maskedSwift(text) == expected, "\(text)") }
  }

  @Test func importsAreFoundInAnyForm() {
    let text = """
      import A
      public import B
      @testable import C
      internal import struct D.E
      // import F
      let important = "import G"
      """
    #expect(file("a", text).imports.map(\.module) == ["A", "B", "C", "D.E"])
  }

  @Test func libreOutsideItsFolder() {
    let bad = file("Sources/Plugins/SIPChannel/A.swift", "internal import CLibre\n")
    let good = file("Sources/RouterCore/Libre/A.swift", "internal import CLibre\n")
    #expect(ImportRules.libreStaysInItsFolder([bad, good]).map(\.path) == [bad.path])
  }

  @Test func libraryInTwoFiles() {
    let first = file("Sources/RouterCore/Support/A.swift", "internal import CYAML\n")
    let second = file("Sources/RouterCore/Support/B.swift", "internal import CYAML\n")
    #expect(ImportRules.oneFileForEachLibrary([first]).isEmpty)
    #expect(ImportRules.oneFileForEachLibrary([first, second]).map(\.path) == [second.path])
    let inside = ["A", "B"].map { file("Sources/RouterCore/Libre/\($0).swift", "import CCurl\n") }
    #expect(ImportRules.oneFileForEachLibrary(inside).isEmpty)
  }

  @Test func foundation() {
    #expect(ImportRules.noFoundation([file("Sources/a.swift", "import FoundationEssentials")]).isEmpty)
    #expect(ImportRules.noFoundation([file("Sources/a.swift", "internal import Foundation")]).count == 1)
  }

  @Test func pluginThatKnowsAnother() {
    let bad = file("Sources/Plugins/A/A.swift", "import RouterCore\nimport B\nimport CSQLite\n")
    #expect(ImportRules.pluginsStandAlone([bad], plugins: ["A": ["CSQLite"], "B": []]).map(\.line) == [2])
    #expect(ImportRules.pluginsStandAlone([bad], plugins: ["A": []]).map(\.line) == [2, 3])
  }

  @Test func coreThatKnowsAPlugin() {
    let bad = file("Sources/RouterCore/Calls/A.swift", "internal import SIPChannel\nimport Glibc\n")
    #expect(ImportRules.coreKnowsNoPlugin([bad]).map(\.line) == [1])
  }

  @Test func arrowTheWrongWay() {
    let model = file("Sources/RouterCore/Model/A.swift", "public struct Number {\n  enum Kind {}\n}\n")
    let calls = file(
      "Sources/RouterCore/Calls/B.swift", "final class Engine {\n  var a: Number\n  let k: Kind\n}\n")
    let bad = file("Sources/RouterCore/Model/C.swift", "// Engine\nlet a = \"Engine\"\nvar e: Engine?\n")
    #expect(FolderRules.arrowsHold([model, calls]).isEmpty)
    #expect(FolderRules.arrowsHold([model, calls, bad]).map(\.line) == [3])
    #expect(FolderRules.arrowsHold([file("Sources/RouterCore/New/D.swift", "")]).count == 1)
  }

  @Test func vendorInCore() {
    let bad = file("Sources/RouterCore/Calls/A.swift", "let a = 1\nif header == \"X-Twilio-CallSid\" {}\n")
    #expect(ImportRules.noVendorInCore([bad]).map(\.line) == [2])
    #expect(ImportRules.noVendorInCore([file("Sources/Plugins/A/A.swift", "// Twilio")]).isEmpty)
  }

  @Test func longFile() {
    let lines = String(repeating: "let a = 1\n", count: 300)
    #expect(TextRules.fileSize(file("a.swift", lines)).isEmpty)
    #expect(TextRules.fileSize(file("a.swift", lines + "let b = 2\n")).count == 1)
  }

  @Test func longFunction() {
    func function(_ lines: Int) -> String {
      "struct A {\n  public func f<T>(\n    _ a: T = \"{\"\n  ) {\n"
        + String(repeating: "    g { $0 }  // }\n", count: lines - 4) + "  }\n  var b: Int { 1 }\n}\n"
    }
    #expect(
      TextRules.functions(file("a.swift", function(70))) == [.init(name: "f", line: 2, length: 70)])
    #expect(TextRules.functionSize(file("a.swift", function(70))).isEmpty)
    #expect(TextRules.functionSize(file("a.swift", function(71))).map(\.line) == [2])
    let requirements = "protocol P {\n  func a()\n  func b()\n}\nextension P {\n  func c() {\n  }\n}\n"
    #expect(TextRules.functions(file("a.swift", requirements)).map(\.name) == ["c"])
  }

  @Test func unfinishedWork() {
    for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X"] {
      #expect(
        TextRules.noUnfinishedWork(file("a.swift", "let a = 1\n// \(word): later\n")).map(\.line) == [2])
    }
    #expect(TextRules.noUnfinishedWork(file("a.swift", "let x = \"aXX" + "Xb\"\n")).isEmpty)
  }

  @Test func swallowedError() {
    #expect(TextRules.swallowedErrorsAreExplained(file("a", "let a = try" + "? f()\n")).count == 1)
    #expect(TextRules.swallowedErrorsAreExplained(file("a", "let a = try" + "? f()  // why\n")).isEmpty)
    #expect(TextRules.swallowedErrorsAreExplained(file("a", "// why\nlet a = try" + "? f()\n")).isEmpty)
    let chain = "if let a = try" + "? f() {  // why\n  g()\n} else if let a = try" + "? h() {\n}\n"
    #expect(TextRules.swallowedErrorsAreExplained(file("a", chain)).isEmpty)
    #expect(
      TextRules.swallowedErrorsAreExplained(file("a", chain.replacing("  // why", with: ""))).count == 2)
  }

  @Test func forcedUnwrap() {
    let bad = ["let a = b!", "a!.c()", "let a = b[0]!", "let a = f()!", "let a = try" + "! f()", "x as! Y"]
    let good = ["if !a {", "a != b", "let a = \"b!\"", "f(!a)", "// b!", "a.map { !$0 }"]
    for line in bad { #expect(TextRules.noForcedUnwrap(file("a.swift", line)).count == 1, "\(line)") }
    for line in good { #expect(TextRules.noForcedUnwrap(file("a.swift", line)).isEmpty, "\(line)") }
    #expect(TextRules.noForcedUnwrap(file("Sources/RouterCore/Libre/a.swift", "a!")).isEmpty)
    #expect(TextRules.noForcedUnwrap(file("a.swift", "import CSQLite\nlet a = b!")).isEmpty)
  }

  @Test func machinePath() {
    #expect(TextRules.noMachinePaths(file("a.md", "see /wo" + "rk/main\n")).count == 1)
  }

  @Test func manifestIsRead() {
    let package = """
      let plugins: [(name: String, c: [Target.Dependency])] = [
        ("A", []),
        ("B", ["CFlite", "CPocketSphinx"]),
      ]
      let others = [
        ("C", []),
      ]
      """
    #expect(PluginRules.manifest(package) == ["A": [], "B": ["CFlite", "CPocketSphinx"]])
  }

  @Test func forgottenRegistration() {
    #expect(PluginRules.list("  .channel(A.self),\n  .voiceModel(B()),\n  let c = D.self\n") == ["A", "B"])
    #expect(PluginRules.table("| plugin |\n| [A](Sources/Plugins/A) | done |\n") == ["A"])
    let violations = PluginRules.registered(
      folders: ["A", "B"], manifest: ["A"], list: ["A", "B", "C"], table: ["B"])
    #expect(
      violations.map(\.description) == [
        "Package.swift: Sources/Plugins/B is missing here",
        "Sources/routerd/PluginList.swift: C has no folder in Sources/Plugins",
        "README.md: Sources/Plugins/A is missing here",
      ])
  }

  @Test func readmeWithoutHeadings() {
    let good = "# A\n\n## Name\n\n## What it does\n\n## Configuration\n\n## Example\n"
    #expect(PluginRules.readme(file("README.md", good), plugin: "A").isEmpty)
    #expect(PluginRules.readme(file("README.md", good), plugin: "B").count == 1)
    #expect(PluginRules.readme(file("README.md", "# A\n"), plugin: "A").count == 4)
  }
}
