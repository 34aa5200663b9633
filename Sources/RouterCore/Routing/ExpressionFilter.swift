/// Which of many regular expressions may be found in a text: those whose required letters occur in it. One pass over the
/// text finds them (Aho and Corasick 1975), so a thousand expressions cost little more than those that come close.
struct ExpressionFilter: Sendable {
  /// Expressions that require no letters.
  private var always: [Int] = []
  /// Expressions by the number of the literal that they require.
  private var byLiteral: [[Int]] = []
  /// What a byte is called in the table; 0 for all that stand in no literal.
  private var classes = [UInt8](repeating: 0, count: 256)
  private var classCount = 1
  /// Node × class → node; node 0 is the root.
  private var next: [UInt32] = []
  /// For each node the literal that ends there, plus 1; 0 is none.
  private var literal: [UInt32] = []
  /// For each node the next shorter end of the same text at which a literal ends; 0 is none.
  private var shorter: [UInt32] = []

  /// - Parameter expressions: They are called by their positions.
  init(_ expressions: [LinearExpression]) {
    var literals: [[UInt8]: Int] = [:]
    for (index, expression) in expressions.enumerated() {
      let required = expression.requiredLiteral
      if required.isEmpty {
        always.append(index)
      } else if let number = literals[required] {
        byLiteral[number].append(index)
      } else {
        literals[required] = byLiteral.count
        byLiteral.append([index])
      }
    }
    for byte in Set(literals.keys.joined()).sorted() {
      classes[Int(byte)] = UInt8(classCount)
      classCount += 1
    }
    let parents = addNodes(literals)
    addLinks(parents)
  }

  /// Makes the tree of all literals. Returns for each node its parent, its class and its depth, parents first.
  private mutating func addNodes(
    _ literals: [[UInt8]: Int]
  ) -> [(node: Int, parent: Int, class: Int, depth: Int)] {
    var nodes: [(node: Int, parent: Int, class: Int, depth: Int)] = []
    addNode()
    for (bytes, number) in literals.sorted(by: { $0.value < $1.value }) {
      var node = 0
      for (depth, byte) in bytes.enumerated() {
        let place = node * classCount + Int(classes[Int(byte)])
        if next[place] == 0 {
          next[place] = UInt32(literal.count)
          nodes.append((literal.count, node, Int(classes[Int(byte)]), depth))
          addNode()
        }
        node = Int(next[place])
      }
      literal[node] = UInt32(number + 1)
    }
    return nodes.sorted { $0.depth < $1.depth }
  }

  private mutating func addNode() {
    next += Array(repeating: 0, count: classCount)
    literal.append(0)
    shorter.append(0)
  }

  /// Makes the tree an automaton: where a text leaves it, it goes on at the longest end that is in the tree.
  private mutating func addLinks(_ nodes: [(node: Int, parent: Int, class: Int, depth: Int)]) {
    var failure = [Int](repeating: 0, count: literal.count)
    // Nodes of one depth are done before any of the next, so a failure's own row is complete.
    for (node, parent, byte, depth) in nodes {
      if depth > 0 { failure[node] = Int(next[failure[parent] * classCount + byte]) }
      let other = failure[node]
      shorter[node] = literal[other] != 0 ? UInt32(other) : shorter[other]
      for column in 0..<classCount where next[node * classCount + column] == 0 {
        next[node * classCount + column] = next[other * classCount + column]
      }
    }
  }

  /// Calls `body` with each expression that may be found in a text, once.
  func candidates(in text: String, _ body: (Int) -> Void) {
    for index in always { body(index) }
    guard !byLiteral.isEmpty else { return }
    var found: [UInt32] = []
    var node = 0
    for byte in text.utf8 {
      node = Int(next[node * classCount + Int(classes[Int(byte.lowercased)])])
      var end = literal[node] != 0 ? node : Int(shorter[node])
      while end != 0 {
        if !found.contains(literal[end]) { found.append(literal[end]) }
        end = Int(shorter[end])
      }
    }
    for number in found {
      for index in byLiteral[Int(number) - 1] { body(index) }
    }
  }
}

extension UInt8 {
  /// ASCII letters in small.
  fileprivate var lowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}

extension LinearExpression {
  /// Letters of a literal beyond these say no more.
  private static let maximumLiteral = 24
  /// Steps that are tried as the beginning of a literal.
  private static let maximumTried = 64

  /// ASCII letters, in small, that stand one after the other in every text that the expression is found in; empty when
  /// there are none.
  var requiredLiteral: [UInt8] {
    var best: [UInt8] = []
    var tried = 0
    for index in program.indices where isBeginning(index) {
      let run = program[index...].prefix(LinearExpression.maximumLiteral).map(\.letter).prefix { $0 != nil }
      guard run.count > best.count else { continue }
      tried += 1
      if tried > LinearExpression.maximumTried { break }
      if isRequired(index) { best = run.compactMap { $0 } }
    }
    return best
  }

  /// Whether a run of letters may begin at a step: behind something else, or where something leads to.
  private func isBeginning(_ index: Int) -> Bool {
    guard program[index].letter != nil else { return false }
    if index == 0 || program[index - 1].letter == nil { return true }
    return program.contains { step in
      switch step {
      case .split(let a, let b): a == index || b == index
      case .jump(let target): target == index
      default: false
      }
    }
  }

  /// Whether there is no way to a match around a step.
  private func isRequired(_ step: Int) -> Bool {
    var seen = [Bool](repeating: false, count: program.count)
    var pending = [0]
    while let index = pending.popLast() {
      if index == step || seen[index] { continue }
      seen[index] = true
      switch program[index] {
      case .match: return false
      case .jump(let target): pending.append(target)
      case .split(let a, let b): pending += [a, b]
      case .character, .start, .end: pending.append(index + 1)
      }
    }
    return true
  }
}

extension LinearExpression.Step {
  /// The one ASCII letter that the step takes, in small; in which case it is written does not count.
  fileprivate var letter: UInt8? {
    guard case .character(let set) = self, !set.isNegated, !set.ranges.isEmpty else { return nil }
    var letter: UInt8?
    for range in set.ranges {
      guard range.count == 1, let byte = UInt8(exactly: range.lowerBound), byte < 0x80 else { return nil }
      if let letter, letter != byte.lowercased { return nil }
      letter = byte.lowercased
    }
    return letter
  }
}
