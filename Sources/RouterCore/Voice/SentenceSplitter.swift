/// Cuts a stream of text into pieces that can be spoken as soon as they are complete. The pieces joined are the text.
struct SentenceSplitter: Sendable {
  /// A sentence that is longer is cut at a comma or a space.
  static let longest = 300

  private var buffer: [Character] = []
  /// How much of the buffer has no end of a sentence in it.
  private var searched = 0

  private static let abbreviations: Set<String> = [
    "mr", "mrs", "ms", "dr", "st", "prof", "no", "vs", "approx", "dept", "ext", "e.g", "i.e", "jr", "sr",
    "inc", "ltd",
    "co", "corp", "fig", "ave", "gen", "sen", "rev", "hon", "capt", "sgt", "mt", "nr", "bzw", "ca", "z.b",
    "d.h", "u.a", "evtl",
    "mme", "mlle", "sra", "dra", "núm", "av", "tel",
  ]

  /// Ends of sentences with a space behind them, in Latin and Arabic script and those of India, Armenia and Ethiopia.
  private static let stops: Set<Character> = [".", "!", "?", "…", "؟", "۔", "।", "॥", "։", "።", "፧"]
  /// Ends that need none: line breaks and the full-width ones of East Asia.
  private static let fullStops: Set<Character> = ["\n", "\r\n", "。", "！", "？", "｡", "．"]
  private static let closing: Set<Character> = ["\"", "'", "”", "’", "»", ")", "]", "」", "』", "*"]

  mutating func add(_ text: String) { buffer.append(contentsOf: text) }

  /// The next sentence, with the space after it; `nil` until one is complete.
  mutating func next() -> String? {
    var index = searched
    while index < min(buffer.count, SentenceSplitter.longest) {
      if let end = endOfSentence(at: index) { return take(end) }
      // The last character may be the full stop that the next piece gives a space to, or a line break before another.
      guard index + 1 < buffer.count, !isUndecided(at: index) else { break }
      index += 1
    }
    searched = index
    guard buffer.count > SentenceSplitter.longest else { return nil }
    let part = buffer[..<SentenceSplitter.longest]
    let end = part.lastIndex(of: ",") ?? part.lastIndex(where: \.isWhitespace)
    return take(end.map { $0 + 1 } ?? part.count)
  }

  /// What is left when the text is over; `nil` when that is nothing.
  mutating func rest() -> String? { buffer.isEmpty ? nil : take(buffer.count) }

  /// Whether what follows a mark so far are closing quotation marks and brackets alone: the next piece tells.
  private func isUndecided(at index: Int) -> Bool {
    SentenceSplitter.stops.contains(buffer[index])
      && buffer[(index + 1)...].allSatisfy(SentenceSplitter.closing.contains)
  }

  /// Where the sentence ends, if the character at `index` ends one; the space behind it belongs to it.
  private func endOfSentence(at index: Int) -> Int? {
    let mark = buffer[index]
    var last = index
    if SentenceSplitter.fullStops.contains(mark) {
      // Scripts that write no space behind it.
    } else if SentenceSplitter.stops.contains(mark) {
      // "Yes," she said. "No!" – the quotation mark belongs to the sentence.
      while last + 1 < buffer.count, SentenceSplitter.closing.contains(buffer[last + 1]) { last += 1 }
      // Only a space shows that it is no decimal point.
      guard last + 1 < buffer.count, buffer[last + 1].isWhitespace else { return nil }
      if mark == ".", isAbbreviation(before: index) { return nil }
    } else {
      return nil
    }
    let isSpoken = buffer[...index].contains { $0.isLetter || $0.isNumber }
    guard isSpoken else { return nil }
    let end = buffer[(last + 1)...].firstIndex { !$0.isWhitespace } ?? buffer.count
    return min(end, SentenceSplitter.longest)
  }

  private func isAbbreviation(before index: Int) -> Bool {
    let start = buffer[..<index].lastIndex(where: \.isWhitespace).map { $0 + 1 } ?? 0
    let word = buffer[start..<index]
    if word.count == 1, word.allSatisfy(\.isLetter), word != ["I"] { return true }  // an initial
    // "1. First": a number that opens the sentence counts something.
    if word.allSatisfy(\.isNumber), buffer[..<start].allSatisfy(\.isWhitespace) { return true }
    return SentenceSplitter.abbreviations.contains(String(word).lowercased())
  }

  private mutating func take(_ count: Int) -> String {
    let piece = String(buffer[..<count])
    buffer.removeFirst(count)
    searched = 0
    return piece
  }
}
