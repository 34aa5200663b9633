import RouterCore
import Testing

@Suite struct YAMLTests {
  private func parse(_ text: String, _ limits: YAML.Limits = .init()) throws -> YAMLNode {
    try #require(try YAML.parse(text, file: "t.yaml", limits: limits))
  }

  private func failure(_ text: String, _ limits: YAML.Limits = .init()) -> String {
    do {
      _ = try YAML.parse(text, file: "t.yaml", limits: limits)
      return "no error"
    } catch {
      return error.rendered
    }
  }

  @Test func everyNodeKnowsItsPlaceAndItsText() throws {
    let root = try parse("a: +15551230001\nb:\n  - 'x'\n  - é: {c: 0200}\n")
    #expect(root.kind == .mapping)
    #expect(root["a"]?.text == "+15551230001")
    #expect(root["b"]?.elements[0].isPlain == false)
    let c = try #require(root["b"]?.elements[1]["é"]?["c"])
    #expect(c.text == "0200")
    #expect(c.location == SourceLocation(file: "t.yaml", line: 4, column: 12))
    #expect(root["nothing"] == nil)
    #expect(root.pairs.map { $0.key.text } == ["a", "b"])
  }

  @Test(arguments: [
    ("12", JSONValue.integer(12)), ("-3", -3), ("1.5", 1.5), ("1e3", 1000.0), ("true", true), ("null", nil),
    ("~", nil), ("0200", "0200"), ("+1555", "+1555"), ("no", "no"), ("1_000", "1_000"), (".5", ".5"),
    ("'12'", "12"),
    ("\"true\"", "true"), ("0x10", "0x10"), ("[1, {a: b}]", JSONValue.array([1, ["a": "b"]])),
    ("99999999999999999999", 1e20),
    ("1e999", "1e999"),
  ])
  func scalarsWithoutATypeAreReadAsJSONWouldSpellThem(text: String, expected: JSONValue) throws {
    #expect(try parse("v: " + text)["v"]?.json == expected)
  }

  @Test func aliasesAreFollowed() throws {
    let root = try parse("a: &x {k: v}\nb: *x\nc: [*x, *x]")
    #expect(root["b"]?["k"]?.text == "v")
    #expect(root["c"]?.json == [["k": "v"], ["k": "v"]])
    #expect(root["b"]?.location.line == 1)
  }

  @Test func anEmptyFileIsNothing() throws {
    #expect(try YAML.parse("", file: "t.yaml") == nil)
    #expect(try YAML.parse("# only words\n", file: "t.yaml") == nil)
  }

  @Test(arguments: [
    ("a: 1\nb: 2\na: 3", "t.yaml:3:1: error: duplicate key 'a'"),
    ("a: 1\nb: 2\na: 3", "note: t.yaml:1:1: first written here"),
    (
      (0..<20).map { "k\($0): 1\n" }.joined() + "k7: 2", "t.yaml:21:1: error: duplicate key 'k7'"
    ),
    ("a: 1\n\tb: 2", "error: a tab cannot be used for indentation"),
    ("a:\n\t- b", "error: a tab cannot be used for indentation"),
    ("a: *nope", "t.yaml:1:4: error: nothing is called &nope above"),
    ("to: *", "a value cannot begin with *"),
    ("a: &x [*x]", "*x stands inside of what it stands for"),
    ("a: b: c", "a ':' with a space after it cannot stand here"),
    ("a: [1, 2", "a ',' or ']' is missing"),
    ("a: {b: 1", "a ',' or '}' is missing"),
    ("a: 'b", "the file ends inside of a quoted text"),
    ("a: @b", "a value cannot begin with '@'"),
    ("a: !foo b", "t.yaml:1:4: error: the tag !foo is not understood"),
    ("a: !!int 3", "the tag !!int is not understood"),
    ("a: 1\n---\nb: 2", "t.yaml:2:1: error: a second document begins here"),
    ("{a: 1}: b", "a key must be text"),
    ("a: &x 1\n*x : b", "a key cannot be an alias"),
    ("<<: {a: 1}", "merge keys (<<) are not understood"),
    ("a: \u{0}", "not plain UTF-8 text"),
    ("- a\nb: c", "error: a '-' was expected here"),
  ])
  func whatIsRefusedIsSaidInWords(text: String, expected: String) {
    #expect(failure(text).contains(expected), "\(failure(text))")
  }

  @Test func theLineIsShownWithACaret() {
    #expect(
      failure("agents:\n  a: 1\n  aa: 2\n  aa: 3") == """
        t.yaml:4:3: error: duplicate key 'aa'
          4 |   aa: 3
            |   ^^
          hint: keep one of them
          note: t.yaml:3:3: first written here
        """)
  }

  @Test func bombsAreRefused() {
    var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in 1...12 {
      laughs += "a\(i): &a\(i) [" + Array(repeating: "*a\(i - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    #expect(failure(laughs).contains("aliases unfold to more than"))
    #expect(failure(String(repeating: "[", count: 100_000)).contains("more than 64 levels deep"))
    var tower = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n"
    for i in 1...8 { tower += "a\(i): &a\(i) [[[[[[[[[*a\(i - 1)]]]]]]]]]\n" }
    #expect(failure(tower).contains("levels deep, with *a"))
    var small = YAML.Limits()
    small.size = 10
    #expect(failure("a: 12345678", small).contains("the file has 11 bytes, more than 10"))
  }

  @Test func manyErrorsComeAtOnceButNotMoreThanAPersonReads() {
    let text = (0..<80).map { "k\($0): {a: 1, a: 2}\n" }.joined()
    do {
      _ = try YAML.parse(text, file: "t.yaml")
      Issue.record("no error")
    } catch {
      #expect(error.all.count == DiagnosticList.maximum)
    }
  }

  @Test func longLinesAreCutAroundTheMark() {
    let text = "a: [" + String(repeating: "x, ", count: 200) + "{b: 1, b: 2}]"
    let lines = failure(text).split(separator: "\n").map(String.init)
    #expect(lines[1].count <= 130)
    let caret = lines[2].distance(
      from: lines[2].startIndex, to: lines[2].firstIndex(of: "^") ?? lines[2].startIndex)
    let marked = lines[1][lines[1].index(lines[1].startIndex, offsetBy: caret)...]
    #expect(marked.hasPrefix("b: 2"))
  }
}
