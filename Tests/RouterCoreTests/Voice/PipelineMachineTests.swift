import Testing

@testable import RouterCore

@Suite struct PipelineMachineTests {
  @Test func theGreetingIsMadeWhileThePhoneRings() {
    var script = PipelineScript()
    #expect(script.go(.prepare) == ["start 1 greeting after 0", "agent speaks"])
    #expect(script.turn(1, isPlayed: false) == [])
    #expect(script.wait(.seconds(60)) == [])
    #expect(
      script.go(.command(.begin)) == [
        "open", "turn 1 started", "said 1 'Hello.'…", "said 1 'Hello.'", "turn 1 ended",
      ])
    #expect(script.go(.command(.begin)) == [])
    #expect(script.go(.command(.played(TurnID(1)))) == ["agent is quiet"])
  }

  @Test func aQuestionIsAnswered() {
    var script = PipelineScript.begun()
    #expect(
      script.caller(1, "when are you open") == [
        "speech started", "speech ended", "heard 'when are you open'", "turn 2 started",
        "start 2 speech 'when are you open' after 1", "agent speaks",
      ])
    #expect(
      script.turn(2, "From nine.") == [
        "said 2 'From nine.'…", "said 2 'From nine.'", "turn 2 ended", "agent is quiet",
      ])
    #expect(script.machine.transcript.map(\.text) == ["Hello.", "when are you open", "From nine."])
  }

  @Test func aTurnThatIsCutOffKeepsWhatWasHeard() {
    var script = PipelineScript()
    _ = script.go(.command(.begin))
    let turn = TurnID(1)
    _ = script.go(.turn(turn, .text("One two. ")), .turn(turn, .spoken(milliseconds: 1000)))
    _ = script.go(.turn(turn, .text("Three four.")), .turn(turn, .spoken(milliseconds: 1000)))
    #expect(script.go(.speechStarted(1)) == ["speech started"])
    #expect(
      script.go(.command(.truncate(turn, playedMilliseconds: 1600))) == [
        "cancel 1", "said 1 'One two. Three'", "turn 1 ended", "agent is quiet",
      ])
    #expect(script.machine.transcript.map(\.text) == ["One two. Three"])
    #expect(script.machine.transcript[0].wasInterrupted)
    #expect(script.go(.turn(turn, .text("late")), .turn(turn, .ended)) == [])
    #expect(
      script.go(.speechEnded(1, milliseconds: 900), .recognition(.final("stop", confidence: 0.8))).last
        == "agent speaks")
  }

  @Test("A turn of which nothing was heard leaves no line")
  func unheard() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "first")
    _ = script.go(.turn(TurnID(2), .text("An answer.")), .speechStarted(2))
    _ = script.go(.command(.truncate(TurnID(2), playedMilliseconds: 0)))
    #expect(script.machine.transcript.map(\.text) == ["Hello.", "first"])
  }

  @Test(
    "A cough does not end what the agent was saying",
    arguments: [("", nil), ("goodbye", 0.05)] as [(String, Double?)])
  func falseInterruption(_ text: String, _ confidence: Double?) {
    var script = PipelineScript.begun()
    _ = script.caller(1, "a question")
    _ = script.turn(2, "One two three. ", isPlayed: false)
    _ = script.go(.speechStarted(2), .command(.truncate(TurnID(2), playedMilliseconds: 500)))
    #expect(
      script.go(.speechEnded(2, milliseconds: 300), .recognition(.final(text, confidence: confidence))) == [
        "speech ended", "turn 3 started", "speak 3 One two three. ", "agent speaks",
      ])
  }

  @Test("A cough while the model thinks asks it again, as if it had not been asked")
  func coughWhileThinking() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "a question")
    _ = script.go(.turn(TurnID(2), .note("thinking")), .speechStarted(2))
    _ = script.go(.command(.truncate(TurnID(2), playedMilliseconds: 0)))
    #expect(
      script.go(.speechEnded(2, milliseconds: 300), .recognition(.final("", confidence: nil))) == [
        "speech ended", "turn 3 started", "start 3 speech 'a question' after 2", "agent speaks",
      ])
    #expect(script.machine.transcript.map(\.text) == ["Hello.", "a question"])
  }

  @Test("Of an answer that was still being made, nothing is lost: it is asked for again")
  func coughInTheMiddleOfTheMaking() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "a question")
    let id = TurnID(2)
    _ = script.go(.turn(id, .text("First. ")), .turn(id, .spoken(milliseconds: 500)))
    _ = script.go(.speechStarted(2), .command(.truncate(id, playedMilliseconds: 400)))
    let resumed = script.go(.speechEnded(2, milliseconds: 300), .recognition(.final("", confidence: nil)))
    #expect(resumed.contains { $0.hasPrefix("start 3 speech 'a question'") }, "\(resumed)")
  }

  @Test("Of an announcement, what follows the sentence that was cut is said too")
  func coughInAnAnnouncement() {
    var script = PipelineScript.begun()
    _ = script.go(.command(.say("First. Second. Third.")))
    let id = TurnID(2)
    _ = script.go(
      .turn(id, .text("First. ")), .turn(id, .spoken(milliseconds: 500)), .turn(id, .text("Second. ")))
    _ = script.go(.speechStarted(1), .command(.truncate(id, playedMilliseconds: 600)))
    let resumed = script.go(.speechEnded(1, milliseconds: 300), .recognition(.final("", confidence: nil)))
    #expect(resumed.contains("speak 3 Second. Third."), "\(resumed)")
  }

  @Test("It is not taken up again and again")
  func resumptionsAreBounded() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "a question")
    var turns = 0
    for number in 2...20 {
      let id = TurnID(number)
      guard script.machine.current?.id == id else { break }
      turns += 1
      _ = script.go(.turn(id, .text("Words. ")), .turn(id, .spoken(milliseconds: 500)))
      _ = script.go(.speechStarted(number), .command(.truncate(id, playedMilliseconds: 100)))
      _ = script.go(.speechEnded(number, milliseconds: 300), .recognition(.final("", confidence: nil)))
    }
    #expect(turns == 1 + PipelineLimit.resumptions)
  }

  @Test func aCoughInSilenceIsNothing_butManyWordsAre() {
    var script = PipelineScript.begun()
    #expect(script.caller(1, "", length: 300) == ["speech started", "speech ended", "heard ''"])
    #expect(
      script.caller(2, " ", length: 2000) == [
        "speech started", "speech ended", "turn 2 started", "start 2 speech '' after 1", "agent speaks",
      ])
  }

  @Test func aKeyStopsTheAgentBeforeItsAnswerBegins() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "a question")
    _ = script.turn(2, "Long words.", isPlayed: false)
    #expect(script.go(.digit("1", abandoned: nil)) == ["speech started", "speech ended"])
    #expect(
      script.go(.command(.truncate(TurnID(2), playedMilliseconds: 0))) == [
        "said 2 ''", "turn 3 started", "start 3 digits 1 after 2",
      ])
  }

  @Test("A greeting that the engine protects is played to its end, and the answer follows it")
  func protected() {
    var script = PipelineScript()
    _ = script.go(.command(.begin))
    _ = script.turn(1, isPlayed: false)
    _ = script.go(.digit("1", abandoned: nil))
    #expect(script.wait(.milliseconds(400)) == [])
    #expect(script.wait(.milliseconds(200)) == ["turn 2 started", "start 2 digits 1 after 1"])
  }

  @Test func keysAreCollected() {
    var script = PipelineScript.begun(longest: 2)
    #expect(script.go(.digit("1", abandoned: nil)) == [])
    #expect(script.go(.digit("2", abandoned: nil)).contains("start 2 digits 12 after 1"))
    _ = script.turn(2)
    #expect(script.go(.digit("3", abandoned: nil)) == [])
    #expect(script.wait(.seconds(1)) == [])
    #expect(script.go(.digit("*", abandoned: nil)).contains("start 3 digits 3* after 3"))
    _ = script.turn(3)
    #expect(script.go(.digit("4", abandoned: nil)) == [])
    #expect(script.wait(.seconds(2)).contains("start 4 digits 4 after 5"))
  }

  @Test("A key makes an end of the utterance that its tone began")
  func keyDuringSpeech() {
    var script = PipelineScript.begun()
    _ = script.go(.speechStarted(1))
    #expect(script.go(.digit("1", abandoned: 1)).contains("start 2 digits 1 after 1"))
    #expect(script.go(.recognition(.final("one", confidence: 0.9))) == [])
    _ = script.turn(2)
    #expect(script.caller(2, "yes").contains("heard 'yes'"))
  }

  @Test("A result may overtake the end of its utterance")
  func overtaking() {
    var script = PipelineScript.begun()
    #expect(script.go(.speechStarted(1)) == ["speech started"])
    #expect(
      script.go(.recognition(.final("yes", confidence: 1))).prefix(2) == ["speech ended", "heard 'yes'"])
    #expect(script.go(.speechEnded(1, milliseconds: 500)) == [])
    var other = PipelineScript.begun()
    _ = other.go(.speechStarted(1))
    let actions = other.machine.handle(.recognition(.final("yes", confidence: 1)), at: other.now)
    #expect(
      actions.first == .report(.callerStopped(millisecondsAgo: 500)), "how long the answer takes is known")
  }

  @Test func silenceIsAnsweredThreeTimesAndThenLast() {
    var script = PipelineScript.begun()
    #expect(script.wait(.seconds(7)) == [])
    for number in 2...4 {
      #expect(script.wait(.seconds(8)).contains { $0.hasPrefix("start \(number) silence") })
      _ = script.turn(number, "Are you there?")
    }
    #expect(script.wait(.seconds(8)).contains("speak 5 I cannot hear you. Goodbye. and hang up"))
    #expect(
      script.go(.turn(TurnID(5), .toolCall(ToolCall(id: "x", name: Tool.hangUp, turn: TurnID(5))))) == [
        "tool hang_up"
      ])
    _ = script.turn(5, "Goodbye.")
    #expect(script.wait(.seconds(1000)) == [])
  }

  @Test("Silence means nothing on hold, while a tool runs, or while the agent speaks")
  func noSilence() {
    var script = PipelineScript.begun()
    _ = script.go(.command(.held(true)))
    #expect(script.wait(.seconds(1000)) == [])
    _ = script.go(.command(.held(false)))
    #expect(script.wait(.seconds(5)) == [])
    _ = script.caller(1, "order")
    _ = script.go(.turn(TurnID(2), .toolCall(ToolCall(id: "t", name: "look_up", turn: TurnID(2)))))
    _ = script.turn(2, "One moment.")
    #expect(script.wait(.seconds(1000)) == [])
    #expect(
      script.go(.command(.toolResult(ToolResult(callID: "t", output: "here")))) == [
        "turn 3 started", "start 3 results [\"t\"] after 4", "agent speaks",
      ])
    #expect(script.go(.command(.toolResult(ToolResult(callID: "t", output: "again")))) == [])
  }

  @Test func resultsWaitForTheCaller() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "order")
    _ = script.go(.turn(TurnID(2), .toolCall(ToolCall(id: "t", name: "look_up", turn: TurnID(2)))))
    _ = script.turn(2, "One moment.")
    _ = script.go(.speechStarted(2))
    #expect(script.go(.command(.toolResult(ToolResult(callID: "t", output: "here")))) == [])
    _ = script.go(.speechEnded(2, milliseconds: 800), .recognition(.final("hurry", confidence: 1)))
    #expect(script.machine.transcript.map(\.text).suffix(2) == ["\"here\"", "hurry"])
  }

  @Test func wordsToSayWaitForTheTurn() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "a question")
    #expect(script.go(.command(.say("One minute left."))) == [])
    #expect(script.turn(2, "Answer.", isPlayed: false).contains("speak 3 One minute left."))
    var apology = PipelineScript()
    _ = apology.go(.prepare)
    #expect(
      apology.go(.command(.say("Sorry."))) == ["cancel 1", "open", "turn 2 started", "speak 2 Sorry."])
  }

  @Test func whoTakesOverAnswersTheLastQuestion() {
    var script = PipelineScript(transcript: [
      TranscriptEntry(.agent, .speech, "Hello.", at: 0), TranscriptEntry(.caller, .speech, "Hours?", at: 900),
      TranscriptEntry(.system, .note, "agent first: closed: gone", at: 950),
    ])
    #expect(script.go(.prepare) == [])
    #expect(script.go(.command(.begin)).contains("start 1 speech 'Hours?' after 2"))
    var greeting = PipelineScript(transcript: [TranscriptEntry(.agent, .speech, "Hello.", at: 0)])
    #expect(greeting.go(.command(.begin)).contains("start 1 takeover after 1"))
  }

  @Test func nothingIsWaitedForWithoutEnd() {
    var model = PipelineScript.begun()
    _ = model.caller(1, "a question")
    #expect(model.wait(.seconds(20)) == ["cancel 2", "failed timedOut", "close"])
    var recogniser = PipelineScript.begun()
    _ = recogniser.go(.speechStarted(1), .speechEnded(1, milliseconds: 900))
    #expect(recogniser.wait(.seconds(10)) == ["failed recognizer timedOut", "close"])
    var voice = PipelineScript.begun()
    _ = voice.caller(1, "a question")
    _ = voice.go(.turn(TurnID(2), .text("Answer.")))
    #expect(voice.wait(.seconds(20)) == ["cancel 2", "failed synthesizer timedOut", "close"])
    var words = PipelineScript.begun()
    _ = words.caller(1, "a question")
    _ = words.go(.turn(TurnID(2), .text("Well, ")), .turn(TurnID(2), .spoken(milliseconds: 400)))
    #expect(words.wait(.seconds(20)) == ["cancel 2", "failed timedOut", "close"])
    var channel = PipelineScript.begun()
    _ = channel.caller(1, "a question")
    _ = channel.turn(2, "Answer.", isPlayed: false)
    #expect(channel.wait(.seconds(12)) == ["agent is quiet"])
    #expect(channel.wait(.seconds(8)).contains { $0.hasPrefix("start 3 silence") })
  }

  @Test func failuresEndIt() {
    var script = PipelineScript.begun()
    _ = script.caller(1, "a question")
    #expect(
      script.go(.turn(TurnID(2), .failed(VoiceFailure(.unauthorized, "no")))) == [
        "cancel 2", "failed unauthorized", "close",
      ])
    #expect(script.go(.command(.begin), .command(.close), .speechStarted(2), .tick) == [])
    var early = PipelineScript()
    _ = early.go(.prepare)
    #expect(
      early.go(.turn(TurnID(1), .failed(VoiceFailure(.unreachable, "no")))) == [
        "cancel 1", "failed unreachable", "close",
      ])
  }
}
