import Testing

@testable import RouterCore
@testable import Emulators
@testable import routerd

@Suite struct PhoneOutcomeTests {
  private func outcome(
    _ cause: SIPCallEnding.Cause, _ status: Int, answered: Bool = false, silent: Bool = false,
    heard: Bool = true,
    gaveUp: PhoneOutcome.GivingUp? = nil
  ) -> ExitCode {
    let arrival = SIPArrival(
      transport: .udp, source: SocketAddress(ip: "127.0.0.1", port: 1),
      local: SocketAddress(ip: "127.0.0.1", port: 2),
      advertisedHost: "h", listener: 0)
    let response = SIPResponse(status: status, arrival: heard ? arrival : nil)
    return PhoneOutcome(
      SIPCallEnding(cause, status: status, response: response), wasAnswered: answered, isSilent: silent,
      gaveUp: gaveUp
    ).code
  }

  @Test func theShellLearnsHowItEnded() {
    #expect(outcome(.remoteBye, 200, answered: true) == .success)
    #expect(outcome(.localBye, 200, answered: true, gaveUp: .interrupted) == .success)
    #expect(outcome(.remoteBye, 200, answered: true, silent: true) == .noMedia)
    #expect(outcome(.refused, 486) == .busy)
    #expect(outcome(.refused, 600) == .busy)
    #expect(outcome(.refused, 403) == .rejected)
    #expect(outcome(.refused, 404) == .rejected)
    #expect(outcome(.refused, 603) == .rejected)
    #expect(outcome(.refused, 480) == .noAnswer)
    #expect(outcome(.refused, 503) == .serverFailure)
    #expect(outcome(.timedOut, 408, heard: false) == .unavailable)
    #expect(outcome(.timedOut, 408) == .noAnswer)
    #expect(outcome(.lost, 503, heard: false) == .unavailable)
    #expect(outcome(.cancelledByUs, 487, gaveUp: .interrupted) == .interrupted)
    #expect(outcome(.cancelledByUs, 487, gaveUp: .unanswered) == .noAnswer)
    #expect(outcome(.localBye, 200, answered: true, gaveUp: .sdp("x")) == .failure)
    #expect(outcome(.sessionExpired, 200, answered: true) == .unavailable)
  }

  @Test func theAgentIsHeard() {
    var ear = PhoneEar()
    let loud = (0..<160).map { Int16($0 % 8 < 4 ? 6000 : -6000) }
    let silence = [Int16](repeating: 0, count: 160)
    var changes: [PhoneEar.Change] = []
    func hear(_ samples: [Int16], _ frames: Int) {
      for _ in 0..<frames {
        if let change = ear.hear(AudioFrame(samples: samples, sampleRate: 8000)) { changes.append(change) }
      }
    }
    hear(silence, 100)
    hear(loud, 2)  // a click
    hear(silence, 100)
    #expect(changes.isEmpty)
    hear(loud, 50)
    hear(silence, 20)  // a pause between sentences
    hear(loud, 50)
    #expect(changes == [.spoke])
    hear(silence, 60)
    #expect(changes == [.spoke, .stopped(milliseconds: 2400)])
    #expect(ear.speech == 2400)
  }

  @Test func bothSidesAreRecordedInStep() {
    var sound = PhoneSound(sampleRate: 8000, isRecording: true)
    #expect(sound.step([7, 8]) == nil)
    sound.speak([1, 2, 3])
    #expect(sound.step([9, 10]) == [1, 2])
    #expect(sound.isSpeaking)
    #expect(sound.step([11, 12]) == [3, 0])
    #expect(!sound.isSpeaking)
    #expect(sound.takeRecorded() == [0, 7, 0, 8, 1, 9, 2, 10, 3, 11, 0, 12])
    #expect(sound.takeRecorded() == [])
  }
}

@Suite struct PhoneOptionsTests {
  private func options(_ words: String...) throws -> PhoneOptions { try options(words) }

  private func options(_ words: [String]) throws -> PhoneOptions {
    let spec = CommandSpec(
      name: "call", summary: "", operands: [OperandSpec("URI")], options: PhoneOptions.specs
    ) { _ in .success }
    guard case .run(let arguments) = try Arguments.parse(["call"] + words, [spec]) else {
      throw UsageError("no command")
    }
    return try PhoneOptions(arguments, password: "from-the-environment")
  }

  @Test func reads() throws {
    let options = try options(
      "sips:+15551230001@gw.example:5061", "--say", "hello", "--digits", "12#a", "--pause", "2", "--say",
      "bye",
      "--codec", "opus,PCMA", "--srtp", "require", "--user", "ann", "--header", "X-Brand: blue", "--from",
      "ann@b")
    #expect(options.steps == [.say("hello"), .digits("12#A"), .pause(2), .say("bye")])
    #expect(options.transport == .tls)
    #expect(options.codecs == [.opus, .pcma])
    #expect(options.encryption == .require)
    #expect(options.credentials?.password == "from-the-environment")
    #expect(options.headers == [Header("X-Brand", "blue")])
    #expect(try self.options("100@127.0.0.1").target.description == "sip:100@127.0.0.1")
    #expect(PhoneOptions.caller("+1555", host: "h")?.uri.description == "sip:+1555@h")
    #expect(PhoneOptions.caller("\"Ann\" <sip:ann@b>", host: "h")?.displayName == "Ann")
  }

  @Test func mistakes() {
    for words in [
      ["tel:+1555"], ["sip:a b@c"], ["sip:a@b", "--digits", "1x"], ["sip:a@b", "--pause", "0"],
      ["sip:a@b", "--codec", "g729"], ["sip:a@b", "--srtp", "maybe"], ["sip:a@b", "--header", "nonsense"],
      ["sip:a@b", "--wav", "/nowhere/x.wav"], ["sip:a@b", "--wav", "/dev/null"],
      ["sip:a@b", "--record", "/nowhere/x.wav"], ["sip:a@b", "--header", "A: b\nC: d"],
      ["sip:a@b", "--from", "<x>"], ["sip:a@b", "--seconds", "0"],
    ] {
      #expect(throws: UsageError.self, "\(words)") { try self.options(words) }
    }
  }
}
