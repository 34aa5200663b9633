internal import RouterCore

/// What the model remembers of a conversation, as a note that comes back with the next request.
struct Memory: Hashable {
  /// What the caller was asked, if anything.
  enum Question: Hashable {
    case none
    /// "Did you mean …?", with the question's index.
    case meant(Int)
    case person, goodbye, anythingElse
  }

  /// What was said last, to say it again.
  enum Saying: Hashable {
    case greeting
    case menu(page: Int)
    case answer(Int)
  }

  var question = Question.none
  var saying = Saying.greeting
  /// How often in a row the caller was not understood.
  var misses = 0
  /// How often in a row the caller was silent.
  var silences = 0

  init() {}

  private static let mark = "offline"

  /// The newest note of ours; a fresh memory when there is none or somebody else's.
  init(_ transcript: [TranscriptEntry]) {
    for entry in transcript.reversed() where entry.kind == .note && entry.speaker == .system {
      if let memory = Memory(note: entry.text) {
        self = memory
        return
      }
    }
  }

  /// `offline question=meant:2 saying=answer:1 misses=0 silences=0`
  var note: String {
    let question =
      switch question {
      case .none: "none"
      case .meant(let index): "meant:\(index)"
      case .person: "person"
      case .goodbye: "goodbye"
      case .anythingElse: "else"
      }
    let saying =
      switch saying {
      case .greeting: "greeting"
      case .menu(let page): "menu:\(page)"
      case .answer(let index): "answer:\(index)"
      }
    return "\(Memory.mark) question=\(question) saying=\(saying) misses=\(misses) silences=\(silences)"
  }

  init?(note: String) {
    let words = note.split(separator: " ")
    guard words.first == Memory.mark[...] else { return nil }
    for word in words.dropFirst() {
      let pair = word.split(separator: "=", maxSplits: 1)
      guard pair.count == 2 else { return nil }
      let parts = pair[1].split(separator: ":", maxSplits: 1)
      let number = parts.count == 2 ? Int(parts[1]).flatMap { (0...9999).contains($0) ? $0 : nil } : nil
      switch (pair[0], parts.first, number) {
      case ("question", "none", nil): question = .none
      case ("question", "meant", let index?): question = .meant(index)
      case ("question", "person", nil): question = .person
      case ("question", "goodbye", nil): question = .goodbye
      case ("question", "else", nil): question = .anythingElse
      case ("saying", "greeting", nil): saying = .greeting
      case ("saying", "menu", let page?): saying = .menu(page: page)
      case ("saying", "answer", let index?): saying = .answer(index)
      case ("misses", let count?, nil): misses = Int(count).map { min(max($0, 0), 99) } ?? 0
      case ("silences", let count?, nil): silences = Int(count).map { min(max($0, 0), 99) } ?? 0
      default: return nil
      }
    }
  }
}
