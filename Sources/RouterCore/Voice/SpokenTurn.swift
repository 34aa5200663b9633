/// What the agent says in one turn, piece by piece with its length: tells what a caller who cut it off has heard.
struct SpokenTurn: Sendable {
  private struct Piece {
    var text: String
    /// `nil` while it is being spoken.
    var milliseconds: Int?
  }

  /// An ordinary voice, for pieces whose length is not known yet.
  private static let millisecondsPerCharacter = 65

  let id: TurnID
  /// What it answers to.
  let wish: PipelineMachine.Wish
  private var pieces: [Piece] = []

  init(_ id: TurnID, _ wish: PipelineMachine.Wish) {
    self.id = id
    self.wish = wish
  }

  /// All that was said.
  var text: String { pieces.map(\.text).joined() }
  /// How long it is, as far as known.
  var milliseconds: Int { pieces.reduce(0) { $0 + ($1.milliseconds ?? 0) } }

  /// Whether the words of a piece are there and its sound is not.
  var isBeingSpoken: Bool {
    pieces.last.map { $0.milliseconds == nil && !$0.text.allSatisfy(\.isWhitespace) } ?? false
  }

  /// A piece is about to be spoken.
  mutating func add(_ text: String) { pieces.append(Piece(text: text)) }

  /// The last piece was handed to the speaker whole.
  mutating func spoken(milliseconds: Int) {
    guard !pieces.isEmpty else { return }
    pieces[pieces.count - 1].milliseconds = milliseconds
  }

  /// What was heard within so many milliseconds, in whole words; and what to say again, from the sentence that was
  /// cut.
  func cut(after played: Int) -> (heard: String, rest: String) {
    var left = max(0, played)
    var heard = ""
    for (index, piece) in pieces.enumerated() {
      let length = piece.milliseconds ?? piece.text.count * SpokenTurn.millisecondsPerCharacter
      if left >= length, piece.milliseconds != nil {
        heard += piece.text
        left -= length
        continue
      }
      let characters = Array(piece.text)
      var count = length > 0 ? min(characters.count, characters.count * left / length) : 0
      while count > 0, count < characters.count, !characters[count].isWhitespace { count -= 1 }
      return (heard + String(characters[..<count]), pieces[index...].map(\.text).joined())
    }
    return (heard, "")
  }
}
