import Testing

@testable import RouterCore

@Suite struct SpokenTurnTests {
  private static let turn: SpokenTurn = {
    var turn = SpokenTurn(TurnID(1), .respond(.greeting))
    turn.add("One two three. ")
    turn.spoken(milliseconds: 1500)
    turn.add("Four five.")
    turn.spoken(milliseconds: 1000)
    return turn
  }()

  @Test(arguments: [
    (-5, "", "One two three. Four five."),
    (0, "", "One two three. Four five."),
    (200, "", "One two three. Four five."),
    (900, "One two", "One two three. Four five."),
    (1500, "One two three. ", "Four five."),
    (2200, "One two three. Four", "Four five."),
    (2500, "One two three. Four five.", ""),
    (9999, "One two three. Four five.", ""),
  ])
  func heard(_ milliseconds: Int, _ heard: String, _ rest: String) {
    let cut = Self.turn.cut(after: milliseconds)
    #expect(cut.heard == heard)
    #expect(cut.rest == rest)
  }

  @Test func aPieceThatIsStillBeingSpokenIsGuessed() {
    var turn = SpokenTurn(TurnID(1), .respond(.greeting))
    turn.add("One two three four five six seven eight.")
    #expect(turn.cut(after: 0).heard == "")
    #expect(turn.cut(after: 700).heard == "One two")
    #expect(turn.cut(after: 700).rest == "One two three four five six seven eight.")
    #expect(SpokenTurn(TurnID(2), .respond(.silence)).cut(after: 100) == ("", ""))
  }
}
