internal import RouterCore

/// What was said, as a session is told that did not hear it. Bounded: the oldest is forgotten first.
struct ConversationMemory {
  static let maximumLines = 100
  static let maximumBytes = 32 << 10

  private var lines: [(role: ClientEvent.Role, text: String, turn: TurnID?, began: Duration)] = []
  private var bytes = 0

  /// What a new session is told, oldest first.
  var events: [ClientEvent] { lines.map { .message($0.role, $0.text) } }

  /// - Parameter began: When the words began: what a caller said is written down late, and stands before its answer.
  mutating func add(
    _ role: ClientEvent.Role, _ text: String, turn: TurnID? = nil, at began: Duration = .zero
  ) {
    guard !text.isEmpty, text.utf8.count <= ConversationMemory.maximumBytes else { return }
    let place = lines.lastIndex { $0.began <= began }.map { $0 + 1 } ?? 0
    lines.insert((role, text, turn, began), at: place)
    bytes += text.utf8.count
    while lines.count > ConversationMemory.maximumLines || bytes > ConversationMemory.maximumBytes {
      bytes -= lines.removeFirst().text.utf8.count
    }
  }

  /// The caller has heard only this share of a turn.
  mutating func cut(_ turn: TurnID, to share: Double) {
    guard let index = lines.lastIndex(where: { $0.turn == turn }) else { return }
    let text = lines[index].text
    let count = Int(Double(text.count) * min(1, max(0, share)))
    bytes -= text.utf8.count
    lines[index].text = String(text.prefix(count))
    bytes += lines[index].text.utf8.count
    if count == 0 { lines.remove(at: index) }
  }

  /// A line of the call's transcript.
  mutating func add(_ entry: TranscriptEntry) {
    switch (entry.speaker, entry.kind) {
    case (.caller, .speech): add(.user, entry.text)
    case (.agent, .speech): add(.assistant, entry.text)
    case (.caller, .digits): add(.user, ConversationMemory.keys(entry.text))
    case (_, .toolResult): add(.system, ConversationMemory.result(entry.text))
    // Notes are the models' own, and what was handed over did not come back without a result.
    default: break
    }
  }

  /// How the model is told of a tool's result that it did not ask for.
  static func result(_ output: String) -> String { "Result of a tool: \(output)" }

  /// How the model is told of keys.
  static func keys(_ digits: String) -> String { "[The caller pressed the keys \(digits) on the telephone.]" }
}

/// The caller's words in the order in which they were spoken: they are written down on the side, and the second turn
/// may be ready before the first.
struct HearingOrder {
  /// What a caller said in one turn, and when that began, if it is known.
  struct Words: Hashable {
    var text: String
    var began: Duration?
  }

  /// Turns that may wait for an earlier one.
  static let maximumWaiting = 4

  private var order: [String] = []
  private var ready: [String: String] = [:]
  private var pieces: [String: String] = [:]
  private var beginnings: [(item: String, at: Duration)] = []

  /// The caller began a turn.
  mutating func began(_ item: String, at now: Duration) {
    guard !item.isEmpty, beginning(of: item) == nil else { return }
    beginnings.append((item, now))
    if beginnings.count > 2 * HearingOrder.maximumWaiting { beginnings.removeFirst() }
  }

  /// When a turn began; `nil` for one that nobody told of.
  func beginning(of item: String) -> Duration? { beginnings.first { $0.item == item }?.at }

  mutating func committed(_ item: String) -> [Words] {
    guard !order.contains(item) else { return [] }
    order.append(item)
    if order.count > HearingOrder.maximumWaiting { return [take(order.removeFirst())] + flush() }
    return []
  }

  /// The words of a turn are complete. Returns what can be told now, in order.
  mutating func heard(_ item: String, _ text: String) -> [Words] {
    guard order.contains(item) else {
      pieces[item] = nil
      // Told without a commit, or too late for its place.
      return [Words(text: text, began: beginning(of: item))]
    }
    ready[item] = text
    return flush()
  }

  /// The words so far.
  mutating func piece(_ item: String, _ text: String) -> String {
    if pieces.count > HearingOrder.maximumWaiting, pieces[item] == nil { pieces.removeAll() }
    let all = (pieces[item] ?? "") + text
    guard all.utf8.count <= ConversationMachine.maximumText else { return pieces[item] ?? "" }
    pieces[item] = all
    return all
  }

  private mutating func flush() -> [Words] {
    var words: [Words] = []
    while let first = order.first, ready[first] != nil { words.append(take(order.removeFirst())) }
    return words
  }

  private mutating func take(_ item: String) -> Words {
    let piece = pieces.removeValue(forKey: item)
    return Words(text: ready.removeValue(forKey: item) ?? piece ?? "", began: beginning(of: item))
  }
}
