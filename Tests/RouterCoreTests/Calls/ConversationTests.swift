import Testing

@testable import RouterCore

/// What the machine of a call decides while agent and caller talk.
@Suite struct ConversationTests {
  typealias Machines = CallMachineTests

  static func talking(
    _ agent: AgentConfiguration = Machines.first, _ change: (inout EngineSettings) -> Void = { _ in }
  ) -> CallMachine {
    var machine = Machines.machine(change)
    _ = Machines.play(
      &machine, [(0, .start([.agent(agent)])), (0, .opened(attempt: 1)), (0, .answered)])
    return machine
  }

  static func tool(_ name: String, _ id: String = "t1") -> CallEvent {
    .voice(attempt: 1, .toolCall(ToolCall(id: id, name: name, turn: TurnID(1))))
  }

  static let speaking: [(Double, CallEvent)] = [
    (1, .voice(attempt: 1, .turnStarted(TurnID(1)))),
    (1, .voice(attempt: 1, .said("Goodbye.", turn: TurnID(1), isFinal: true))),
  ]
  static let spoken: [(Double, CallEvent)] = [
    (2, .voice(attempt: 1, .turnEnded(TurnID(1)))), (3, .leg(.playbackEnded(TurnID(1)))),
  ]

  @Test func bargeInFlushesAndTruncates() {
    var machine = ConversationTests.talking()
    _ = Machines.play(&machine, ConversationTests.speaking, sent: [TurnID(1): 1000])
    #expect(Machines.play(&machine, [(2, .voice(attempt: 1, .speechStarted))]) == [.flush])
    let flushed = CallEvent.flushed(PlayedAudio(turn: TurnID(1), milliseconds: 300))
    #expect(
      Machines.play(&machine, [(2, flushed)])
        == [.send(attempt: 1, .truncate(TurnID(1), playedMilliseconds: 300))])
  }

  @Test func aCallersLineStandsWhereTheWordsBegan() {
    var machine = ConversationTests.talking()
    func heard(_ text: String, _ isFinal: Bool = true) -> CallEvent {
      .voice(attempt: 1, .heard(text, confidence: nil, isFinal: isFinal))
    }
    func line(_ text: String, at: Int) -> TranscriptEntry { TranscriptEntry(.caller, .speech, text, at: at) }
    let events: [(Double, CallEvent)] = [
      (1, .voice(attempt: 1, .speechStarted)), (2, .voice(attempt: 1, .speechEnded)),
      (2.5, .voice(attempt: 1, .turnStarted(TurnID(1)))), (3, heard("Wh", false)), (4, heard("When?")),
      // The session knows better than we do.
      (5, .voice(attempt: 1, .speechStarted)), (7, .voice(attempt: 1, .callerBegan(millisecondsAgo: 2500))),
      (7, heard("Now?")), (8, heard("Nobody told of this.")),
    ]
    let told = events.flatMap { Machines.play(&machine, [$0]) }.filter { action in
      if case .transcript = action { true } else { false }
    }
    #expect(
      told == [
        .transcript(line("When?", at: 1000)), .transcript(line("Now?", at: 4500)),
        .transcript(line("Nobody told of this.", at: 8000)),
      ])
  }

  @Test func hangUpWaitsForTheLastWords() {
    var machine = ConversationTests.talking()
    let asked = Machines.play(
      &machine, ConversationTests.speaking + [(1.5, ConversationTests.tool(Tool.hangUp))],
      sent: [TurnID(1): 900])
    #expect(asked == [.transcript(TranscriptEntry(.agent, .toolCall, "hang_up {}", at: 1500))])
    #expect(machine.state == .ending)
    // Last words are not cut off.
    #expect(Machines.play(&machine, [(1.6, .voice(attempt: 1, .speechStarted))]) == [])
    let actions = Machines.play(&machine, ConversationTests.spoken)
    #expect(
      actions.last == .finish(CallEnd(.agentHungUp, text: "the agent ended the call"), wasAnswered: true))
  }

  @Test func hangUpDoesNotWaitForever() {
    var machine = ConversationTests.talking { $0.goodbyeSeconds = 5 }
    let actions = Machines.play(
      &machine, ConversationTests.speaking + [(2, ConversationTests.tool(Tool.hangUp)), (7, .tick)],
      sent: [TurnID(1): 900])
    guard case .finish(let end, wasAnswered: true) = actions.last else {
      Issue.record("not over: \(actions)")
      return
    }
    #expect(end.reason == .agentHungUp)
    #expect(actions.contains(.flush))
  }

  @Test func handOverWithoutWordsBeginsAtOnce() {
    var machine = ConversationTests.talking(Machines.person)
    let asked = Machines.play(&machine, [(1, ConversationTests.tool(Tool.handOver))])
    #expect(asked.suffix(2) == [.mute(attempt: 1, true), .transfer(id: 1, TransferRequest(target: "0200"))])
    #expect(machine.state == .transferring)
    let done = Machines.play(&machine, [(2, .transferEnded(id: 1, .completed))])
    #expect(done.last == .finish(CallEnd(.transferred, text: "handed over"), wasAnswered: true))
  }

  @Test(arguments: [
    (TransferOutcome.failed(status: 486, reason: "Busy Here"), "the transfer failed: 486 Busy Here"),
    (.refused(status: 603, reason: "Declined"), "the transfer was refused: 603 Declined"),
    (.timedOut, "nobody answered the transfer in time"), (.unsupported, "this channel cannot transfer"),
  ]) func theAgentComesBackWithWords(outcome: TransferOutcome, words: String) {
    var machine = ConversationTests.talking(Machines.person)
    let actions = Machines.play(
      &machine, [(1, ConversationTests.tool(Tool.handOver)), (2, .transferEnded(id: 1, outcome))])
    #expect(
      actions == [
        .transcript(TranscriptEntry(.system, .transfer, words, at: 2000)), .mute(attempt: 1, false),
        .transcript(TranscriptEntry(.system, .toolResult, "failed: \"\(words)\"", at: 2000)),
        .send(attempt: 1, .toolResult(ToolResult(callID: "t1", output: .string(words), isError: true))),
      ])
    #expect(machine.state == .conversation)
  }

  @Test func handOverNeedsAPerson() {
    var machine = ConversationTests.talking()
    let actions = Machines.play(&machine, [(1, ConversationTests.tool(Tool.handOver))])
    guard case .send(attempt: 1, .toolResult(let result)) = actions.last else {
      Issue.record("no result: \(actions)")
      return
    }
    #expect(result.isError)
  }

  /// The network ends the caller's dialog after a transfer that worked, and after one that the caller left.
  @Test(arguments: [(TransferOutcome.completed, CallEnd.Reason.transferred), (.callerHungUp, .callerHungUp)])
  func theOutcomeDecidesWhatAnEndDuringATransferMeans(outcome: TransferOutcome, reason: CallEnd.Reason) {
    var machine = ConversationTests.talking(Machines.person)
    let hungUp = CallEvent.leg(.hungUp(Machines.callerHungUp))
    #expect(Machines.play(&machine, [(1, ConversationTests.tool(Tool.handOver)), (2, hungUp)]) == [])
    let actions = Machines.play(&machine, [(2, .transferEnded(id: 1, outcome))])
    guard case .finish(let end, wasAnswered: true) = actions.last else {
      Issue.record("not over: \(actions)")
      return
    }
    #expect(end.reason == reason)
  }

  @Test func anOutcomeThatNeverComesEndsTheCall() {
    var machine = ConversationTests.talking(Machines.person)
    let hungUp = CallEvent.leg(.hungUp(Machines.callerHungUp))
    let actions = Machines.play(
      &machine, [(1, ConversationTests.tool(Tool.handOver)), (2, hungUp), (7, .tick)])
    #expect(actions.last == .finish(Machines.callerHungUp, wasAnswered: true))
  }

  @Test func toolsRunAndAnswer() {
    var machine = ConversationTests.talking()
    let call = ToolCall(id: "t1", name: "order_status", turn: TurnID(1))
    let asked = Machines.play(&machine, [(1, ConversationTests.tool("order_status"))])
    #expect(asked.last == .runTool(attempt: 1, call))
    let result = ToolResult(callID: "t1", output: ["state": "sent"])
    let finished = Machines.play(&machine, [(2, .toolFinished(attempt: 1, result))])
    #expect(
      finished == [
        .transcript(TranscriptEntry(.system, .toolResult, "{\"state\": \"sent\"}", at: 2000)),
        .send(attempt: 1, .toolResult(result)),
      ])
    #expect(Machines.play(&machine, [(3, .toolFinished(attempt: 1, result))]) == [])  // once
  }

  @Test func aToolThatTakesTooLongIsGivenUp() {
    var machine = ConversationTests.talking { $0.fillerMilliseconds = 0 }
    let actions = Machines.play(&machine, [(1, ConversationTests.tool("slow")), (11, .tick)])
    #expect(actions.first == .cancelTool(id: "t1"))
    guard case .send(attempt: 1, .toolResult(let result)) = actions.last else {
      Issue.record("no result: \(actions)")
      return
    }
    #expect(result.isError && result.output == "Failed to fetch information: no result within 10 s")
    let late = ToolResult(callID: "t1", output: "late")
    #expect(Machines.play(&machine, [(12, .toolFinished(attempt: 1, late))]) == [])
  }

  @Test func toolsAreBounded() {
    var machine = ConversationTests.talking { $0.maximumTools = 2 }
    let actions = Machines.play(
      &machine, (1...3).map { (1, ConversationTests.tool("tool", "t\($0)")) })
    guard case .send(attempt: 1, .toolResult(let result)) = actions.last else {
      Issue.record("no result: \(actions)")
      return
    }
    #expect(result.isError && result.callID == "t3")
  }

  @Test func theWatchdogEndsASilentTurn() {
    var machine = ConversationTests.talking()
    #expect(Machines.play(&machine, [(1, .voice(attempt: 1, .turnStarted(TurnID(1)))), (10.9, .tick)]) == [])
    let actions = Machines.play(&machine, [(11, .tick)])
    #expect(actions.contains(.close(attempt: 1)))
    #expect(actions.last == .open(attempt: 2, Machines.second))
  }

  @Test func theWatchdogWaitsForSoundThatIsStillPlaying() {
    var machine = ConversationTests.talking()
    _ = Machines.play(&machine, [(1, .voice(attempt: 1, .turnStarted(TurnID(1))))])
    let sent = [TurnID(1): 60_000]
    #expect(Machines.play(&machine, [(11, .tick), (70.9, .tick)], sent: sent, until: 61) == [])
    #expect(Machines.play(&machine, [(71, .tick)], sent: sent, until: 61).contains(.close(attempt: 1)))
  }

  @Test(arguments: ["tool", "hold", "ended"]) func theWatchdogSleeps(during what: String) {
    var machine = ConversationTests.talking { $0.toolSeconds = 100 }
    _ = Machines.play(&machine, [(1, .voice(attempt: 1, .turnStarted(TurnID(1))))])
    switch what {
    case "tool": _ = Machines.play(&machine, [(2, ConversationTests.tool("tool"))])
    case "hold": _ = Machines.play(&machine, [(2, .leg(.held(true)))])
    default: _ = Machines.play(&machine, [(2, .voice(attempt: 1, .turnEnded(TurnID(1))))])
    }
    #expect(Machines.play(&machine, [(11, .tick), (22, .tick), (33, .tick)]) == [])
  }

  @Test func holdIsToldAndWritten() {
    var machine = ConversationTests.talking()
    let held = Machines.play(&machine, [(1, .leg(.held(true)))])
    #expect(
      held == [Machines.note("the caller put us on hold", at: 1000), .send(attempt: 1, .held(true))])
    #expect(machine.state == .held)
    #expect(Machines.play(&machine, [(2, .leg(.held(true)))]) == [])
    let back = Machines.play(&machine, [(3, .leg(.held(false)))])
    #expect(back.last == .send(attempt: 1, .held(false)))
  }

  @Test func lostMediaEndsTheCallButNotDuringATransfer() {
    var machine = ConversationTests.talking(Machines.person)
    var other = machine
    guard case .finish(let end, wasAnswered: true) = Machines.play(&machine, [(1, .leg(.mediaLost))]).last
    else { return }
    #expect(end.reason == .mediaLost)
    #expect(
      Machines.play(&other, [(1, ConversationTests.tool(Tool.handOver)), (2, .leg(.mediaLost))]) == [])
  }

  @Test func wordsCutOffByTheEndAreWrittenAsHeard() {
    var machine = ConversationTests.talking()
    _ = Machines.play(
      &machine,
      [
        (1, .voice(attempt: 1, .turnStarted(TurnID(1)))),
        (1, .voice(attempt: 1, .said(TurnMachineTests.words, turn: TurnID(1), isFinal: true))),
        (2, .voice(attempt: 1, .turnEnded(TurnID(1)))),
      ], sent: [TurnID(1): 4800])
    let end = Machines.play(&machine, [(3, .leg(.hungUp(Machines.callerHungUp)))])
    #expect(end == [.flush, .close(attempt: 1), .finish(Machines.callerHungUp, wasAnswered: true)])
    let written = Machines.play(
      &machine, [(3, .flushed(PlayedAudio(turn: TurnID(1), milliseconds: 1600)))])
    #expect(
      written == [
        .transcript(
          TranscriptEntry(.agent, .speech, "one two three", at: 1000, turn: TurnID(1), wasInterrupted: true))
      ])
  }
}
