import Testing

@testable import RouterCore

@Suite struct LinearExpressionTests {
  @Test(arguments: [
    ("/abc/", "xabcx", true), ("/abc/", "ab", false), ("/^abc$/", "abc", true), ("/^abc$/", "abcd", false),
    ("/^$/", "", true), ("/a|bc|d/", "xbcx", true), ("/^(a|b)+c$/", "ababc", true),
    ("/^(a|b)+c$/", "c", false),
    ("/^a*b/", "aaab", true), ("/^a*b/", "b", true), ("/^a?b$/", "aab", false), ("/^\\d{3}$/", "123", true),
    ("/^\\d{3}$/", "1234", false), ("/^\\d{2,}$/", "1", false), ("/^\\d{2,}$/", "123456", true),
    ("/^\\d{2,3}$/", "1234", false), ("/^\\d{0,2}$/", "", true), ("/^[0-9a-f]+$/", "c0ffee", true),
    ("/^[^0-9]+$/", "abc1", false), ("/^[]a]+$/", "a]", true), ("/^[a-]+$/", "a-a", true),
    ("/^\\+44(20|161)/", "+44161", true),
    ("/^\\+44(20|161)/", "+44113", false), ("/SALES/i", "the sales desk", true), ("/^[a-c]+$/i", "ABC", true),
    ("/^\\w+@\\S+$/", "a_1@x.y", true), ("/^.$/", "é", true), ("/^a.c$/", "a\u{1F600}c", true),
    ("/(?:x|y)z/", "yz", true),
    ("/^(a*)*$/", "aaab", false), ("/^(a|aa)+$/", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false),
    ("/^(?:)$/", "", true), ("/a{0}b/", "b", true), ("/^a+?b/", "aab", true), ("/\\//", "a/b", true),
    ("/a\\.b/", "axb", false),
    ("/^ab?$/", "a", true), ("/^abc|def/", "xdef", true), ("/x^a/", "xa", false), ("/[\\d-]+/", "-", true),
  ])
  func itMatchesAsRegularExpressionsDo(expression: String, text: String, expected: Bool) throws {
    #expect(try LinearExpression(delimited: expression).matches(text) == expected)
  }

  @Test(arguments: [
    ("/abc", "ends with a /"), ("/a(b/", "'(' without ')'"), ("/a)b/", "')' without '('"),
    ("/[a/", "'[' without ']'"),
    ("/*a/", "nothing to repeat before '*'"), ("/a**/", "nothing to repeat"), ("/a{2/", "'{' without '}'"),
    ("/a{3,2}/", "'{3,2}' is no repetition"), ("/a{9999}/", "'{9999}' is no repetition"),
    ("/(a{1000}){1000}/", "unfolds to more than"), ("/\\p/", "'\\p' is not understood"),
    ("/(?=a)/", "'(?=' is not understood"),
    ("/a/x", "'x' behind a regular expression"), ("/\\", "ends with a /"),
    ("/[z-a]/", "a range must go upwards"),
    ("/a\\/", "a \\ at the end"), ("/\\1/", "'\\1' is not understood"),
  ])
  func faultsAreNamed(expression: String, expected: String) {
    do throws(TextFault) {
      _ = try LinearExpression(delimited: expression)
      Issue.record("no fault in \(expression)")
    } catch {
      #expect(error.message.contains(expected), "\(error.message)")
    }
  }

  /// The same answers as a simple backtracking matcher, over random expressions of a few letters.
  @Test func itAgreesWithAnObviousMatcher() throws {
    var random = SeededRandom(seed: 7)
    for _ in 0..<3000 {
      let node = Pattern.random(&random, depth: 3)
      let expression = try LinearExpression("^(?:\(node.text))$")
      let text = String(
        (0..<Int.random(in: 0...5, using: &random)).map { _ in "ab".randomElement(using: &random) ?? "a" })
      #expect(expression.matches(text) == node.matchesAll(Array(text)), "\(node.text) on \(text)")
    }
  }
}

/// A regular expression as a tree, matched the obvious way: all ends that a start can lead to.
private indirect enum Pattern {
  case letter(Character)
  case any
  case sequence(Pattern, Pattern)
  case either(Pattern, Pattern)
  case star(Pattern)
  case maybe(Pattern)

  static func random(_ random: inout SeededRandom, depth: Int) -> Pattern {
    if depth == 0 { return Bool.random(using: &random) ? .letter("a") : .letter("b") }
    switch Int.random(in: 0..<7, using: &random) {
    case 0: return .any
    case 1, 2: return .sequence(.random(&random, depth: depth - 1), .random(&random, depth: depth - 1))
    case 3: return .either(.random(&random, depth: depth - 1), .random(&random, depth: depth - 1))
    case 4: return .star(.random(&random, depth: depth - 1))
    case 5: return .maybe(.random(&random, depth: depth - 1))
    default: return .letter("a")
    }
  }

  var text: String {
    switch self {
    case .letter(let letter): String(letter)
    case .any: "."
    case .sequence(let a, let b): a.text + b.text
    case .either(let a, let b): "(?:\(a.text)|\(b.text))"
    case .star(let a): "(?:\(a.text))*"
    case .maybe(let a): "(?:\(a.text))?"
    }
  }

  func ends(_ text: [Character], _ start: Int) -> Set<Int> {
    switch self {
    case .letter(let letter): return start < text.count && text[start] == letter ? [start + 1] : []
    case .any: return start < text.count ? [start + 1] : []
    case .sequence(let a, let b): return Set(a.ends(text, start).flatMap { b.ends(text, $0) })
    case .either(let a, let b): return a.ends(text, start).union(b.ends(text, start))
    case .maybe(let a): return a.ends(text, start).union([start])
    case .star(let a):
      var found: Set<Int> = [start]
      var pending = [start]
      while let next = pending.popLast() {
        for end in a.ends(text, next) where found.insert(end).inserted { pending.append(end) }
      }
      return found
    }
  }

  func matchesAll(_ text: [Character]) -> Bool { ends(text, 0).contains(text.count) }
}

/// The same numbers on every run.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
