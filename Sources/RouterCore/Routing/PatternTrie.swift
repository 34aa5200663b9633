/// Patterns with open digits, by their characters: a number follows its own digit and the `?` beside it, so patterns that
/// begin otherwise are never looked at.
struct PatternTrie: Sendable {
  fileprivate struct Node {
    var children: [UInt8: Int] = [:]
    /// Chains of postings; 0 is none.
    var exact: UInt32 = 0
    var openEnded: UInt32 = 0
  }

  private var international = [Node()]
  private var asSent = [Node()]
  private static let open = UInt8(ascii: "?")

  /// The chain of a pattern; 0 is none.
  subscript(pattern: DigitPattern) -> UInt32 {
    get { pattern.isInternational ? international.chain(of: pattern) : asSent.chain(of: pattern) }
    set {
      if pattern.isInternational {
        international.setChain(of: pattern, newValue)
      } else {
        asSent.setChain(of: pattern, newValue)
      }
    }
  }

  /// Calls `body` with the chain of each pattern that takes the number.
  func search(_ dialed: DialedNumber, _ body: (UInt32) -> Void) {
    if international.count > 1, let number = dialed.number {
      PatternTrie.search(international, Array(number.description.utf8), body)
    }
    if asSent.count > 1 { PatternTrie.search(asSent, Array(dialed.raw.utf8.prefix(129)), body) }
  }

  private static func search(_ nodes: [Node], _ text: [UInt8], _ body: (UInt32) -> Void) {
    var pending: [(node: Int, at: Int)] = [(0, 0)]
    while let (index, at) = pending.popLast() {
      let node = nodes[index]
      if node.openEnded != 0 { body(node.openEnded) }
      guard at < text.count else {
        if node.exact != 0 { body(node.exact) }
        continue
      }
      if let child = node.children[text[at]] { pending.append((child, at + 1)) }
      let isDigit = text[at] >= 0x30 && text[at] <= 0x39
      if isDigit, let child = node.children[open] { pending.append((child, at + 1)) }
    }
  }
}

extension [PatternTrie.Node] {
  fileprivate func chain(of pattern: DigitPattern) -> UInt32 {
    var node = 0
    for byte in pattern.bytes {
      guard let child = self[node].children[byte] else { return 0 }
      node = child
    }
    return pattern.isOpenEnded ? self[node].openEnded : self[node].exact
  }

  fileprivate mutating func setChain(of pattern: DigitPattern, _ chain: UInt32) {
    var node = 0
    for byte in pattern.bytes {
      if let child = self[node].children[byte] {
        node = child
      } else {
        append(PatternTrie.Node())
        self[node].children[byte] = count - 1
        node = count - 1
      }
    }
    if pattern.isOpenEnded { self[node].openEnded = chain } else { self[node].exact = chain }
  }
}
