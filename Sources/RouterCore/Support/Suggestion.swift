/// Finds what a person may have meant.
public enum Suggestion {
  /// The candidate that is nearest to `word`, when it is near enough to be a slip of the fingers: at most a third of
  /// its letters away, never more than three, and never all of them; else the shortest that begins or ends with it. Case
  /// counts for nothing.
  public static func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased().utf8.prefix(64))
    let limit = min(3, max(1, letters.count / 3))
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
      let other = Array(candidate.lowercased().utf8.prefix(64))
      guard abs(other.count - letters.count) <= limit else { continue }
      let found = distance(letters, other)
      let isSimilar = found <= limit && found < max(letters.count, other.count)
      if isSimilar, found < (best?.distance ?? Int.max) { best = (found, candidate) }
    }
    if let best { return best.candidate }
    // Not written whole: voice for voiceId, url for baseURL.
    let longer = candidates.filter { candidate in
      let other = candidate.lowercased().utf8
      return letters.count >= 4 && other.starts(with: letters)
        || letters.count >= 3 && other.reversed().starts(with: letters.reversed())
    }
    return longer.min { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
  }

  /// How many letters must be put in, taken out, replaced or swapped with their neighbour to make one of the other.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 1...a.count {
      var row = [i]
      row.reserveCapacity(b.count + 1)
      for j in 1...b.count {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        var best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          best = min(best, beforeLast[j - 2] + 1)
        }
        row.append(best)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
