import Foundation
import Testing

@testable import RouterCore

/// What the quick scan reads, libyaml reads in the same way.
@Suite struct YAMLQuickScanTests {
  /// A node as both must see it.
  private struct Node: Equatable, CustomStringConvertible {
    var kind: YAMLEntry.Kind
    var line: UInt32
    var column: Int
    var text: String
    var end: UInt32
    var count: UInt32

    init(_ entry: YAMLEntry, _ text: [UInt8]) {
      let isScalar = entry.kind == .plain || entry.kind == .quoted
      (kind, line, column) = (entry.kind, entry.line, entry.column)
      self.text =
        isScalar ? String(decoding: text[Int(entry.a)..<Int(entry.a) + Int(entry.b)], as: UTF8.self) : ""
      (end, count) = isScalar ? (0, 0) : (entry.a, entry.b)
    }

    var description: String { "\(kind) \(line):\(column) '\(text)' \(end) \(count)" }
  }

  /// Whether the quick scan took it; what it made of it is compared.
  @discardableResult
  private func compare(_ source: [UInt8], sourceLocation: Testing.SourceLocation = #_sourceLocation) -> Bool {
    guard let quick = YAMLQuickScan.entries(of: source) else { return false }
    var composer = YAMLComposer(file: "x", source: source, limits: .init())
    var faults = DiagnosticList()
    let text = String(decoding: source, as: UTF8.self)
    do {
      guard let root = try composer.compose(&faults), faults.isEmpty else {
        Issue.record("libyaml finds nothing in \(text)", sourceLocation: sourceLocation)
        return true
      }
      let nodes = root.document.entries.map { Node($0, root.document.text) }
      #expect(quick.map { Node($0, source) } == nodes, "\(text)", sourceLocation: sourceLocation)
    } catch {
      Issue.record("libyaml says \(error.rendered) of\n\(text)", sourceLocation: sourceLocation)
    }
    return true
  }

  @Test(arguments: [
    "a: 1", "a: 1\n", "a:\n", "a:", "# c\n\na: 1  # d\n\n", "a:\n  b: x y z  \n  c: \"q # r\"\nd: 'e'\n",
    "- a\n- b: c\n  d: e\n-   f\n", "a:\n- b\n- c: d\n  e:\n  - f\ng: h\n",
    "a:\n    - b\n    - {c: d, e: [f, {g: h}]}\n",
    "a: {}\nb: []\nc: {d: {}, e: [ ]}\n",
    "routes:\n  - {name: n0, match: {to: \"+15550000000\"}, agent: echo}\n",
    "a: sip:x@y\nb: ${env:NAME}\nc: mon-fri 09:00-17:30\n", "\"a b\": c\n'd': e\n",
    "a: ~\nb: null\nc: true\nd: 0.5",
    "a:   # nothing\nb: 1\n", "a:\n  # comment\n  b: 1\n # another\n  c: 2\n", "a: b#c\n", "a key: x\n",
    "a: [b, c]   # d\n",
  ])
  func plainFiles(text: String) {
    let isTaken = compare(Array(text.utf8))
    #expect(isTaken || text.contains("#c"), "given up: \(text)")
  }

  @Test(arguments: [
    "", "a", "- a\nb: c", "a: b\n  c: d", "a: b\n c", "a:\n    b: 1\n  c: 2\n", "a: {b: c\n", "a: {b: c} d\n",
    "a: \"b\" c\n",
    "a: *b\n", "a: &b c\n", "a: !t b\n", "a: |\n  b\n", "a: >\n b\n", "? a\n: b\n", "---\na: b\n",
    "a: b\n...\n", "a:\tb\n",
    "a: 1\na: 2\n", "{a: b}\n", "[a]\n", "a: b: c\n", "a: 'b''c'\n", "a: \"b\\n\"\n", "- - a\n", "-\n  a\n",
    "a: - b\n", "a: @b\n",
    "a: {b, c}\n", "a: {b: }\n", "a: [b: c]\n", "a: [b,]\n", "a: ä\n", "a: b\r\nc: d\r\n", "<<: a\n",
    "a: {<<: b}\n", "a: `b\n",
    "a: %b\n", "a: b\n- c\n", "a:\n  - b\n c: d\n", "a:\n  - b\n  c: d\n", " a: b\n", "a:\n  b\n",
    "a: \"b\n  c\"\n", "a: b,\n",
    "a: {b: c,\n  d: e}\n", "a: #b\n", "a:b\n", "a : b\n", "a: b :\n", "...: a\n", "... a: b\n", "a: -b\n",
    "a: - \n", "a: ?\n",
    "{a: b}: c\n", "a: ]\n", "a: }\n", "\u{FEFF}a: b\n", "a: \u{7}\n", "a\n: b\n", "\"a\\\": b\"\n",
    "- \"a\\\": b\"\n",
  ])
  func whatIsTakenIsTakenAsLibyamlDoes(text: String) { compare(Array(text.utf8)) }

  @Test func ourOwnFilesAndTheirMutations() throws {
    var files: [[UInt8]] = []
    let folder = Repository.path("routes")
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name.hasSuffix(".yaml") {
      files.append([UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))))
    }
    try #require(files.count > 5)
    var taken = files.filter { compare($0) }.count
    let signs = Array("\n\n  :-{}[],#\"'|>&*!?%@ab1~".utf8)
    var random = SeededRandom(seed: 7)
    for round in 0..<60_000 {
      var file = files[round % files.count]
      // A piece of a file, so that a mutation is likely to matter.
      let start = Int.random(in: 0..<max(1, file.count - 300), using: &random)
      file = Array(file[start..<min(file.count, start + Int.random(in: 20...300, using: &random))])
      if let line = file.firstIndex(of: 10), Bool.random(using: &random) { file.removeFirst(line + 1) }
      for _ in 0..<Int.random(in: 0...3, using: &random) where !file.isEmpty {
        let at = Int.random(in: 0..<file.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: file.remove(at: at)
        case 1: file.insert(signs.randomElement(using: &random) ?? 32, at: at)
        default: file[at] = signs.randomElement(using: &random) ?? 32
        }
      }
      if compare(file) { taken += 1 }
    }
    #expect(taken > 2000)
  }
}
