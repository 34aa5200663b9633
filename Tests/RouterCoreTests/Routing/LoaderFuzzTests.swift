import FoundationEssentials
import Testing

@testable import RouterCore

/// Whatever stands in a file, loading it ends with a table or with errors that have a place.
@Suite struct LoaderFuzzTests {
  private static let seeds: [[UInt8]] = {
    var paths = ["routes/main.yaml", "Tests/RouterCoreTests/Routing/Cases/broken.yaml"]
    paths += ExampleTableTests.examples.map { "routes/examples/\($0)" }
    var texts = paths.compactMap {
      FileManager.default.contents(atPath: Repository.path($0)).map { [UInt8]($0) }
    }
    texts += ((try? ReadmeTests.blocks()) ?? []).map { Array($0.1.drop { $0 == "\n" }.utf8) }  // or fewer
    return texts
  }()

  private static let words = [
    "{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "&a ", "*a", "!", "\"", "'", "|", ">", "#", "%", "@",
    "\t", "~", "null", "<<: ",
    "-1", "1e999", "99999999999999999999", "+44", "/(/", "/a{9}/", "${env:X}", "${", "*", "?", "routes:",
    "match:", "to:", "from:", "not:", "agent: a",
    "\u{FEFF}", "é", "\u{0}", "2026-99-99", "mon-fri", "24:00", "split:", "limit:", "[[[[[[[[", "---\n",
  ].map { Array($0.utf8) }

  private func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let at = Int.random(in: 0...bytes.count, using: &random)
      let end = min(bytes.count, at + Int.random(in: 0...12, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.removeSubrange(at..<end)
      case 1: bytes.insert(contentsOf: Self.words.randomElement(using: &random) ?? [], at: at)
      case 2: bytes.replaceSubrange(at..<end, with: Self.words.randomElement(using: &random) ?? [])
      case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
      default: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
      }
    }
    return bytes
  }

  @Test(arguments: 0..<16)
  func nothingThatIsWrittenCrashesIt(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed) &* 7919)
    for _ in 0..<60 {
      guard let text = Self.seeds.randomElement(using: &random) else { return }
      let source = RouteSource(
        root: "f", files: [.init(path: "f/x.yaml", bytes: mutate(text, &random))],
        read: { _ in Array("+447700900123\n0200\n".utf8) }, environment: { _ in "v" })
      switch RouteTableLoader.load(source) {
      case .failure(let problems):
        #expect(!problems.isEmpty && problems.all.count <= DiagnosticList.maximum)
        #expect(problems.all.allSatisfy { $0.location != nil && !$0.message.isEmpty })
        #expect(!problems.rendered.isEmpty)
      case .success(let snapshot):
        _ = snapshot.lint()
        for to in ["+442079460001", "0200", "", "sales", "020 7946 0001"] {
          let decision = snapshot.resolve(Fixture.call(to: to, from: "anonymous"))
          #expect(!decision.targets.isEmpty)
          #expect(Explanation(decision.trace.value) != nil)
        }
        #expect(RouteDiff(from: snapshot, to: snapshot).isEmpty)
      }
    }
  }

  /// Calls come from strangers.
  @Test func noCallCrashesIt() throws {
    let snapshot = try Fixture.snapshot(
      """
      numbering: {region: GB}
      agents: {a: {}}
      schedules: {s: {timezone: Europe/London, open: mon-fri 09:00-17:30}}
      routes:
        - {match: {to: [/^(a|b)*c/, "+44?*", "0?"], schedule: s, language: en, header: {X: "*y*"}}, agent: a}
        - {match: {sourceAddress: 10.0.0.0/8, diversion: "+44*"}, agent: a}
      """)
    var random = SeededRandom(seed: 99)
    let pieces = [
      "+", "44", "0", "00", "tel:", ";phone-context=", "%2B", "é", "\u{0}", " ", "@", ":", "?", "*",
      "anonymous", "12345678901234567890",
    ]
    for _ in 0..<2000 {
      func text() -> String {
        (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
          .joined()
      }
      var call = Fixture.call(to: text(), from: text(), at: Double.random(in: -1e18...1e18, using: &random))
      call.diversion = [Party(user: text())]
      call.headers = [Header(text(), text())]
      call.sourceAddress = SocketAddress(ip: text(), port: 0)
      call.language = text()
      #expect(!snapshot.resolve(call).targets.isEmpty)
      #expect(!snapshot.explain(call).lines.isEmpty)
    }
    _ = snapshot.resolve(Fixture.call(to: String(repeating: "a", count: 1 << 20), at: .infinity))
    _ = snapshot.resolve(Fixture.call(to: String(repeating: "1", count: 1 << 20), at: .nan))
  }
}
