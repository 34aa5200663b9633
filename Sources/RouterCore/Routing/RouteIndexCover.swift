extension RouteIndex {
  /// Calls `body` with each route that is asked for every number that `pattern` takes, best first, until it returns
  /// `true`. Routes of regular expressions and patterns count only where they are the same.
  func searchWider(than pattern: NumberPattern?, until body: (_ route: Int, _ isSame: Bool) -> Bool) {
    switch pattern {
    case .number(let number):
      let dialed = DialedNumber(raw: number.description, number: number)
      search(dialed) { body($0, $1 == .exact) }
    case .text(let text):
      search(DialedNumber(raw: text, number: nil)) { body($0, $1 == .exact) }
    default:
      merge(chains(covering: pattern)) { route, head in body(route, head.isSame) }
    }
  }

  private func chains(covering pattern: NumberPattern?) -> [Head] {
    var heads: [Head] = []
    func add(_ chain: UInt32?, _ specificity: Specificity, _ length: Int = 0, isSame: Bool = false) {
      guard let chain, chain != 0 else { return }
      heads.append(Head(chain: chain, specificity: specificity, length: length, isSame: isSame))
    }
    add(others, .none, isSame: pattern == nil)
    switch pattern {
    case .numberPrefix(let prefix):
      openPrefixes(of: PhoneNumber(packed: prefix), &heads)
      for index in heads.indices where heads[index].length == PhoneNumber.digits(in: prefix) {
        heads[index].isSame = true
      }
      add(textPrefixes[""], .prefix)
    case .textPrefix(let prefix):
      for length in textPrefixLengths where length <= prefix.utf8.count {
        let end = prefix.utf8.index(prefix.startIndex, offsetBy: length)
        guard let start = String(prefix.utf8[..<end]) else { continue }
        add(textPrefixes[start], .prefix, length, isSame: length == prefix.utf8.count)
      }
    case .digits(let digits):
      add(patterns[digits], .pattern, isSame: true)
      add(textPrefixes[""], .prefix)
      let start = digits.text.prefix { $0 != "?" }
      if digits.isInternational, let packed = PhoneNumber.pack(start.utf8) {
        openPrefixes(of: PhoneNumber(packed: packed.value), &heads)
      }
    case .expression(let expression):
      add(expressions.first { $0.expression == expression }?.chain, .expression, isSame: true)
      add(textPrefixes[""], .prefix)
    case .number, .text, .anonymous, .list, nil:
      add(textPrefixes[""], .prefix)
    }
    return heads
  }
}

extension DialedNumber {
  /// A number that a route names.
  init(raw: String, number: PhoneNumber?) {
    self.raw = raw
    self.number = number
    isAnonymous = false
    steps = nil
  }
}
