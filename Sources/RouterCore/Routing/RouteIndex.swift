/// Finds the routes whose `to` takes a number, best first, without looking at the others.
///
/// The order is the written one: higher priority, then the more specific `to` (exact, longer prefix, pattern with `?`,
/// regular expression, none), then the place in the files. Routes of one `to` hang in a chain that is sorted by
/// priority and place; chains are merged as far as they are asked for, so the usual call looks at one entry: what it
/// takes from memory is what a look-up in a large table costs.
struct RouteIndex: Sendable {
  /// How specific the `to` of a route is; smaller is better.
  enum Specificity: Int, Comparable, Sendable {
    case exact, prefix, pattern, expression, none
    static func < (a: Specificity, b: Specificity) -> Bool { a.rawValue < b.rawValue }
  }

  private struct Posting: Sendable {
    var route: UInt32
    /// The rest of the chain.
    var next: UInt32
  }

  /// What a chain of one route has besides the route's number; other chains are the number of their first posting, and
  /// 0 is no chain.
  private static let single: UInt32 = 1 << 31

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
    guard let chain, chain != 0 else { return route | RouteIndex.single }
    postings.append(Posting(route: route, next: chain))
    return UInt32(postings.count - 1)
  }

  /// The first route of a chain.
  private func route(of chain: UInt32) -> Int {
    Int(chain & RouteIndex.single != 0 ? chain & ~RouteIndex.single : postings[Int(chain)].route)
  }

  /// What follows it; 0 when nothing does.
  private func rest(of chain: UInt32) -> UInt32 {
    chain & RouteIndex.single != 0 ? 0 : postings[Int(chain)].next
  }

  // MARK: Asking

  /// A chain that a number leads to.
  struct Head {
    var chain: UInt32
    var specificity: Specificity
    /// Length of a prefix.
    var length: Int
    /// Whether it is the chain of the `to` that is asked about.
    var isSame = false
  }

  /// Calls `body` with each route that takes the number, best first, until it returns `true`. A route with several
  /// `to` may come more than once.
  func search(_ dialed: DialedNumber, until body: (_ route: Int, _ specificity: Specificity) -> Bool) {
    guard var opened = searchNumber(dialed, until: body) else { return }
    var heads: [Head] = []
    while true {
      let best = bestHead(heads)
      let priority = best.map { priorities[route(of: heads[$0].chain)] }
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

  /// The usual call: a number that a route names or a prefix takes, and nothing that could be better. Returns the
  /// specificities that are done with, as bits; `nil` when `body` took a route.
  private func searchNumber(
    _ dialed: DialedNumber, until body: (_ route: Int, _ specificity: Specificity) -> Bool
  ) -> Int? {
    guard texts.isEmpty, let number = dialed.number else { return 0 }
    func take(_ first: UInt32?, _ specificity: Specificity, above ceiling: Int32) -> Bool? {
      var chain = first ?? 0
      while chain != 0 {
        let route = self.route(of: chain)
        if hasPriorities, priorities[route] < ceiling { return nil }
        if body(route, specificity) { return true }
        chain = rest(of: chain)
      }
      return false
    }
    // The search begins again with all there is where something else may be better.
    guard let isTaken = take(numbers[number.packed], .exact, above: ceilingOfOthers) else { return 0 }
    if isTaken { return nil }
    if hasPriorities { return 0 }
    if !textPrefixes.isEmpty { return 1 << Specificity.exact.rawValue }
    var prefix = number.packed
    var length = PhoneNumber.digits(in: prefix)
    while length > 0 {
      if numberPrefixLengths & (1 << UInt32(length)) != 0,
        take(numberPrefixes[prefix], .prefix, above: .min) == true
      {
        return nil
      }
      prefix /= 10
      length -= 1
    }
    return 1 << Specificity.exact.rawValue | 1 << Specificity.prefix.rawValue
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
    let chain = heads[index].chain
    heads[index].chain = rest(of: chain)
    if heads[index].chain == 0 { heads.remove(at: index) }
    return route(of: chain)
  }

  private func bestHead(_ heads: [Head]) -> Int? {
    guard var best = heads.indices.first else { return nil }
    for index in heads.indices.dropFirst() where isBetter(heads[index], than: heads[best]) { best = index }
    return best
  }

  private func isBetter(_ a: Head, than b: Head) -> Bool {
    let (first, second) = (route(of: a.chain), route(of: b.chain))
    let (p, q) = (priorities[first], priorities[second])
    if p != q { return p > q }
    if a.specificity != b.specificity { return a.specificity < b.specificity }
    if a.length != b.length { return a.length > b.length }
    return first < second
  }

  private func open(_ specificity: Specificity, _ dialed: DialedNumber, _ heads: inout [Head]) {
    func add(_ chain: UInt32?, _ length: Int = 0) {
      if let chain, chain != 0 {
        heads.append(Head(chain: chain, specificity: specificity, length: length))
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
        heads.append(Head(chain: chain, specificity: .prefix, length: length))
      }
      prefix /= 10
      length -= 1
    }
  }
}
