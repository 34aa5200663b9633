/// A call's transcript within its limits. When it is full, one last line says so.
struct TranscriptLog: Sendable {
  private(set) var entries: [TranscriptEntry] = []
  private(set) var isFull = false
  private var bytes = 0
  private let maximumEntries: Int
  private let maximumBytes: Int

  init(maximumEntries: Int, maximumBytes: Int) {
    self.maximumEntries = maximumEntries
    self.maximumBytes = maximumBytes
  }

  /// Adds a line.
  /// - Returns: What was really added; `nil` when the transcript is full already.
  mutating func append(_ entry: TranscriptEntry) -> TranscriptEntry? {
    guard !isFull else { return nil }
    var entry = entry
    // Models end their pieces with spaces and line breaks that nobody heard.
    while entry.text.last?.isWhitespace == true { entry.text.removeLast() }
    let size = entry.text.utf8.count
    if entries.count + 1 >= maximumEntries || bytes + size > maximumBytes {
      isFull = true
      entry = TranscriptEntry(.system, .note, "the transcript is full", at: entry.at)
    } else {
      bytes += size
    }
    entries.append(entry)
    return entry
  }
}
