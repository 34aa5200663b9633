/// Guesses what a mistyped word was meant to be.
enum Nearest {
  /// The candidate with the fewest edits, if it is near enough to be meant.
  static func word(to word: String, among candidates: [String]) -> String? {
    let limit = max(1, word.count / 3)
    let best = candidates.map { ($0, distance(word.lowercased(), $0.lowercased())) }.min { $0.1 < $1.1 }
    if let best, best.1 <= limit { return best.0 }
    // A word that was begun and not finished.
    let begun = candidates.filter { $0.hasPrefix(word) }
    return word.count > 1 && begun.count == 1 ? begun[0] : nil
  }

  /// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
  static func distance(_ first: String, _ second: String) -> Int {
    let first = Array(first)
    let second = Array(second)
    var older: [Int] = []
    var previous = Array(0...second.count)
    for (i, a) in first.enumerated() {
      var current = [i + 1]
      for (j, b) in second.enumerated() {
        var best = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a == b ? 0 : 1))
        if i > 0, j > 0, a == second[j - 1], first[i - 1] == b { best = min(best, older[j - 1] + 1) }
        current.append(best)
      }
      older = previous
      previous = current
    }
    return previous[second.count]
  }
}
