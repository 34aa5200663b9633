/// Compiles the text of a regular expression into steps, by recursive descent. Depth and size are limited.
struct ExpressionParser {
  typealias Step = LinearExpression.Step

  private let text: [Unicode.Scalar]
  private let ignoresCase: Bool
  private var at = 0
  private var depth = 0

  init(_ text: String, ignoresCase: Bool) {
    self.text = Array(text.unicodeScalars)
    self.ignoresCase = ignoresCase
  }

  mutating func parse() throws(TextFault) -> [Step] {
    let steps = try alternatives()
    if at < text.count { throw fault("')' without '('", hint: "write \\) for the character") }
    return steps + [.match]
  }

  private func fault(_ message: String, hint: String? = nil) -> TextFault {
    TextFault("\(message), at character \(at + 1) of the regular expression", hint: hint)
  }

  private func check(_ steps: [Step]) throws(TextFault) -> [Step] {
    guard steps.count <= LinearExpression.maximumSteps else {
      throw fault("this unfolds to more than \(LinearExpression.maximumSteps) steps", hint: "repeat less")
    }
    return steps
  }

  private mutating func alternatives() throws(TextFault) -> [Step] {
    depth += 1
    defer { depth -= 1 }
    if depth > 50 { throw fault("groups stand too deep in each other") }
    var result = try sequence()
    while at < text.count, text[at] == "|" {
      at += 1
      let other = try sequence()
      result =
        [.split(1, result.count + 2)] + result.shifted(by: 1) + [.jump(result.count + 2 + other.count)]
        + other.shifted(by: result.count + 2)
      result = try check(result)
    }
    return result
  }

  private mutating func sequence() throws(TextFault) -> [Step] {
    var result: [Step] = []
    while at < text.count, text[at] != "|", text[at] != ")" {
      let next = try repeated()
      result = try check(result + next.shifted(by: result.count))
    }
    return result
  }

  private mutating func repeated() throws(TextFault) -> [Step] {
    var steps = try single()
    var isRepeated = false
    while at < text.count, let (low, high) = try quantifier() {
      if isRepeated {
        throw fault("nothing to repeat", hint: "write a \\ before a sign that is meant as it is")
      }
      isRepeated = true
      steps = try unfold(steps, low, high)
      // A lazy or possessive mark changes what is taken, not whether there is a match.
      if at < text.count, text[at] == "?" { at += 1 }
    }
    return steps
  }

  /// `* + ? {n} {n,} {n,m}`; `nil` when none stands here.
  private mutating func quantifier() throws(TextFault) -> (Int, Int?)? {
    switch text[at] {
    case "*": at += 1; return (0, nil)
    case "+": at += 1; return (1, nil)
    case "?": at += 1; return (0, 1)
    case "{": return try counts()
    default: return nil
    }
  }

  private mutating func counts() throws(TextFault) -> (Int, Int?)? {
    guard let end = text[at...].firstIndex(of: "}") else {
      throw fault("'{' without '}'", hint: "write \\{ for the character")
    }
    let inner = String(String.UnicodeScalarView(text[at + 1..<end]))
    let parts = inner.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, let low = Int(parts[0]), low >= 0, low <= 1000 else {
      throw fault("'{\(inner)}' is no repetition", hint: "write {3}, {3,} or {3,5}")
    }
    var high: Int? = low
    if parts.count == 2 {
      high = parts[1].isEmpty ? nil : Int(parts[1])
      guard parts[1].isEmpty || (high ?? -1) >= low && (high ?? 0) <= 1000 else {
        throw fault("'{\(inner)}' is no repetition", hint: "write {3}, {3,} or {3,5}")
      }
    }
    at = end + 1
    return (low, high)
  }

  private func unfold(_ steps: [Step], _ low: Int, _ high: Int?) throws(TextFault) -> [Step] {
    guard steps.count * max(low, high ?? 1) <= 4 * LinearExpression.maximumSteps else {
      return try check(Array(repeating: .match, count: LinearExpression.maximumSteps + 1))
    }
    var result: [Step] = []
    for _ in 0..<low { result += steps.shifted(by: result.count) }
    if let high {
      // Each further round may be left out, and with it all that follow.
      let end = result.count + (high - low) * (steps.count + 1)
      for _ in 0..<(high - low) {
        result.append(.split(result.count + 1, end))
        result += steps.shifted(by: result.count)
      }
    } else {
      let loop = result.count
      result.append(.split(loop + 1, loop + steps.count + 2))
      result += steps.shifted(by: loop + 1) + [.jump(loop)]
    }
    return try check(result)
  }

  private mutating func single() throws(TextFault) -> [Step] {
    let character = text[at]
    switch character {
    case "(": return try group()
    case "[": return [.character(try characterClass())]
    case ".": at += 1; return [.character(.any)]
    case "^": at += 1; return [.start]
    case "$": at += 1; return [.end]
    case "*", "+", "?", "{":
      throw fault("nothing to repeat before '\(character)'", hint: "write \\\(character) for the character")
    case "\\": return [.character(try escape())]
    default:
      at += 1
      return [.character(CharacterSet(character, ignoresCase: ignoresCase))]
    }
  }

  private mutating func group() throws(TextFault) -> [Step] {
    at += 1
    if at + 1 < text.count, text[at] == "?" {
      guard text[at + 1] == ":" else {
        throw fault("'(?\(text[at + 1])' is not understood", hint: "only plain groups (…) and (?:…) are")
      }
      at += 2
    }
    let steps = try alternatives()
    guard at < text.count else { throw fault("'(' without ')'", hint: "write \\( for the character") }
    at += 1
    return steps
  }

  private mutating func escape() throws(TextFault) -> CharacterSet {
    at += 1
    guard at < text.count else { throw fault("a \\ at the end") }
    let character = text[at]
    at += 1
    switch character {
    case "d": return .digits
    case "w": return .word
    case "s": return .space
    case "D": return CharacterSet(CharacterSet.digits.ranges, isNegated: true)
    case "W": return CharacterSet(CharacterSet.word.ranges, isNegated: true)
    case "S": return CharacterSet(CharacterSet.space.ranges, isNegated: true)
    case "t": return CharacterSet([9...9])
    case "0"..."9", "a"..."z", "A"..."Z":
      at -= 1
      throw fault("'\\\(character)' is not understood", hint: "\\d, \\w, \\s and their opposites are")
    default: return CharacterSet([character.value...character.value])
    }
  }

  private mutating func characterClass() throws(TextFault) -> CharacterSet {
    at += 1
    var set = CharacterSet([])
    if at < text.count, text[at] == "^" {
      set.isNegated = true
      at += 1
    }
    var isFirst = true
    while at < text.count, text[at] != "]" || isFirst {
      isFirst = false
      let low = try classMember()
      let isRange = at + 1 < text.count && text[at] == "-" && text[at + 1] != "]"
      guard isRange, let from = low.only else {
        set.ranges += try plain(low)
        continue
      }
      at += 1
      guard let to = try classMember().only, from.value <= to.value else {
        throw fault("a range must go upwards", hint: "e.g. [0-9]")
      }
      set.ranges.append(from.value...to.value)
    }
    guard at < text.count else { throw fault("'[' without ']'", hint: "write \\[ for the character") }
    at += 1
    if ignoresCase { set.addOtherCase() }
    return set
  }

  private mutating func classMember() throws(TextFault) -> CharacterSet {
    if text[at] == "\\" { return try escape() }
    defer { at += 1 }
    return CharacterSet([text[at].value...text[at].value])
  }

  private func plain(_ set: CharacterSet) throws(TextFault) -> [ClosedRange<UInt32>] {
    if set.isNegated { throw fault("\\D, \\W and \\S cannot stand in […]", hint: "write [^…] instead") }
    return set.ranges
  }
}

extension [LinearExpression.Step] {
  /// The same steps at another place of the program.
  fileprivate func shifted(by offset: Int) -> [LinearExpression.Step] {
    if offset == 0 { return self }
    return map { step in
      switch step {
      case .split(let a, let b): .split(a + offset, b + offset)
      case .jump(let target): .jump(target + offset)
      default: step
      }
    }
  }
}
