import Testing

@testable import RouterCore

/// Who speaks, and what the caller has really heard: stories as tables of steps.
@Suite struct TurnMachineTests {
  enum Step: Sendable {
    case at(Int)
    case sent(Int, Int)
    case started(Int)
    case said(String, Int, isFinal: Bool = true)
    case ended(Int)
    case playing(Int)
    case played(Int)
    case speech
    case flushed(Int?, Int)
    case settle
    case sessionEnded
  }

  struct Story: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var protection = 0
    var steps: [Step]
    var actions: [TurnMachine.Action]
    var isQuiet = true
    init(
      _ description: String, protection: Int = 0, _ steps: [Step], gives actions: [TurnMachine.Action],
      isQuiet: Bool = true
    ) {
      testDescription = description
      self.protection = protection
      self.steps = steps
      self.actions = actions
      self.isQuiet = isQuiet
    }
  }

  static func line(_ text: String, _ turn: Int = 1, at: Int = 0, cut: Bool = false) -> TurnMachine.Action {
    .line(
      TurnMachine.Line(
        turn: TurnID(turn), text: text, startedAt: .milliseconds(at), wasInterrupted: cut))
  }

  static let words = "one two three four five six seven eight nine ten"  // 48 characters

  static let stories: [Story] = [
    Story(
      "a turn is played to its end",
      [.started(1), .said("Hello.", 1), .sent(1, 500), .playing(1), .ended(1), .played(1)],
      gives: [.endTurn(TurnID(1)), .played(TurnID(1)), line("Hello.")]),
    Story(
      "pieces join",
      [
        .started(1), .said("Hel", 1, isFinal: false), .said("lo.", 1, isFinal: false), .sent(1, 500),
        .ended(1),
        .played(1),
      ],
      gives: [.endTurn(TurnID(1)), .played(TurnID(1)), line("Hello.")]),
    Story(
      "pieces after the final text are ignored",
      [
        .started(1), .said("Hello.", 1), .said("lo.", 1, isFinal: false), .sent(1, 500), .ended(1),
        .played(1),
      ],
      gives: [.endTurn(TurnID(1)), .played(TurnID(1)), line("Hello.")]),
    Story(
      "a turn is live until it was played",
      [.started(1), .sent(1, 500), .ended(1)], gives: [.endTurn(TurnID(1))], isQuiet: false),
    Story(
      "playback ends only after the turn's audio did", [.started(1), .sent(1, 500), .played(1)], gives: [],
      isQuiet: false),
    Story(
      "a turn without sound is over at once, and nobody heard its words",
      [.started(1), .said("unheard", 1), .ended(1)], gives: [.played(TurnID(1))]),
    Story(
      "barge-in cuts in the proportion of what was played, in whole words",
      [
        .started(1), .said(words, 1), .sent(1, 4800), .playing(1), .ended(1), .speech, .flushed(1, 1600),
        .settle,
      ],
      gives: [
        .endTurn(TurnID(1)), .flush, .truncate(TurnID(1), playedMilliseconds: 1600),
        line("one two three", cut: true),
      ]),
    Story(
      "text that runs ahead of its sound is not taken for heard",
      [.started(1), .said(words, 1), .sent(1, 400), .playing(1), .speech, .flushed(1, 400), .settle],
      gives: [.flush, .truncate(TurnID(1), playedMilliseconds: 400), line("one two", cut: true)]),
    Story(
      "the session's own word on what was heard wins",
      [
        .started(1), .said(words, 1), .sent(1, 4800), .playing(1), .ended(1), .speech, .flushed(1, 1600),
        .said("one two", 1), .settle,
      ],
      gives: [
        .endTurn(TurnID(1)), .flush, .truncate(TurnID(1), playedMilliseconds: 1600),
        line("one two", cut: true),
      ]),
    Story(
      "the whole text, sent before the session knew of the cut, is cut too",
      [
        .started(1), .said("one two ", 1, isFinal: false), .sent(1, 4800), .playing(1), .speech,
        .flushed(1, 1600), .said(words, 1), .ended(1),
      ],
      gives: [
        .flush, .truncate(TurnID(1), playedMilliseconds: 1600), line("one two three", cut: true),
      ]),
    Story(
      "everything was heard just before the cut",
      [
        .started(1), .said(words, 1), .sent(1, 4800), .playing(1), .ended(1), .speech, .flushed(1, 4800),
        .settle,
      ],
      gives: [
        .endTurn(TurnID(1)), .flush, .truncate(TurnID(1), playedMilliseconds: 4800), line(words),
      ]),
    Story(
      "a cut before the first sound leaves no line",
      [.started(1), .said(words, 1), .sent(1, 4800), .speech, .flushed(nil, 0), .settle],
      gives: [.flush, .truncate(TurnID(1), playedMilliseconds: 0)]),
    Story(
      "playback that had caught up with the session has played all",
      [.started(1), .said(words, 1), .sent(1, 2000), .playing(1), .speech, .flushed(nil, 0)],
      gives: [.flush, .truncate(TurnID(1), playedMilliseconds: 2000)]),
    Story(
      "two turns: the one that plays is cut, the one behind it was not heard",
      [
        .started(1), .said("one", 1), .sent(1, 1000), .playing(1), .ended(1), .started(2), .said("two", 2),
        .sent(2, 1000), .speech, .flushed(1, 900), .settle,
      ],
      gives: [
        .endTurn(TurnID(1)), .flush, .truncate(TurnID(1), playedMilliseconds: 900),
        .truncate(TurnID(2), playedMilliseconds: 0),
      ]),
    Story("speech while nothing is said cuts nothing", [.speech], gives: []),
    Story(
      "late events of a cut turn fall to nothing",
      [
        .started(1), .sent(1, 1000), .playing(1), .speech, .flushed(1, 0), .ended(1), .ended(1), .played(1),
        .started(1), .said("late", 1), .playing(1),
      ],
      gives: [.flush, .truncate(TurnID(1), playedMilliseconds: 0)]),
    Story(
      "a turn number that was used is no new turn", [.started(2), .started(1), .ended(2), .ended(1)],
      gives: [.played(TurnID(2))]),
    Story(
      "the greeting cannot be cut off in its window", protection: 2000,
      [.started(1), .sent(1, 5000), .at(100), .playing(1), .at(2000), .speech], gives: [], isQuiet: false),
    Story(
      "after its window it can", protection: 2000,
      [.started(1), .sent(1, 5000), .at(100), .playing(1), .at(2100), .speech], gives: [.flush],
      isQuiet: false),
    Story(
      "only the greeting has a window", protection: 2000,
      [.started(1), .ended(1), .started(2), .sent(2, 5000), .playing(2), .speech],
      gives: [.played(TurnID(1)), .flush], isQuiet: false),
    Story(
      "words before a turn begin it", [.said("early", 1), .sent(1, 100), .ended(1), .played(1)],
      gives: [.endTurn(TurnID(1)), .played(TurnID(1)), line("early")]),
    Story(
      "what a session gave before it failed is played to its end",
      [.started(1), .said("half", 1), .sent(1, 500), .playing(1), .sessionEnded, .played(1)],
      gives: [.endTurn(TurnID(1)), .played(TurnID(1)), line("half", cut: true)]),
    Story("a failed session's silent turn is forgotten", [.started(1), .sessionEnded], gives: []),
    Story(
      "a line is written before the next one begins",
      [
        .started(1), .said("cut off", 1), .sent(1, 1000), .playing(1), .ended(1), .speech, .flushed(1, 500),
        .at(700), .started(2),
      ],
      gives: [
        .endTurn(TurnID(1)), .flush, .truncate(TurnID(1), playedMilliseconds: 500), line("cut", cut: true),
      ], isQuiet: false),
  ]

  @Test(arguments: stories) func story(_ story: Story) {
    var machine = TurnMachine(greetingProtection: .milliseconds(story.protection))
    var now = Duration.zero
    var actions: [TurnMachine.Action] = []
    for step in story.steps {
      switch step {
      case .at(let milliseconds): now = .milliseconds(milliseconds)
      case .sent(let turn, let milliseconds): machine.sent[TurnID(turn)] = milliseconds
      case .started(let turn): actions += machine.started(TurnID(turn), at: now)
      case .said(let text, let turn, let isFinal):
        actions += machine.said(text, TurnID(turn), isFinal: isFinal, at: now)
      case .ended(let turn): actions += machine.ended(TurnID(turn))
      case .playing(let turn): machine.playbackStarted(TurnID(turn), at: now)
      case .played(let turn): actions += machine.playbackEnded(TurnID(turn))
      case .speech: actions += machine.speechStarted(at: now)
      case .flushed(let turn, let milliseconds):
        actions += machine.flushed(PlayedAudio(turn: turn.map(TurnID.init), milliseconds: milliseconds))
      case .settle: actions += machine.settle()
      case .sessionEnded: actions += machine.sessionEnded()
      }
    }
    #expect(actions == story.actions)
    #expect(machine.isQuiet == story.isQuiet)
  }

  @Test func turnsAreBounded() {
    var machine = TurnMachine()
    for turn in 1...100 { _ = machine.started(TurnID(turn), at: .zero) }
    #expect(machine.openLines.count <= TurnMachine.maximumTurns)
    #expect(machine.nextFree == TurnID(101))
    _ = machine.said(String(repeating: "x", count: 100_000), TurnID(100), isFinal: true, at: .zero)
    #expect(machine.openLines.last?.text.utf8.count == TurnMachine.maximumText)
    for _ in 0..<100 {
      _ = machine.said(String(repeating: "y", count: 10_000), TurnID(101), isFinal: false, at: .zero)
    }
    #expect(machine.openLines.last?.text.utf8.count ?? 0 <= TurnMachine.maximumText + 10_000)
  }
}
