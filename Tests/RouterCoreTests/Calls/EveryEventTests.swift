import Testing

@testable import RouterCore

/// Every event in every phase, also those that come too late or make no sense there, and random walks of them: the
/// machine never breaks its promises.
@Suite struct EveryEventTests {
  typealias Machines = CallMachineTests

  /// A way into each phase.
  static let phases: [(name: String, agent: AgentConfiguration, events: [(Double, CallEvent)])] = [
    ("waiting", Machines.first, []),
    ("opening", Machines.first, [(0, .start([.agent(Machines.first)]))]),
    ("answering", Machines.first, [(0, .start([.agent(Machines.first)])), (0, .opened(attempt: 1))]),
    ("answering a transfer", Machines.first, [(0, .start([.transfer(Machines.transfer)]))]),
    ("talking", Machines.first, Machines.toTalking),
    ("speaking", Machines.first, Machines.toTalking + ConversationTests.speaking),
    ("failing over", Machines.first, Machines.toTalking + [(1, .voiceFinished(attempt: 1))]),
    (
      "leaving", Machines.first,
      Machines.toTalking + ConversationTests.speaking + [(1, ConversationTests.tool(Tool.hangUp))]
    ),
    (
      "transferring", Machines.person,
      [(0, .start([.agent(Machines.person)])), (0, .opened(attempt: 1)), (0, .answered)]
        + [(1, ConversationTests.tool(Tool.handOver))]
    ),
    (
      "transferring as target", Machines.first, [(0, .start([.transfer(Machines.transfer)])), (0, .answered)]
    ),
    (
      "apologising", Machines.second,
      [(0, .start([.agent(Machines.second)])), (0, .opened(attempt: 1)), (0, .answered)]
        + [(1, .voiceFinished(attempt: 1))]
    ),
    ("over", Machines.first, Machines.toTalking + [(1, .leg(.hungUp(Machines.callerHungUp)))]),
    ("over, unanswered", Machines.first, [(0, .start([.agent(Machines.first)])), (1, .leg(.cancelled))]),
  ]

  static let events: [CallEvent] =
    [
      .start([.agent(Machines.second)]), .start([]), .leg(.digit("5")), .leg(.cancelled), .leg(.mediaLost),
      .leg(.hungUp(Machines.callerHungUp)), .leg(.held(true)), .leg(.held(false)),
      .leg(.playbackStarted(TurnID(1))), .leg(.playbackEnded(TurnID(1))), .leg(.playbackEnded(TurnID(77))),
      .legFinished, .answered, .answerFailed(CallEnd(.noCommonCodec)), .flushed(PlayedAudio()),
      .flushed(PlayedAudio(turn: TurnID(1), milliseconds: 200)), .tick, .stop(CallEnd(.draining)),
    ]
    + (0...3).flatMap { attempt -> [CallEvent] in
      [
        .opened(attempt: attempt), .openFailed(attempt: attempt, Machines.gone),
        .voiceFinished(attempt: attempt), .transferEnded(id: attempt, .completed),
        .transferEnded(id: attempt, .failed(status: 486, reason: "Busy")),
        .transferEnded(id: attempt, .callerHungUp),
        .toolFinished(attempt: attempt, ToolResult(callID: "t1", output: "done")),
        .announced(TurnID(0, interjection: attempt), attempt == 2 ? "" : "One moment, please."),
      ]
        + [
          VoiceEvent.speechStarted, .speechEnded, .callerStopped(millisecondsAgo: .max),
          .callerBegan(millisecondsAgo: .max), .callerBegan(millisecondsAgo: .min),
          .firstToken(TurnID(.max)), .trouble("a word"),
          .summary("x"), .heard("", confidence: nil, isFinal: true), .turnStarted(TurnID(1)),
          .turnStarted(TurnID(5)),
          .turnEnded(TurnID(1)), .turnEnded(TurnID(9)), .heard("yes", confidence: 0.5, isFinal: true),
          .heard("ye", confidence: nil, isFinal: false), .said("hello", turn: TurnID(1), isFinal: true),
          .said("hel", turn: TurnID(2), isFinal: false), .failed(Machines.gone),
          .toolCall(ToolCall(id: "t1", name: "tool", turn: TurnID(1))),
          .toolCall(ToolCall(id: "t2", name: Tool.hangUp, turn: TurnID(1))),
          .toolCall(ToolCall(id: "t3", name: Tool.handOver, turn: TurnID(1))),
        ].map { .voice(attempt: attempt, $0) }
    }

  /// What must hold whatever happens.
  struct Promises {
    var opened: Set<Int> = []
    var closed: Set<Int> = []
    var isAnswered = false
    var isFinished = false

    mutating func check(_ actions: [CallAction], after event: CallEvent, _ machine: CallMachine) {
      for action in actions {
        if isFinished {
          switch action {
          case .close, .transcript: break
          default: Issue.record("\(action) after the end, for \(event)")
          }
        }
        switch action {
        case .open(let attempt, _): #expect(opened.insert(attempt).inserted, "opened twice")
        case .close(let attempt):
          #expect(opened.contains(attempt) || isFinished || attempt == 0 || machine.attempts < attempt)
          closed.insert(attempt)
        case .send(let attempt, _), .attach(let attempt), .mute(let attempt, _), .runTool(let attempt, _):
          #expect(opened.contains(attempt) && !closed.contains(attempt), "\(action) for \(event)")
          #expect(isAnswered)
        case .ring: #expect(!isAnswered)
        case .answer: #expect(!isAnswered, "answered twice")
        case .finish(_, let wasAnswered):
          #expect(wasAnswered == isAnswered)
          #expect(opened.isSubset(of: closed), "left open: \(opened.subtracting(closed))")
          isFinished = true
        default: break
        }
      }
      #expect(machine.isOver == isFinished)
      #expect(!isFinished || machine.timers.next == nil)
      #expect(
        isFinished || machine.phase == .waiting || machine.timers.next != nil, "nothing bounds the wait")
    }
  }

  static func run(
    _ machine: inout CallMachine, _ promises: inout Promises, _ event: CallEvent, at now: Duration
  ) {
    if case .answered = event, case .answering = machine.phase { promises.isAnswered = true }
    let actions = machine.handle(event, at: now, sound: SoundSoFar(sent: [TurnID(1): 400], audible: 400))
    promises.check(actions, after: event, machine)
    if actions.contains(.flush) {
      run(&machine, &promises, .flushed(PlayedAudio(turn: TurnID(1), milliseconds: 100)), at: now)
    }
  }

  @Test(arguments: phases.indices) func everyEventInEveryPhase(_ index: Int) {
    for event in EveryEventTests.events {
      var machine = Machines.machine()
      machine.canAnnounce = true
      var promises = Promises()
      for (time, event) in EveryEventTests.phases[index].events {
        EveryEventTests.run(&machine, &promises, event, at: .milliseconds(Int(time * 1000)))
      }
      EveryEventTests.run(&machine, &promises, event, at: .seconds(4))
      EveryEventTests.run(&machine, &promises, event, at: .seconds(4))  // and once more
      // Whatever happened: time alone brings every call to its end.
      for hour in 1...6 where machine.phase != .waiting {
        for minute in 0..<60 {
          EveryEventTests.run(&machine, &promises, .tick, at: .seconds(hour * 3600 + minute * 60))
        }
      }
      #expect(machine.phase == .waiting || machine.isOver, "\(EveryEventTests.phases[index].name), \(event)")
    }
  }

  @Test(arguments: 0..<200) func randomWalks(seed: UInt64) {
    var random = SplitMix(state: seed)
    var machine = Machines.machine()
    machine.canAnnounce = true
    var promises = Promises()
    EveryEventTests.run(
      &machine, &promises, .start([.agent(Machines.first), .transfer(Machines.transfer)]), at: .zero)
    for step in 1...300 {
      guard let event = EveryEventTests.events.randomElement(using: &random) else { return }
      EveryEventTests.run(&machine, &promises, event, at: .milliseconds(step * 400))
    }
    #expect(machine.tools.count <= machine.settings.maximumTools)
    #expect(machine.turns.openLines.count <= TurnMachine.maximumTurns)
  }

  /// The same walk for the same seed (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
  struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }
}
