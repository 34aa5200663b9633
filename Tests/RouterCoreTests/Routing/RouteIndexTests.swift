import FoundationEssentials
import Testing

@testable import RouterCore

/// The index gives the answer of a plain scan that follows the written rule, over random tables and calls.
@Suite struct RouteIndexTests {
  private struct Entry {
    var pattern: NumberPattern?
    var priority: Int32
  }

  /// Specificity, then length of a prefix; smaller is better.
  private func rank(_ pattern: NumberPattern?) -> (Int, Int) {
    switch pattern {
    case .number, .text: (0, 0)
    case .numberPrefix(let prefix): (1, -PhoneNumber.digits(in: prefix))
    case .textPrefix(let prefix): (1, -prefix.utf8.count)
    case .digits: (2, 0)
    case .expression: (3, 0)
    case .anonymous, .list, nil: (4, 0)
    }
  }

  /// All routes that take a number, best first, by the rule as it is written.
  private func scan(_ entries: [[Entry]], _ dialed: DialedNumber) -> [Int] {
    var found: [(Int32, Int, Int, Int)] = []
    for (route, patterns) in entries.enumerated() {
      for entry in patterns where entry.pattern?.matches(dialed, { _ in nil }) ?? true {
        let (kind, length) = rank(entry.pattern)
        found.append((-entry.priority, kind, length, route))
      }
    }
    var seen: Set<Int> = []
    return found.sorted { ($0.0, $0.1, $0.2, $0.3) < ($1.0, $1.1, $1.2, $1.3) }.map(\.3).filter {
      seen.insert($0).inserted
    }
  }

  private func digits(_ count: ClosedRange<Int>, _ random: inout SeededRandom) -> String {
    String(
      (0..<Int.random(in: count, using: &random)).map { _ in "0123".randomElement(using: &random) ?? "0" })
  }

  /// - Parameter kinds: Which of the cases may come.
  private func pattern(_ kinds: [Int], _ random: inout SeededRandom) throws -> NumberPattern? {
    let text: String
    switch kinds.randomElement(using: &random) {
    case 0, 1, 2: text = "+1" + digits(3...5, &random)
    case 3: text = digits(1...3, &random)
    case 4, 5: text = "+1" + digits(0...4, &random) + "*"
    case 6: text = digits(0...2, &random) + "*"
    case 7, 8: text = "+1" + digits(0...2, &random) + "?" + digits(0...2, &random)
    case 9:
      text = Bool.random(using: &random) ? "?" + digits(0...2, &random) : "+1" + digits(0...1, &random) + "?*"
    case 10: text = "/^\\+?1" + digits(0...2, &random) + "/"
    default: return nil
    }
    return try NumberPattern(text, Numbering())
  }

  @Test(arguments: 0..<40)
  func theIndexAnswersAsAScanDoes(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    for _ in 0..<25 {
      let hasPriorities = Bool.random(using: &random)
      // Tables of international numbers alone have a shorter way of their own.
      let kinds =
        [Array(0..<12), [0, 1, 2, 4, 5, 7, 10, 11], [0, 1, 4, 5]].randomElement(using: &random) ?? []
      let entries = try (0..<Int.random(in: 1...60, using: &random)).map { _ -> [Entry] in
        let priority =
          hasPriorities && Int.random(in: 0..<4, using: &random) == 0
          ? Int32.random(in: -2...2, using: &random) : 0
        return try (0..<Int.random(in: 1...3, using: &random)).map { _ in
          Entry(pattern: try pattern(kinds, &random), priority: priority)
        }
      }
      let index = RouteIndex(
        priorities: entries.map { $0[0].priority },
        entries: entries.enumerated().flatMap { route, all in all.map { ($0.pattern, UInt32(route)) } })
      for _ in 0..<20 {
        let isNumber = Int.random(in: 0..<3, using: &random) > 0
        let user = isNumber ? "+1" + digits(2...6, &random) : digits(1...4, &random)
        let dialed = DialedNumber(Party(user: user), Numbering())
        var found: [Int] = []
        index.search(dialed) { route, _ in
          if !found.contains(route) { found.append(route) }
          return false
        }
        let expected = scan(entries, dialed)
        #expect(found == expected, "seed \(seed), \(user)")
        // The same when a route is taken, and nothing is asked after that.
        let share = Int.random(in: 1...4, using: &random)
        var taken: Int?
        index.search(dialed) { route, _ in
          #expect(taken == nil)
          if route % share == 0 { taken = route }
          return taken != nil
        }
        #expect(taken == expected.first { $0 % share == 0 }, "seed \(seed), \(user)")
      }
    }
  }

  /// A trunk's region may make a number of what the table's region left as it was.
  @Test func aNumberMayAlsoBeAName() throws {
    let patterns = try ["02079460001", "+442079460001", "+4420*"].map { try NumberPattern($0, Numbering()) }
    let index = RouteIndex(
      priorities: [0, 0, 0], entries: patterns.enumerated().map { ($1, UInt32($0)) })
    let dialed = DialedNumber(Party(user: "02079460001"), Numbering(region: "GB"))
    var found: [Int] = []
    index.search(dialed) { route, _ in
      found.append(route)
      return false
    }
    #expect(found == [0, 1, 2])
  }

  @Test func aMillionKeysAreFoundAgain() {
    var table = NumberTable()
    for key in stride(from: UInt64(10_000_000), to: 10_200_000, by: 1) { table[key] = UInt32(key % 1000) }
    #expect(table.count == 200_000)
    #expect((UInt64(10_000_000)..<10_200_000).allSatisfy { table[$0] == UInt32($0 % 1000) })
    #expect(table[9_999_999] == nil)
    #expect(NumberTable()[5] == nil)
  }
}
