import Testing

@testable import RouterCore

/// What many regular expressions require, found in one pass.
@Suite struct ExpressionFilterTests {
  @Test(arguments: [
    ("/^\\+44(20|161)/", "+44"), ("/abc/", "abc"), ("/ABC/i", "abc"), ("/a|b/", ""), ("/(x|y)abc/", "abc"),
    ("/ab*cde/", "cde"), ("/ab?/", "a"), ("/(ab)+/", "ab"), ("/(ab)*/", ""), ("/\\d{7}/", ""),
    ("/^\\+1555\\d{3}0001$/", "+1555"), ("/5{3}1/", "5551"), ("/(abc)?de/", "de"), ("/^$/", ""),
    ("/a[0-9]bc/", "bc"),
    ("/[aA]b/", "ab"), ("/ä1/", "1"), ("/(a|ab)(c|cd)/", ""), ("/x(yz|yw)/", "x"),
  ])
  func lettersThatEveryMatchHas(expression: String, required: String) throws {
    let expression = try LinearExpression(delimited: expression)
    #expect(String(decoding: expression.requiredLiteral, as: UTF8.self) == required)
  }

  private func expression(_ random: inout SeededRandom, depth: Int = 0) -> String {
    let letters = ["1", "2", "+", "a", "B"]
    var text = ""
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let letter = letters.randomElement(using: &random) ?? "1"
      switch Int.random(in: 0..<10, using: &random) {
      case 0 where depth < 2: text += "(\(expression(&random, depth: depth + 1)))"
      case 1 where depth < 2:
        text += "(\(expression(&random, depth: depth + 1))|\(expression(&random, depth: depth + 1)))?"
      case 2: text += "[12]"
      case 3: text += "."
      case 4: text += "\\\(letter == "+" ? "+" : "d")*"
      case 5: text += "\\\(letter == "+" ? "+" : "d"){2}"
      default: text += letter == "+" ? "\\+" : letter
      }
    }
    return text
  }

  @Test(arguments: 0..<20) func nothingThatMatchesIsPassedOver(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    for _ in 0..<20 {
      let expressions = try (0..<30).map { _ in
        let start = Bool.random(using: &random) ? "^" : ""
        let flags = Bool.random(using: &random) ? "i" : ""
        return try LinearExpression(delimited: "/\(start)\(expression(&random))/\(flags)")
      }
      let filter = ExpressionFilter(expressions)
      for _ in 0..<40 {
        let count = Int.random(in: 0...12, using: &random)
        let text = (0..<count).map { _ in
          ["1", "2", "+", "a", "A", "b", "B"].randomElement(using: &random) ?? ""
        }
        .joined()
        var found: [Int] = []
        filter.candidates(in: text) { found.append($0) }
        #expect(Set(found).count == found.count)
        for (index, expression) in expressions.enumerated() where expression.matches(text) {
          #expect(found.contains(index), "\(expression) in \(text)")
        }
      }
    }
  }

  @Test func ofAThousandOnlyThoseThatComeCloseAreTried() throws {
    let filter = ExpressionFilter(
      try (0..<1000).map { try LinearExpression(delimited: "/^\\+1\(1000 + $0)\\d{6}$/") })
    var found: [Int] = []
    filter.candidates(in: "+11234567890") { found.append($0) }
    #expect(found == [234])
  }
}
