import Testing

@testable import RouterCore

/// What the machine of a call decides when backends fail or fall silent.
@Suite struct FailoverTests {
  typealias Machines = CallMachineTests
  static let word = TurnID(0, interjection: 1)

  static func talking(
    _ change: (inout AgentConfiguration) -> Void = { _ in },
    settings: (inout EngineSettings) -> Void = { _ in }
  ) -> CallMachine {
    var agent = AgentConfiguration(
      name: "first", initialSpeech: "Hello.", provider: "cloud", providerType: "fake", fallback: ["second"])
    change(&agent)
    var machine = Machines.machine(settings)
    machine.canAnnounce = true
    _ = Machines.play(
      &machine, [(0, .start([.agent(agent)])), (0, .opened(attempt: 1)), (0, .answered)])
    return machine
  }

  @Test func silenceAfterTheAnswerIsBridgedThenGivenUp() {
    var machine = FailoverTests.talking()
    #expect(Machines.play(&machine, [(2.9, .tick)]) == [])
    #expect(
      Machines.play(&machine, [(3, .tick)]) == [.announce(FailoverTests.word, .moment, language: nil)])
    #expect(
      Machines.play(
        &machine, [(3.1, .announced(FailoverTests.word, "One moment, please."))],
        sent: [FailoverTests.word: 1200]) == [.endTurn(FailoverTests.word)])
    let failed = Machines.play(&machine, [(10, .tick)])
    #expect(
      failed.contains(Machines.note("agent first: timedOut: no sound for 10 s after the answer", at: 10_000)))
    #expect(failed.last == .open(attempt: 2, Machines.second))
    #expect(machine.history.map(\.agent) == ["first", "second"])
    #expect(machine.history[0].reason == "timedOut" && machine.history[1].failedAt == nil)
    #expect(!machine.hasWords, "a word of ours is no greeting")
  }

  @Test func theAgentsOwnPatienceCounts() {
    var machine = FailoverTests.talking { $0.patience = .init(open: 500, word: 0, firstAudio: 4000) }
    #expect(Machines.play(&machine, [(3.9, .tick)]) == [])
    #expect(Machines.play(&machine, [(4, .tick)]).last == .open(attempt: 2, Machines.second))
    var slow = Machines.machine()
    let agent = AgentConfiguration(
      name: "slow", providerType: "fake", fallback: ["second"], patience: .init(open: 500))
    let opened = Machines.play(&slow, [(0, .start([.agent(agent)])), (0.5, .tick)])
    #expect(opened.last == .open(attempt: 2, Machines.second))
  }

  @Test func whatTheBackendWasPromisedHolds() {
    var machine = FailoverTests.talking()
    machine.promise = { _ in .seconds(35) }
    #expect(
      Machines.play(&machine, [(3, .tick)]) == [.announce(FailoverTests.word, .moment, language: nil)])
    #expect(!Machines.play(&machine, [(34, .tick)]).contains(.open(attempt: 2, Machines.second)))
    #expect(Machines.play(&machine, [(35, .tick)]).last == .open(attempt: 2, Machines.second))
    var own = FailoverTests.talking { $0.patience = .init(firstAudio: 4000) }
    own.promise = { _ in .seconds(35) }
    #expect(Machines.play(&own, [(4, .tick)]).last == .open(attempt: 2, Machines.second), "the agent decides")
  }

  @Test func whoMayWaitForTheCallerOwesNothing() {
    var machine = FailoverTests.talking { $0.initialSpeech = nil }
    #expect(Machines.play(&machine, [(60, .tick)]) == [])
    #expect(Machines.play(&machine, [(61, .voice(attempt: 1, .speechEnded)), (63, .tick)]) == [])
    #expect(Machines.play(&machine, [(71, .tick)]).last == .open(attempt: 2, Machines.second))
  }

  @Test func aCoughOwesNothing() {
    var machine = FailoverTests.talking { $0.initialSpeech = nil }
    let cough: [(Double, CallEvent)] = [
      (1, .voice(attempt: 1, .speechStarted)), (1.5, .voice(attempt: 1, .speechEnded)),
      (2, .voice(attempt: 1, .heard("", confidence: nil, isFinal: true))), (30, .tick),
    ]
    #expect(Machines.play(&machine, cough) == [])
  }

  @Test func anEchoMayBeSilent() {
    var machine = FailoverTests.talking()
    machine.isInline = { _ in true }
    #expect(Machines.play(&machine, [(1, .voice(attempt: 1, .turnStarted(TurnID(1)))), (500, .tick)]) == [])
  }

  @Test func aTurnThatNeverEndsIsDropped() {
    var machine = FailoverTests.talking(settings: { $0.failover.maximumTurnSeconds = 60 })
    _ = Machines.play(&machine, [(1, .voice(attempt: 1, .turnStarted(TurnID(1))))], sent: [TurnID(1): 9000])
    let failed = Machines.play(&machine, [(61, .tick)], sent: [TurnID(1): 70_000], until: 100)
    #expect(failed.first == .flush)
    #expect(failed.last == .open(attempt: 2, Machines.second))
  }

  @Test func aBackendThatIsLeftAloneIsPassedOver() {
    var machine = Machines.machine()
    machine.leftAlone = { $0.contains("cloud") ? "cloud" : nil }
    let agent = AgentConfiguration(
      name: "first", provider: "cloud", providerType: "fake", fallback: ["second"])
    let actions = Machines.play(&machine, [(0, .start([.agent(agent)]))])
    #expect(actions == [.ring, .open(attempt: 1, Machines.second)])
    #expect(machine.history.map(\.reason) == ["leftAlone", nil])
  }

  @Test func backendsAreToldOf() {
    var machine = FailoverTests.talking()
    let worked = machine.handle(.tick, at: .seconds(1), sound: SoundSoFar(audible: 20))
    #expect(worked == [.backend(provider: "cloud", .worked)])
    let again = machine.handle(.tick, at: .seconds(2), sound: SoundSoFar(audible: 40))
    #expect(again == [])
    let failed = machine.handle(.voice(attempt: 1, .failed(Machines.gone)), at: .seconds(3))
    #expect(failed.contains(.backend(provider: "cloud", .failed(.closed))))
  }

  @Test func eachPartOfAPipelineIsToldOf() {
    let parts = VoiceBackends(model: "cloud", recognizer: "ears", synthesizer: "mouth")
    func talking() -> CallMachine {
      var machine = FailoverTests.talking()
      machine.backends = { _ in parts }
      return machine
    }
    var machine = talking()
    let token = CallEvent.voice(attempt: 1, .firstToken(TurnID(1)))
    #expect(machine.handle(token, at: .seconds(1)) == [], "the greeting was given to it")
    #expect(
      machine.handle(.tick, at: .seconds(1), sound: SoundSoFar(audible: 20)) == [
        .backend(provider: "mouth", .worked)
      ])
    let heard = machine.handle(
      .voice(attempt: 1, .heard("Hello?", confidence: nil, isFinal: true)), at: .seconds(2))
    #expect(heard.contains(.backend(provider: "ears", .worked)))
    #expect(machine.handle(token, at: .seconds(3)) == [.backend(provider: "cloud", .worked)])
    #expect(machine.handle(token, at: .seconds(4)) == [], "once is enough")

    for (part, provider) in [
      (VoiceFailure.Part.model, "cloud"), (.recognizer, "ears"), (.synthesizer, "mouth"),
    ] {
      var machine = talking()
      let failed = machine.handle(.voice(attempt: 1, .failed(Machines.gone.of(part))), at: .seconds(3))
      #expect(failed.contains(.backend(provider: provider, .failed(.closed))))
    }
    var mute = talking()
    _ = mute.handle(.voice(attempt: 1, .said("Hello.", turn: TurnID(1), isFinal: false)), at: .seconds(1))
    let silent = mute.handle(.tick, at: .seconds(11))
    #expect(silent.contains(.backend(provider: "mouth", .failed(.timedOut))), "words that nobody heard")
  }

  @Test func aPipelineNeedsAllOfItsParts() {
    var machine = Machines.machine()
    machine.backends = { VoiceBackends(model: $0.provider, recognizer: "ears", synthesizer: "mouth") }
    machine.leftAlone = { $0.contains("ears") ? "ears" : nil }
    let agent = AgentConfiguration(name: "first", provider: "cloud", providerType: "fake")
    _ = Machines.play(&machine, [(0, .start([.agent(agent)]))])
    #expect(machine.history.first?.message?.contains("provider ears has failed too often") == true)
  }

  @Test func theWayToAnotherAgentIsBridged() {
    var machine = FailoverTests.talking()
    _ = Machines.play(&machine, [(1, .voice(attempt: 1, .failed(Machines.gone)))])
    #expect(Machines.play(&machine, [(1.9, .tick)]) == [])
    #expect(Machines.play(&machine, [(2, .tick)]) == [.announce(FailoverTests.word, .moment, language: nil)])
    var quick = FailoverTests.talking()
    _ = Machines.play(&quick, [(1, .voice(attempt: 1, .failed(Machines.gone))), (1.5, .opened(attempt: 2))])
    #expect(Machines.play(&quick, [(2, .tick)]) == [])
  }

  @Test func aFallbackCanBeATransfer() {
    let request = TransferRequest(target: "0200")
    var machine = FailoverTests.talking { $0.fallback = [.transfer(request), "second"] }
    let failed = Machines.play(&machine, [(1, .voice(attempt: 1, .failed(Machines.gone)))])
    #expect(failed.last == .announce(FailoverTests.word, .handOver, language: nil))
    let said: [(Double, CallEvent)] = [(1.1, .announced(FailoverTests.word, "Sorry."))]
    #expect(
      Machines.play(&machine, said, sent: [FailoverTests.word: 900]) == [.endTurn(FailoverTests.word)])
    let gone = Machines.play(&machine, [(2, .leg(.playbackEnded(FailoverTests.word)))])
    #expect(gone.last == .transfer(id: 1, request))
    let failedToo = Machines.play(&machine, [(3, .transferEnded(id: 1, .timedOut))])
    #expect(failedToo.last == .open(attempt: 2, Machines.second))
  }

  @Test func aPersonIsTheLastResort() {
    var machine = FailoverTests.talking {
      $0.fallback = []
      $0.humanHandoff.enabled = true
      $0.humanHandoff.transferExtension = "0300"
    }
    let failed = Machines.play(&machine, [(1, .voice(attempt: 1, .failed(Machines.gone)))])
    #expect(failed.last == .announce(FailoverTests.word, .handOver, language: nil))
    // There is no sound of the words: it goes on without.
    let gone = Machines.play(&machine, [(2, .announced(FailoverTests.word, ""))])
    #expect(gone.last == .transfer(id: 1, TransferRequest(target: "0300")))
    let apology = Machines.play(&machine, [(3, .transferEnded(id: 1, .unsupported))])
    let last = TurnID(0, interjection: 2)
    #expect(apology.last == .announce(last, .apology, language: nil))
    guard case .finish(let end, wasAnswered: true) = Machines.play(&machine, [(4, .announced(last, ""))]).last
    else {
      Issue.record("not over")
      return
    }
    #expect(end.reason == .agentUnavailable && end.q850 == 41)
    #expect(end.text == "this channel cannot transfer")
  }

  @Test func keysInARowAreOneLine() {
    var machine = FailoverTests.talking { $0.initialSpeech = nil }
    let pressed = "0199".enumerated().map { (1 + Double($0.offset) / 2, CallEvent.leg(.digit($0.element))) }
    #expect(Machines.play(&machine, pressed) == [.send(attempt: 1, .digit("9"))])
    let line = CallAction.transcript(TranscriptEntry(.caller, .digits, "0199", at: 1000))
    var other = machine
    #expect(Machines.play(&machine, [(4.4, .tick)]) == [])
    #expect(Machines.play(&machine, [(4.5, .tick)]) == [line])
    let heard = CallEvent.voice(attempt: 1, .heard("Hello?", confidence: nil, isFinal: true))
    #expect(
      Machines.play(&other, [(3, heard)])
        == [line, .transcript(TranscriptEntry(.caller, .speech, "Hello?", at: 3000))])
  }

  @Test func noSecretIsInABackendsWords() {
    let agent = AgentConfiguration(
      name: "a",
      providerConfiguration: [
        "type": "realtime", "url": "wss://api.example", "apiKey": "sk-12345678", "model": "m",
        "headers": ["X-Auth": "Bearer abcdef"], "key": "m",
      ])
    #expect(
      agent.withoutSecrets("401 at wss://api.example: sk-12345678 and Bearer abcdef, model m")
        == "401 at wss://api.example: *** and ***, model m")
    #expect(agent.withoutSecrets(String(repeating: "x", count: 9000)).count == 400)
  }

  @Test func theWaterfallOfAnAnswer() {
    var clock = LatencyClock()
    clock.callerStopped(at: .seconds(1))
    clock.turnDetected(at: .milliseconds(1500))
    clock.began(TurnID(4))
    clock.reach(.firstToken, of: TurnID(4), at: .milliseconds(1800))
    clock.reach(.firstToken, of: TurnID(4), at: .milliseconds(1900))
    let sound = SoundSoFar(firstSound: [TurnID(4): .milliseconds(2000)])
    let seen = clock.reached(.firstPacket, of: TurnID(4), at: .milliseconds(2020), sound)
    #expect(
      seen == [
        .init(
          turn: TurnID(4), callerStopped: .seconds(1), turnDetected: .milliseconds(1500),
          firstToken: .milliseconds(1800), firstAudio: .milliseconds(2000), firstPacket: .milliseconds(2020))
      ])
    // The next turn answers to nothing new, and an interjection is nobody's answer.
    let next = clock.reached(.firstPacket, of: TurnID(5), at: .seconds(3), sound)
    #expect(next.first?.callerStopped == nil)
    let ours = clock.reached(.firstPacket, of: TurnID(5).followingInterjection, at: .seconds(3), sound)
    #expect(ours == [])
    clock.turnDetected(at: .seconds(5))
    clock.began(TurnID(6))
    let unfinished = clock.unfinished(sound)
    #expect(unfinished.map(\.turn) == [TurnID(6)])
  }

  @Test func stepsOfAWaterfall() {
    let timing = TurnTiming(
      turn: TurnID(1), callerStopped: 1000, turnDetected: 1500, firstToken: 1800, firstAudio: 2000,
      firstPacket: 2020)
    #expect(
      timing.steps.map { "\($0.name) \($0.milliseconds)" } == [
        "endOfTurn 500", "model 300", "voice 200", "wire 20",
      ])
    #expect(timing.total == 1020)
    #expect(TurnTiming(turn: TurnID(1), firstToken: 5, firstPacket: 50).total == nil)
  }
}
