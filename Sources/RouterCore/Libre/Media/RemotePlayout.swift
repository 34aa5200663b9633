/// What a provider holds of our sound, and how much of it was played: we send a little ahead and are told by marks.
///
/// Times are microseconds of a steady clock. Pure and bounded. After a flush a new generation begins; marks of older
/// ones come back, too, and mean nothing then.
struct RemotePlayout {
  private struct Mark {
    var name: String
    var position: Int
    /// The turn that ends with it.
    var turn: TurnID?
    /// When it counts as come back although it has not.
    var due: Int
  }

  private struct Turn {
    var turn: TurnID
    var start: Int
  }

  /// A mark at least every so many milliseconds of sound, to know where the provider is.
  private static let markEvery = 200
  /// Marks that may be under way; beyond, only ends of turns are marked.
  private static let maximumMarks = 64
  /// A mark that is so late will not come.
  private static let patience = 2_000_000

  /// Whether the provider gives marks back; without, time alone tells.
  var hasMarks = true

  private var generation = 0
  private var lastMark = (number: 0, position: 0)
  private var marks: [Mark] = []
  private var turns: [Turn] = []
  /// Milliseconds of sound that were sent in this generation.
  private var sent = 0
  /// When all that was sent is played.
  private var end = 0
  /// What was played at some moment.
  private var reference = (position: 0, at: 0)

  /// Milliseconds that the provider still holds.
  func level(at now: Int) -> Int { max(0, end - now) / 1000 }

  /// Milliseconds of this generation that were played.
  private func played(at now: Int) -> Int {
    min(sent, reference.position + max(0, now - reference.at) / 1000)
  }

  /// A turn begins with the next sound.
  mutating func begin(_ turn: TurnID) { turns.append(Turn(turn: turn, start: sent)) }

  /// Sound goes out. Returns the name of a mark that has to follow it, at times.
  mutating func send(_ milliseconds: Int, at now: Int) -> String? {
    if end <= now {
      end = now
      reference = (sent, now)
    }
    sent += milliseconds
    end += milliseconds * 1000
    guard hasMarks, sent - lastMark.position >= RemotePlayout.markEvery,
      marks.count < RemotePlayout.maximumMarks
    else { return nil }
    return mark(ending: nil, at: now)
  }

  /// A turn's last sound was sent. Returns the name of the mark that has to follow it.
  mutating func finish(_ turn: TurnID, at now: Int) -> String {
    if !turns.contains(where: { $0.turn == turn }) { begin(turn) }
    return mark(ending: turn, at: now)
  }

  private mutating func mark(ending turn: TurnID?, at now: Int) -> String {
    lastMark = (lastMark.number + 1, sent)
    let name = "\(generation).\(lastMark.number)"
    let due = max(end, now) + (hasMarks ? RemotePlayout.patience : 0)
    marks.append(Mark(name: name, position: sent, turn: turn, due: due))
    return name
  }

  /// A mark came back. Returns the turns that are over.
  mutating func echoed(_ name: String, at now: Int) -> [TurnID] {
    guard let index = marks.firstIndex(where: { $0.name == name }) else { return [] }
    reference = (marks[index].position, now)
    return pass(index + 1)
  }

  /// The turns whose marks should have come back long ago.
  mutating func overdue(at now: Int) -> [TurnID] {
    guard let index = marks.lastIndex(where: { $0.due <= now }) else { return [] }
    return pass(index + 1)
  }

  private mutating func pass(_ count: Int) -> [TurnID] {
    let over = marks.prefix(count).compactMap(\.turn)
    marks.removeFirst(count)
    turns.removeAll { over.contains($0.turn) }
    return over
  }

  /// The provider's queue is another, empty one. Returns the turns that were sent to their end.
  mutating func restart() -> [TurnID] {
    let over = pass(marks.count)
    // A turn that is under way goes on; what was heard of it counts from here.
    let open = turns.last?.turn
    begin(anewAt: 0)
    if let open { begin(open) }
    return over
  }

  private mutating func begin(anewAt now: Int) {
    generation += 1
    lastMark = (0, 0)
    marks = []
    turns = []
    sent = 0
    end = now
    reference = (0, now)
  }

  /// Everything is dropped, there and here. Returns what was heard of the turn that was playing.
  mutating func flush(at now: Int) -> PlayedAudio {
    let position = played(at: now)
    // The one that began last before here; the first one if the provider has not got to it yet.
    let current = turns.last { $0.start <= position } ?? turns.first
    let heard = current.map { PlayedAudio(turn: $0.turn, milliseconds: max(0, position - $0.start)) }
    begin(anewAt: now)
    return heard ?? PlayedAudio()
  }
}
