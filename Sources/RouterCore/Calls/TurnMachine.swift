/// Who is speaking, and what the caller has really heard of it. Pure: events in, actions out.
///
/// A turn lives from its start until its last sound was played or it was cut off. A turn that was cut off stays a
/// moment longer, without sound, for the session's own word on what was heard; then its line is written.
struct TurnMachine: Sendable {
  enum Action: Hashable, Sendable {
    case endTurn(TurnID)
    case flush
    case truncate(TurnID, playedMilliseconds: Int)
    case played(TurnID)
    case line(Line)
  }

  /// What the agent said in one turn, as far as it was heard.
  struct Line: Hashable, Sendable {
    var turn: TurnID
    var text: String
    var startedAt: Duration
    var wasInterrupted: Bool
  }

  private struct Turn {
    var id: TurnID
    var startedAt: Duration
    var soundedAt: Duration?
    var text = ""
    var isFinal = false
    /// All audio was handed over.
    var hasEnded = false
    /// How much was heard and how much there was, once it was cut off.
    var cut: (played: Int, sent: Int)?
    /// The session's own word on what was heard.
    var correction: String?
    /// Its session was lost before it was complete.
    var isBroken = false
  }

  /// Characters a second that even a hurried voice does not exceed: bounds the guess of what was heard while text
  /// runs ahead of sound.
  static let fastestSpeech = 18
  /// Turns that live at once; a session that begins more has the oldest cut off.
  static let maximumTurns = 8
  /// UTF-8 bytes of a turn's text that are kept.
  static let maximumText = 16384

  /// Milliseconds of audio that the session gave for each recent turn; whoever counts them sets it before an event.
  var sent: [TurnID: Int] = [:]

  private var turns: [Turn] = []
  private var first: TurnID?
  private var newest = TurnID(0)
  private let protection: Duration

  /// - Parameter greetingProtection: How long the first turn cannot be interrupted, from its first sound.
  init(greetingProtection: Duration = .zero) { protection = greetingProtection }

  /// Whether nothing is being said, or about to be heard.
  var isQuiet: Bool { !turns.contains { $0.cut == nil } }
  /// A number that no turn has had.
  var nextFree: TurnID { newest.next }
  /// What was said so far in a turn, and when it began.
  func words(of id: TurnID) -> (text: String, startedAt: Duration)? {
    turns.first { $0.id == id && $0.cut == nil }.map { ($0.text, $0.startedAt) }
  }
  /// The number for words of the engine's own, after what was said last.
  var nextInterjection: TurnID { newest.followingInterjection }
  /// The session's newest turn whose audio is not complete, and when it began.
  var speaking: (id: TurnID, since: Duration)? {
    turns.last { $0.cut == nil && !$0.hasEnded && !$0.id.isInterjection }.map { ($0.id, $0.startedAt) }
  }
  /// Whether nobody has stopped that turn.
  func isWanted(_ id: TurnID) -> Bool { turns.contains { $0.id == id && $0.cut == nil } }

  mutating func started(_ id: TurnID, at now: Duration) -> [Action] {
    guard id > newest else { return [] }  // late, or told twice
    var actions = settle()
    if turns.count >= TurnMachine.maximumTurns { actions += write(turns.removeFirst()) }
    newest = id
    if first == nil, !id.isInterjection { first = id }
    turns.append(Turn(id: id, startedAt: now))
    return actions
  }

  mutating func said(_ text: String, _ id: TurnID, isFinal: Bool, at now: Duration) -> [Action] {
    let actions = started(id, at: now)  // an adapter may speak before it says that it begins
    guard let index = turns.firstIndex(where: { $0.id == id }) else { return actions }
    if turns[index].cut != nil {
      if isFinal { correct(index, text) }
      return actions
    }
    if isFinal {
      turns[index].text = TurnMachine.clip(text)
      turns[index].isFinal = true
    } else if !turns[index].isFinal, turns[index].text.utf8.count < TurnMachine.maximumText {
      turns[index].text += text
    }
    return actions
  }

  /// A final text for a turn that was cut off is either the session's word on what was heard, or the whole text,
  /// sent before the session knew of the cut. A whole text is never shorter than the pieces that we have.
  private mutating func correct(_ index: Int, _ text: String) {
    if text.utf8.count < turns[index].text.utf8.count {
      turns[index].correction = text
    } else {
      turns[index].text = TurnMachine.clip(text)
    }
  }

  mutating func ended(_ id: TurnID) -> [Action] {
    guard let index = turns.firstIndex(where: { $0.id == id }), !turns[index].hasEnded else { return [] }
    if turns[index].cut != nil { return write(turns.remove(at: index)) }
    turns[index].hasEnded = true
    if sent[id] ?? 0 > 0 { return [.endTurn(id)] }
    turns.remove(at: index)  // a turn without sound: nobody heard its words
    return told(.played(id), of: id)
  }

  mutating func playbackStarted(_ id: TurnID, at now: Duration) {
    guard let index = turns.firstIndex(where: { $0.id == id }) else { return }
    if turns[index].soundedAt == nil { turns[index].soundedAt = now }
  }

  mutating func playbackEnded(_ id: TurnID) -> [Action] {
    guard let index = turns.firstIndex(where: { $0.id == id && $0.cut == nil && $0.hasEnded }) else {
      return []
    }
    return told(.played(id), of: id) + settle() + write(turns.remove(at: index))
  }

  /// The caller began to speak.
  func speechStarted(at now: Duration) -> [Action] {
    guard let turn = turns.first(where: { $0.cut == nil }) else { return [] }
    if turn.id == first, now < (turn.soundedAt ?? turn.startedAt) + protection { return [] }
    return [.flush]
  }

  /// Our sound was stopped.
  mutating func flushed(_ played: PlayedAudio) -> [Action] {
    var actions: [Action] = []
    for index in turns.indices where turns[index].cut == nil {
      let turn = turns[index]
      let all = sent[turn.id] ?? 0
      let heard: Int
      if let playing = played.turn, turn.id == playing {
        heard = min(max(0, played.milliseconds), all)
      } else if let playing = played.turn {
        heard = turn.id < playing ? all : 0
      } else {
        heard = turn.soundedAt == nil ? 0 : all  // it had caught up with the session
      }
      turns[index].cut = (heard, all)
      actions += told(.truncate(turn.id, playedMilliseconds: heard), of: turn.id)
    }
    return actions
  }

  /// The session knows its own turns alone.
  private func told(_ action: Action, of id: TurnID) -> [Action] { id.isInterjection ? [] : [action] }

  /// The session is gone: what it gave is played to its end.
  mutating func sessionEnded() -> [Action] {
    var actions = settle()
    for index in turns.indices where !turns[index].hasEnded && !turns[index].id.isInterjection {
      turns[index].isBroken = true
    }
    for id in turns.filter({ !$0.hasEnded && !$0.id.isInterjection }).map(\.id) {
      actions += ended(id).filter { $0 != .played(id) }  // there is nobody to tell
    }
    return actions
  }

  /// Writes the lines of turns that were cut off: their moment for corrections is over.
  mutating func settle() -> [Action] {
    guard turns.contains(where: { $0.cut != nil }) else { return [] }
    let cut = turns.filter { $0.cut != nil }
    turns.removeAll { $0.cut != nil }
    return cut.flatMap(write)
  }

  /// What was said in turns whose line is not written yet, for a session that takes over.
  var openLines: [Line] {
    turns.map { turn in
      Line(
        turn: turn.id, text: turn.cut == nil ? turn.text : TurnMachine.heardText(turn),
        startedAt: turn.startedAt, wasInterrupted: turn.cut != nil || turn.isBroken)
    }.filter { !$0.text.isEmpty }
  }

  private func write(_ turn: Turn) -> [Action] {
    let text = turn.cut == nil ? turn.text : TurnMachine.heardText(turn)
    if text.isEmpty { return [] }
    let wasInterrupted = turn.cut.map { !(turn.hasEnded && $0.played >= $0.sent) } ?? turn.isBroken
    return [
      .line(Line(turn: turn.id, text: text, startedAt: turn.startedAt, wasInterrupted: wasInterrupted))
    ]
  }

  /// The words of a turn that was cut off which the caller has heard: the session's word, or as much of the text as
  /// of the sound, in whole words.
  private static func heardText(_ turn: Turn) -> String {
    guard let cut = turn.cut, turn.correction == nil else { return turn.correction ?? turn.text }
    if cut.sent <= 0 || cut.played <= 0 { return "" }
    if turn.hasEnded && cut.played >= cut.sent { return turn.text }
    let characters = Array(turn.text)
    var count = characters.count * min(cut.played, cut.sent) / cut.sent
    if !turn.hasEnded { count = min(count, cut.played * fastestSpeech / 1000) }
    if count >= characters.count { return turn.text }
    while count > 0 && characters[count] != " " { count -= 1 }
    return String(characters[..<count])
  }

  private static func clip(_ text: String) -> String {
    text.utf8.count <= maximumText ? text : String(decoding: text.utf8.prefix(maximumText), as: UTF8.self)
  }
}
