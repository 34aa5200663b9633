/// A regular expression that takes time in proportion to the text, whatever the expression: all its states advance
/// together over each character (Thompson 1968). Backtracking engines can be made to hang by a route file.
///
/// Understood: literals, `.`, `[a-z]`, `[^…]`, `\d \w \s` and their opposites, `^ $`, groups, `|`, `* + ? {n} {n,m}`, and
/// `i` behind the last slash. It looks for a match anywhere in the text, as everywhere; `^` and `$` pin it down.
struct LinearExpression: Hashable, Sendable, CustomStringConvertible {
  /// Characters of an expression.
  static let maximumLength = 512
  /// Steps of the compiled expression: what `{n,m}` unfolds to.
  static let maximumSteps = 2000
  /// Longer texts do not match anything.
  static let maximumText = 1024

  enum Step: Hashable, Sendable {
    case character(CharacterSet)
    case start
    case end
    /// Goes on at both places.
    case split(Int, Int)
    case jump(Int)
    case match
  }

  /// As it was written, with its slashes.
  let description: String
  let program: [Step]
  /// What a text must begin with, when the expression is pinned to the start by a `^` and letters.
  private let literalStart: [UInt8]

  /// From `/…/` or `/…/i`.
  init(delimited text: String) throws(TextFault) {
    guard text.utf8.count <= LinearExpression.maximumLength else {
      throw TextFault(
        "a regular expression cannot have more than \(LinearExpression.maximumLength) characters")
    }
    guard text.hasPrefix("/"), let end = text.lastIndex(of: "/"), end > text.startIndex else {
      throw TextFault("a regular expression ends with a /", hint: "write /…/")
    }
    if text.unicodeScalars.contains(where: { $0.value < 0x20 }) {
      throw TextFault("a regular expression cannot hold control characters", hint: "write \\t for a tab")
    }
    let flags = text[text.index(after: end)...]
    guard flags.isEmpty || flags == "i" else {
      throw TextFault(
        "'\(flags)' behind a regular expression is not understood",
        hint: "only i (case counts for nothing) is")
    }
    let pattern = String(text[text.index(after: text.startIndex)..<end])
    try self.init(pattern, ignoresCase: flags == "i", description: text)
  }

  init(_ pattern: String, ignoresCase: Bool = false, description: String? = nil) throws(TextFault) {
    self.description = description ?? "/\(pattern)/"
    var parser = ExpressionParser(pattern, ignoresCase: ignoresCase)
    program = try parser.parse()
    literalStart = LinearExpression.literalStart(of: program)
  }

  static func == (a: LinearExpression, b: LinearExpression) -> Bool { a.description == b.description }
  func hash(into hasher: inout Hasher) { hasher.combine(description) }

  private static func literalStart(of program: [Step]) -> [UInt8] {
    guard program.first == .start else { return [] }
    var bytes: [UInt8] = []
    for (index, step) in program.enumerated().dropFirst() {
      guard case .character(let set) = step, let scalar = set.only, scalar.isASCII else { break }
      // A step that something jumps to (a loop, an alternative) is not passed exactly once.
      let isTarget = program.contains {
        switch $0 {
        case .jump(let target): target <= index
        case .split(let a, let b): min(a, b) <= index
        default: false
        }
      }
      if isTarget { return [] }
      bytes.append(UInt8(scalar.value))
    }
    return bytes
  }

  /// Whether the expression is found in a text.
  func matches(_ text: String) -> Bool {
    if !literalStart.isEmpty, !text.utf8.starts(with: literalStart) { return false }
    guard text.utf8.count <= LinearExpression.maximumText else { return false }
    var current = StepSet(program.count)
    var next = StepSet(program.count)
    let scalars = Array(text.unicodeScalars)
    for position in 0...scalars.count {
      add(0, to: &current, position, scalars.count)
      if current.isMatch { return true }
      guard position < scalars.count else { return false }
      next.clear()
      for index in current.steps {
        if case .character(let set) = program[index], set.contains(scalars[position]) {
          add(index + 1, to: &next, position + 1, scalars.count)
        }
      }
      swap(&current, &next)
    }
    return current.isMatch
  }

  /// Steps that wait for the next character, each once.
  private struct StepSet {
    private(set) var steps: [Int] = []
    private var isIn: [Bool]
    var isMatch = false

    init(_ count: Int) { isIn = Array(repeating: false, count: count) }

    mutating func insert(_ step: Int) -> Bool {
      if isIn[step] { return false }
      isIn[step] = true
      steps.append(step)
      return true
    }

    mutating func clear() {
      for step in steps { isIn[step] = false }
      steps.removeAll(keepingCapacity: true)
      isMatch = false
    }
  }

  /// Adds a step and all that it leads to without a character.
  private func add(_ first: Int, to set: inout StepSet, _ position: Int, _ end: Int) {
    var pending = [first]
    while let index = pending.popLast() {
      guard set.insert(index) else { continue }
      switch program[index] {
      case .character: break
      case .match: set.isMatch = true
      case .jump(let target): pending.append(target)
      case .split(let a, let b): pending += [a, b]
      case .start: if position == 0 { pending.append(index + 1) }
      case .end: if position == end { pending.append(index + 1) }
      }
    }
  }
}

/// Which characters a step takes.
struct CharacterSet: Hashable, Sendable {
  var ranges: [ClosedRange<UInt32>]
  var isNegated = false

  init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
    self.ranges = ranges
    self.isNegated = isNegated
  }

  init(_ scalar: Unicode.Scalar, ignoresCase: Bool) {
    ranges = [scalar.value...scalar.value]
    if ignoresCase { addOtherCase() }
  }

  /// ASCII letters also in the other case.
  mutating func addOtherCase() {
    for range in ranges {
      let upper = range.clamped(to: 0x41...0x5A)
      let lower = range.clamped(to: 0x61...0x7A)
      if range.overlaps(0x41...0x5A) { ranges.append(upper.lowerBound + 32...upper.upperBound + 32) }
      if range.overlaps(0x61...0x7A) { ranges.append(lower.lowerBound - 32...lower.upperBound - 32) }
    }
  }

  /// The character, when there is just one.
  var only: Unicode.Scalar? {
    guard !isNegated, ranges.count == 1, ranges[0].count == 1 else { return nil }
    return Unicode.Scalar(ranges[0].lowerBound)
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    ranges.contains { $0.contains(scalar.value) } != isNegated
  }

  static let digits = CharacterSet([0x30...0x39])
  static let word = CharacterSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let space = CharacterSet([0x09...0x0D, 0x20...0x20])
  static let any = CharacterSet([], isNegated: true)
}
