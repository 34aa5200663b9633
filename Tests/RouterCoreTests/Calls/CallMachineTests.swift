import Testing

@testable import RouterCore

/// The decisions of a call's life: stories, and every event in every phase.
@Suite struct CallMachineTests {
  static let first = AgentConfiguration(name: "first", providerType: "fake", fallback: ["second"])
  static let second = AgentConfiguration(name: "second", providerType: "fake")
  static let foreign = AgentConfiguration(name: "foreign", providerType: "unknown", fallback: ["second"])
  static let looping = AgentConfiguration(
    name: "looping", providerType: "fake", fallback: ["looping", "looping"])
  static let person: AgentConfiguration = {
    var agent = AgentConfiguration(name: "person", providerType: "fake")
    agent.humanHandoff.enabled = true
    agent.humanHandoff.transferExtension = "0200"
    return agent
  }()
  static let transfer = TransferRequest(target: "sip:desk@pbx.example", timeout: 20)
  static let gone = VoiceFailure(.closed, "gone")
  static let callerHungUp = CallEnd(.callerHungUp)

  static func machine(_ change: (inout EngineSettings) -> Void = { _ in }) -> CallMachine {
    var settings = EngineSettings()
    change(&settings)
    let agents = ["first": first, "second": second, "looping": looping]
    var machine = CallMachine(settings: settings, models: { $0 == "fake" || $0 == "offline" })
    machine.agentNamed = { agents[$0] }
    return machine
  }

  /// Plays events at a time of their own (seconds) and gives the actions of the last one, without log lines.
  static func play(
    _ machine: inout CallMachine, _ events: [(Double, CallEvent)], sent: [TurnID: Int]? = nil,
    until: Double = 0
  ) -> [CallAction] {
    var actions: [CallAction] = []
    let sound = sent.map { sent in
      SoundSoFar(
        sent: sent, audible: sent.reduce(0) { $0 + ($1.key.isInterjection ? 0 : $1.value) },
        audibleUntil: .milliseconds(Int(until * 1000)))
    }
    for (time, event) in events {
      actions = machine.handle(event, at: .milliseconds(Int(time * 1000)), sound: sound)
    }
    return actions.filter { action in
      switch action {
      case .log, .backend, .partial, .interrupted, .timing: false
      default: true
      }
    }
  }

  static let toTalking: [(Double, CallEvent)] = [
    (0, .start([.agent(first)])), (0.1, .opened(attempt: 1)), (0.2, .answered),
  ]

  static func note(_ text: String, at: Int) -> CallAction {
    .transcript(TranscriptEntry(.system, .note, text, at: at))
  }

  @Test func theAnswerWaitsForTheAgent() {
    var machine = CallMachineTests.machine()
    #expect(
      CallMachineTests.play(&machine, [(0, .start([.agent(CallMachineTests.first)]))])
        == [.ring, .open(attempt: 1, CallMachineTests.first)])
    #expect(machine.state == .ringing)
    #expect(CallMachineTests.play(&machine, [(1, .opened(attempt: 1))]) == [.answer])
    #expect(
      CallMachineTests.play(&machine, [(2, .answered)]) == [.attach(attempt: 1), .send(attempt: 1, .begin)])
    #expect(machine.state == .conversation)
  }

  @Test func aQuickAgentNeedsNoRinging() {
    var machine = CallMachineTests.machine { $0.ringDelayMilliseconds = 200 }
    let start = CallMachineTests.play(&machine, [(0, .start([.agent(CallMachineTests.first)]))])
    #expect(start == [.open(attempt: 1, CallMachineTests.first)])
    #expect(CallMachineTests.play(&machine, [(0.1, .opened(attempt: 1)), (0.3, .tick)]) == [])
    var slow = CallMachineTests.machine { $0.ringDelayMilliseconds = 200 }
    #expect(
      CallMachineTests.play(&slow, [(0, .start([.agent(CallMachineTests.first)])), (0.3, .tick)]) == [.ring])
  }

  @Test func anAgentThatCannotBeHadGivesWayToItsFallback() {
    var machine = CallMachineTests.machine()
    let actions = CallMachineTests.play(
      &machine,
      [
        (0, .start([.agent(CallMachineTests.first), .reject(CallEnd(.rejectedByRoute))])),
        (1, .openFailed(attempt: 1, CallMachineTests.gone)),
      ])
    #expect(actions == [.close(attempt: 1), .open(attempt: 2, CallMachineTests.second)])
    // Then the route's own next target.
    let next = CallMachineTests.play(&machine, [(2, .openFailed(attempt: 2, CallMachineTests.gone))])
    #expect(
      next == [.close(attempt: 2), .finish(CallEnd(.rejectedByRoute), wasAnswered: false)])
  }

  @Test func anAgentThatIsSlowGivesWay() {
    var machine = CallMachineTests.machine()
    let actions = CallMachineTests.play(
      &machine, [(0, .start([.agent(CallMachineTests.first)])), (7.9, .tick), (8, .tick)])
    #expect(actions == [.close(attempt: 1), .open(attempt: 2, CallMachineTests.second)])
    // What the slow one still has to say is closed.
    #expect(CallMachineTests.play(&machine, [(9, .opened(attempt: 1))]) == [.close(attempt: 1)])
    #expect(CallMachineTests.play(&machine, [(9.5, .opened(attempt: 2))]) == [.answer])
  }

  @Test func nobodyIsTriedTwice() {
    var machine = CallMachineTests.machine()
    let actions = CallMachineTests.play(
      &machine,
      [
        (0, .start([.agent(CallMachineTests.looping), .agent(CallMachineTests.looping)])),
        (1, .openFailed(attempt: 1, CallMachineTests.gone)),
      ])
    guard case .finish(let end, wasAnswered: false) = actions.last else {
      Issue.record("not over: \(actions)")
      return
    }
    #expect(end.reason == .agentUnavailable && end.sipStatus == 503)
    #expect(end.text == "agent looping: closed: gone")
  }

  @Test func anAgentWithoutAModelGivesWay() {
    var machine = CallMachineTests.machine()
    let actions = CallMachineTests.play(&machine, [(0, .start([.agent(CallMachineTests.foreign)]))])
    #expect(actions == [.ring, .open(attempt: 1, CallMachineTests.second)])
  }

  @Test func targetsAreBounded() {
    var machine = CallMachineTests.machine { $0.maximumTargets = 3 }
    let targets = (0..<10).map {
      RouteTarget.agent(AgentConfiguration(name: "\($0)", providerType: "unknown"))
    }
    let actions = CallMachineTests.play(&machine, [(0, .start(targets))])
    guard case .finish(let end, wasAnswered: false) = actions.last else { return }
    #expect(end.text == "agent 2: no model for provider type unknown")
  }

  @Test func theWaitForAnAnswerIsBounded() {
    var machine = CallMachineTests.machine {
      $0.ringSeconds = 10
      $0.answerDeadline = 60
    }
    let actions = CallMachineTests.play(
      &machine, [(0, .start([.agent(CallMachineTests.first)])), (10, .tick)])
    guard case .finish(let end, wasAnswered: false) = actions.last else {
      Issue.record("not over: \(actions)")
      return
    }
    #expect(end.reason == .noAnswer && end.sipStatus == 480)
  }

  @Test func aTransferAsTargetIsAnsweredFirst() {
    var machine = CallMachineTests.machine()
    let start = CallMachineTests.play(
      &machine, [(0, .start([.transfer(CallMachineTests.transfer), .agent(CallMachineTests.second)]))])
    #expect(start == [.answer])
    let answered = CallMachineTests.play(&machine, [(1, .answered)])
    #expect(answered.last == .transfer(id: 1, CallMachineTests.transfer))
    let failed = CallMachineTests.play(
      &machine, [(2, .transferEnded(id: 1, .failed(status: 486, reason: "Busy Here")))])
    #expect(failed.last == .open(attempt: 1, CallMachineTests.second))
    let taken = CallMachineTests.play(&machine, [(3, .opened(attempt: 1))])
    #expect(taken == [.attach(attempt: 1), .send(attempt: 1, .begin)])
  }

  @Test func aFailureInTheMiddleGoesOnWithTheFallback() {
    var machine = CallMachineTests.machine()
    let failed = CallMachineTests.play(
      &machine, CallMachineTests.toTalking + [(5.2, .voice(attempt: 1, .failed(CallMachineTests.gone)))])
    #expect(
      failed == [
        CallMachineTests.note("agent first: closed: gone", at: 5000), .close(attempt: 1),
        .open(attempt: 2, CallMachineTests.second),
      ])
    #expect(machine.state == .failingOver)
    let back = CallMachineTests.play(&machine, [(6, .opened(attempt: 2))])
    #expect(back == [.attach(attempt: 2), .send(attempt: 2, .begin)])
    // The one that failed has nothing to say any more.
    #expect(CallMachineTests.play(&machine, [(7, .voice(attempt: 1, .turnStarted(TurnID(9))))]) == [])
    #expect(CallMachineTests.play(&machine, [(7, .voiceFinished(attempt: 1))]) == [])
    #expect(machine.turns.nextFree == TurnID(1))
  }

  @Test func aFailureWhileTheAnswerIsOnItsWayWaits() {
    var machine = CallMachineTests.machine()
    let events: [(Double, CallEvent)] = [
      (0, .start([.agent(CallMachineTests.first)])), (1, .opened(attempt: 1)),
      (2, .voice(attempt: 1, .failed(CallMachineTests.gone))), (2, .voiceFinished(attempt: 1)),
    ]
    #expect(CallMachineTests.play(&machine, events) == [])
    let answered = CallMachineTests.play(&machine, [(3, .answered)])
    #expect(answered.suffix(2) == [.close(attempt: 1), .open(attempt: 2, CallMachineTests.second)])
  }

  @Test func nobodyLeftMeansAnApology() {
    var machine = CallMachineTests.machine { $0.apology = "Sorry." }
    machine.canAnnounce = true
    let words = TurnID(0, interjection: 1)
    let failed = CallMachineTests.play(
      &machine,
      CallMachineTests.toTalking + [
        (1, .voiceFinished(attempt: 1)), (2, .openFailed(attempt: 2, CallMachineTests.gone)),
      ])
    #expect(failed.last == .announce(words, .apology, language: nil))
    #expect(machine.state == .ending)
    #expect(
      CallMachineTests.play(&machine, [(3, .announced(words, "Sorry."))], sent: [words: 900])
        == [.endTurn(words)])
    let spoken = CallMachineTests.play(&machine, [(4, .leg(.playbackEnded(words)))], sent: [words: 900])
    guard case .finish(let end, wasAnswered: true) = spoken.last else {
      Issue.record("not over: \(spoken)")
      return
    }
    #expect(end.reason == .agentUnavailable && end.sipStatus == 200 && end.q850 == 41)
    #expect(
      spoken.contains(.transcript(TranscriptEntry(.system, .speech, "Sorry.", at: 1800, turn: words))))
  }

  @Test func withoutAnApologyItIsAPlainHangUp() {
    var machine = CallMachineTests.machine { $0.apology = "" }
    let failed = CallMachineTests.play(
      &machine,
      CallMachineTests.toTalking + [
        (1, .voiceFinished(attempt: 1)), (2, .openFailed(attempt: 2, CallMachineTests.gone)),
      ])
    guard case .finish(let end, wasAnswered: true) = failed.last else { return }
    #expect(end.reason == .agentUnavailable)
  }

  @Test func anAnsweredCallIsNotWithoutAnAgentForLong() {
    var machine = CallMachineTests.machine { $0.answerDeadline = 100 }
    let actions = CallMachineTests.play(
      &machine, CallMachineTests.toTalking + [(1, .voiceFinished(attempt: 1)), (21, .tick)])
    guard case .finish(let end, wasAnswered: true) = actions.last else {
      Issue.record("not over: \(actions)")
      return
    }
    #expect(end.reason == .agentUnavailable)
    #expect(actions.contains(.close(attempt: 2)))
  }

  @Test func aCallEndsAtItsLongest() {
    var machine = CallMachineTests.machine { $0.maximumDuration = 60 }
    #expect(CallMachineTests.play(&machine, CallMachineTests.toTalking + [(60, .tick)]) == [])
    let actions = CallMachineTests.play(&machine, [(60.2, .tick)])
    #expect(
      actions == [
        .close(attempt: 1),
        .finish(CallEnd(.maximumDuration, text: "the longest a call may last"), wasAnswered: true),
      ])
  }

  @Test func anUnansweredCallThatWeEndIsRefused() {
    var machine = CallMachineTests.machine()
    let actions = CallMachineTests.play(
      &machine, [(0, .start([.agent(CallMachineTests.first)])), (1, .stop(CallEnd(.agentHungUp)))])
    guard case .finish(let end, wasAnswered: false) = actions.last else { return }
    #expect(end.sipStatus == 480 && end.reason == .agentHungUp && end.q850 == 18)
  }
}
