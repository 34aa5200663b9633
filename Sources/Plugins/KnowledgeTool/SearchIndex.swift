internal import RouterCore

/// Passages in SQLite's full-text index (FTS5), in memory. Any thread, one at a time.
final class SearchIndex: Sendable {
  /// What was found, best first.
  struct Hit: Hashable, Sendable {
    var passage: Passage
    /// Position among the passages that the index was made of.
    var number: Int
  }

  /// Words of a question that are looked for.
  static let maximumWords = 24

  /// A connection belongs to whoever holds the lock.
  private struct Confined: @unchecked Sendable { let database: SQLiteDatabase }
  private let database: Lock<Confined>

  init(_ passages: [Passage]) throws {
    let database = try SQLiteDatabase(path: ":memory:", lockSeconds: 0)
    try database.execute(
      "CREATE VIRTUAL TABLE passages USING fts5(title, text, tokenize = 'porter unicode61 remove_diacritics 2')"
    )
    try database.transaction {
      for (number, passage) in passages.enumerated() {
        try database.run(
          "INSERT INTO passages (rowid, title, text) VALUES (?, ?, ?)",
          [.integer(number), .text(passage.title), .text(passage.text)])
      }
    }
    self.database = Lock(Confined(database: database))
  }

  /// The best passages for a question.
  func search(_ question: String, limit: Int) throws -> [Hit] {
    let words = SearchIndex.words(question)
    guard !words.isEmpty else { return [] }
    // Quoted, a word is a word, whatever it looks like in the language of FTS5.
    let query = words.map { "\"\($0)\"" }.joined(separator: " OR ")
    return try database.withLock { confined in
      var hits: [Hit] = []
      try confined.database.run(
        "SELECT rowid, title, text FROM passages WHERE passages MATCH ? ORDER BY bm25(passages, 3.0, 1.0) LIMIT ?",
        [.text(query), .integer(max(0, limit))]
      ) { row in
        hits.append(
          Hit(passage: Passage(title: row.text(1) ?? "", text: row.text(2) ?? ""), number: row.integer(0)))
      }
      return hits
    }
  }

  /// What is worth looking for in a question; when that is nothing, all of its words.
  static func words(_ question: String) -> [String] {
    var all: [String] = []
    for word in question.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
      let word = String(word.prefix(64))
      if !all.contains(word) { all.append(word) }
    }
    let telling = all.filter { !stopWords.contains($0) }
    return Array((telling.isEmpty ? all : telling).prefix(maximumWords))
  }

  /// Words that stand in every question, in the languages that most callers speak.
  private static let stopWords: Set<String> = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "could", "do", "does", "for", "from", "have",
    "how",
    "i", "in", "is", "it", "me", "my", "of", "on", "or", "please", "s", "t", "tell", "that", "the", "there",
    "to",
    "us", "was", "we", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
    "aber", "auf", "bei", "das", "der", "die", "ein", "eine", "es", "für", "ich", "ist", "mit", "sie", "sind",
    "und", "von", "wann", "was", "wie", "wo", "zu", "de", "el", "en", "es", "la", "las", "los", "para", "por",
    "que", "un", "una", "des", "du", "est", "et", "le", "les", "pour", "une", "vous",
  ]
}
