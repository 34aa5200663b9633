/// Finds the routes whose `to` takes a number, best first, without looking at the others.
///
/// The order is the written one: higher priority, then the more specific `to` (exact, longer prefix, pattern with `?`,
/// regular expression, none), then the place in the files. Routes of one `to` hang in a chain that is sorted by
/// priority and place; chains are merged as far as they are asked for, so the usual call looks at one entry.
struct RouteIndex: Sendable {
  /// How specific the `to` of a route is; smaller is better.
  enum Specificity: Int, Comparable, Sendable {
    case exact, prefix, pattern, expression, none
    static func < (a: Specificity, b: Specificity) -> Bool { a.rawValue < b.rawValue }
  }

  struct Posting: Sendable {
    var route: UInt32
    /// The next one of the chain; 0 ends it.
    var next: UInt32
  }

  // Chains begin at the posting whose number the tables hold; posting 0 is no posting.
  private var postings: [Posting] = [Posting(route: 0, next: 0)]
  private var numbers = NumberTable()
  private var texts: [String: UInt32] = [:]
  private var numberPrefixes = NumberTable()
  private(set) var textPrefixes: [String: UInt32] = [:]
  /// Bit n: there are prefixes of n digits.
  private var numberPrefixLengths: UInt32 = 0
  /// Lengths in bytes, longest first.
  private(set) var textPrefixLengths: [Int] = []
  private(set) var patterns = PatternTrie()
  private(set) var expressions: [(expression: LinearExpression, chain: UInt32)] = []
  private var expressionFilter = ExpressionFilter([])
  private(set) var others: UInt32 = 0
  /// Highest priority of each specificity.
  private var ceilings: [Int32] = Array(repeating: .min, count: 5)
  private let priorities: [Int32]
  private let hasPriorities: Bool
  /// Highest priority of all that is not exact.
  private var ceilingOfOthers = Int32.min

  /// - Parameters:
  ///   - priorities: One for each route.
  ///   - entries: Routes with what they take, in the order of the files; `nil` takes every number.
  init(priorities: [Int32], entries: [(pattern: NumberPattern?, route: UInt32)]) {
    self.priorities = priorities
    hasPriorities = priorities.contains { $0 != 0 }
    let exact = entries.reduce(0) { if case .number = $1.pattern { $0 + 1 } else { $0 } }
    numbers = NumberTable(minimumCapacity: exact)
    postings.reserveCapacity(entries.count + 1)
    var expressionChains: [LinearExpression: Int] = [:]
    // Chains are built from the back: the last to be put in stands first.
    for entry in RouteIndex.lastFirst(entries, priorities) {
      add(entry.pattern, entry.route, &expressionChains)
    }
    expressionFilter = ExpressionFilter(expressions.map(\.expression))
    ceilingOfOthers = ceilings.dropFirst().max() ?? .min
    textPrefixLengths = Set(textPrefixes.keys.map(\.utf8.count)).sorted(by: >)
  }

  private static func lastFirst(
    _ entries: [(pattern: NumberPattern?, route: UInt32)], _ priorities: [Int32]
  ) -> [(pattern: NumberPattern?, route: UInt32)] {
    guard let first = priorities.first, priorities.contains(where: { $0 != first }) else {
      return entries.reversed()
    }
    // `sorted` is stable: entries of one priority keep the order of the files until they are reversed.
    return entries.sorted { priorities[Int($0.route)] > priorities[Int($1.route)] }.reversed()
  }

  private mutating func add(
    _ pattern: NumberPattern?, _ route: UInt32, _ expressionChains: inout [LinearExpression: Int]
  ) {
    let specificity: Specificity
    switch pattern {
    case .number(let number):
      specificity = .exact
      numbers[number.packed] = push(route, on: numbers[number.packed])
    case .text(let text):
      specificity = .exact
      texts[text] = push(route, on: texts[text])
    case .numberPrefix(let prefix):
      specificity = .prefix
      numberPrefixLengths |= 1 << UInt32(PhoneNumber.digits(in: prefix))
      numberPrefixes[prefix] = push(route, on: numberPrefixes[prefix])
    case .textPrefix(let prefix):
      specificity = .prefix
      textPrefixes[prefix] = push(route, on: textPrefixes[prefix])
    case .digits(let digits):
      specificity = .pattern
      patterns[digits] = push(route, on: patterns[digits])
    case .expression(let expression):
      specificity = .expression
      if let index = expressionChains[expression] {
        expressions[index].chain = push(route, on: expressions[index].chain)
      } else {
        expressionChains[expression] = expressions.count
        expressions.append((expression, push(route, on: nil)))
      }
    case .anonymous, .list, nil:
      specificity = .none
      others = push(route, on: others)
    }
    ceilings[specificity.rawValue] = max(ceilings[specificity.rawValue], priorities[Int(route)])
  }

  private mutating func push(_ route: UInt32, on chain: UInt32?) -> UInt32 {
    postings.append(Posting(route: route, next: chain ?? 0))
    return UInt32(postings.count - 1)
  }

  // MARK: Asking

  /// A chain that a number leads to.
  struct Head {
    var posting: UInt32
    var specificity: Specificity
    /// Length of a prefix.
    var length: Int
    /// Whether it is the chain of the `to` that is asked about.
    var isSame = false
  }

  /// Calls `body` with each route that takes the number, best first, until it returns `true`. A route with several
  /// `to` may come more than once.
  func search(_ dialed: DialedNumber, until body: (_ route: Int, _ specificity: Specificity) -> Bool) {
    if searchNumber(dialed, until: body) { return }
    var heads: [Head] = []
    var opened = 0  // specificities that were looked up, as bits
    while true {
      let best = bestHead(heads)
      let priority = best.map { priorities[Int(postings[Int(heads[$0].posting)].route)] }
      let limit = best.map { heads[$0].specificity.rawValue } ?? 5
      // Something that was not looked up yet may be better.
      let next = (0..<5).first { kind in
        opened & (1 << kind) == 0 && ceilings[kind] != .min
          && (priority.map { ceilings[kind] > $0 || (ceilings[kind] == $0 && kind < limit) } ?? true)
      }
      if let next, let specificity = Specificity(rawValue: next) {
        opened |= 1 << next
        open(specificity, dialed, &heads)
        continue
      }
      guard let best else { return }
      let specificity = heads[best].specificity
      if body(advance(&heads, best), specificity) { return }
    }
  }

  /// The usual call: a number that a route names, and nothing that could be better. Returns whether `body` did; when
  /// not, the search begins again with all there is.
  private func searchNumber(
    _ dialed: DialedNumber, until body: (_ route: Int, _ specificity: Specificity) -> Bool
  ) -> Bool {
    guard texts.isEmpty, let number = dialed.number, var next = numbers[number.packed] else { return false }
    while next != 0 {
      let posting = postings[Int(next)]
      if hasPriorities, priorities[Int(posting.route)] < ceilingOfOthers { return false }
      if body(Int(posting.route), .exact) { return true }
      next = posting.next
    }
    return false
  }

  /// Calls `body` with the routes of all chains, best first, until it returns `true`.
  func merge(_ chains: [Head], until body: (_ route: Int, _ head: Head) -> Bool) {
    var heads = chains
    while let best = bestHead(heads) {
      let head = heads[best]
      if body(advance(&heads, best), head) { return }
    }
  }

  /// Takes the first route off a chain.
  private func advance(_ heads: inout [Head], _ index: Int) -> Int {
    let posting = postings[Int(heads[index].posting)]
    heads[index].posting = posting.next
    if posting.next == 0 { heads.remove(at: index) }
    return Int(posting.route)
  }

  private func bestHead(_ heads: [Head]) -> Int? {
    guard var best = heads.indices.first else { return nil }
    for index in heads.indices.dropFirst() where isBetter(heads[index], than: heads[best]) { best = index }
    return best
  }

  private func isBetter(_ a: Head, than b: Head) -> Bool {
    let (first, second) = (postings[Int(a.posting)].route, postings[Int(b.posting)].route)
    let (p, q) = (priorities[Int(first)], priorities[Int(second)])
    if p != q { return p > q }
    if a.specificity != b.specificity { return a.specificity < b.specificity }
    if a.length != b.length { return a.length > b.length }
    return first < second
  }

  private func open(_ specificity: Specificity, _ dialed: DialedNumber, _ heads: inout [Head]) {
    func add(_ chain: UInt32?, _ length: Int = 0) {
      if let chain, chain != 0 {
        heads.append(Head(posting: chain, specificity: specificity, length: length))
      }
    }
    switch specificity {
    case .exact:
      if let number = dialed.number { add(numbers[number.packed]) }
      if !texts.isEmpty { add(texts[dialed.raw]) }
    case .prefix:
      if let number = dialed.number { openPrefixes(of: number, &heads) }
      for length in textPrefixLengths where length <= dialed.raw.utf8.count {
        let end = dialed.raw.utf8.index(dialed.raw.startIndex, offsetBy: length)
        guard let prefix = String(dialed.raw.utf8[..<end]) else { continue }
        add(textPrefixes[prefix], length)
      }
    case .pattern:
      patterns.search(dialed) { add($0) }
    case .expression:
      let text = dialed.text
      expressionFilter.candidates(in: text) { index in
        if expressions[index].expression.matches(text) { add(expressions[index].chain) }
      }
    case .none:
      add(others)
    }
  }

  func openPrefixes(of number: PhoneNumber, _ heads: inout [Head]) {
    var prefix = number.packed
    var length = PhoneNumber.digits(in: prefix)
    while length > 0 {
      if numberPrefixLengths & (1 << UInt32(length)) != 0, let chain = numberPrefixes[prefix] {
        heads.append(Head(posting: chain, specificity: .prefix, length: length))
      }
      prefix /= 10
      length -= 1
    }
  }
}
