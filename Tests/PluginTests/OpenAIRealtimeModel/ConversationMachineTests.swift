import RouterCore
import Testing

@testable import OpenAIRealtimeModel

/// What is said and done, event by event.
@Suite struct ConversationMachineTests {
  @Test func theGreeting() throws {
    var tale = try RealtimeTale()
    #expect(tale.sound("r0") == ["start 1"], "nothing is heard before it begins")
    tale = try RealtimeTale()
    #expect(
      tale.greeted() == [
        "create!", "start 1", "said 1 …Hello there.", "sound 1", "said 1 Hello there.", "end 1",
      ])
    #expect(tale.engine(.begin) == [])
    #expect(tale.engine(.played(TurnID(1))) == [])
  }

  @Test func theCallerSpeaksWhileTheServerStillSpeaks() throws {
    var tale = try RealtimeTale()
    _ = tale.engine(.begin) + tale.created("r1") + tale.said("r1", "One two three four") + tale.sound("r1")
    #expect(tale.speech("started") == ["speechStarted"])
    #expect(tale.engine(.truncate(TurnID(1), playedMilliseconds: 400)) == ["truncate i 400", "end 1"])
    #expect(tale.sound("r1") == [], "late sound is dropped")
    #expect(tale.said("r1", "five") == [])
    #expect(tale.done("r1", "cancelled", #","status_details":{"reason":"turn_detected"}"#) == [])
    #expect(tale.speech("stopped") == ["callerStopped(millisecondsAgo: 500)", "speechEnded"])
    #expect(tale.created("r2") == ["start 2"])
    #expect(tale.sound("r2", item: "j") == ["sound 2"])
  }

  @Test(arguments: [
    // played, what is cut: items of one second each
    (0, ["truncate i 0", "truncate j 0"]), (999, ["truncate i 999", "truncate j 0"]),
    (1000, ["truncate j 0"]), (1500, ["truncate j 500"]), (2000, []), (9999, []),
    (-5, ["truncate i 0", "truncate j 0"]),
  ])
  func onlyWhatWasNotHeardIsCut(_ played: Int, _ expected: [String]) throws {
    var tale = try RealtimeTale()
    _ = tale.engine(.begin) + tale.created("r1") + tale.sound("r1", item: "i") + tale.sound("r1", item: "j")
    _ = tale.done("r1")
    #expect(tale.engine(.truncate(TurnID(1), playedMilliseconds: played)) == expected)
    #expect(tale.engine(.truncate(TurnID(1), playedMilliseconds: played)) == [], "once")
  }

  @Test func whatGaveNoSoundIsNotCut() throws {
    var tale = try RealtimeTale()
    _ = tale.engine(.begin) + tale.created("r1")
    #expect(tale.engine(.truncate(TurnID(1), playedMilliseconds: 0)) == ["end 1"])
  }

  @Test func aServerThatDoesNotInterruptItselfIsTold() throws {
    var tale = try RealtimeTale(settings: ["turnDetection": ["interrupt_response": false]])
    _ = tale.engine(.begin) + tale.created("r1") + tale.sound("r1")
    _ = tale.speech("started")
    #expect(
      tale.engine(.truncate(TurnID(1), playedMilliseconds: 20)) == ["cancel", "truncate i 20", "end 1"])
  }

  @Test func aServerThatDoesNotAnswerByItselfIsAsked() throws {
    var tale = try RealtimeTale(settings: ["turnDetection": ["create_response": false]])
    _ = tale.greeted()
    _ = tale.speech("started")
    _ = tale.speech("stopped")
    #expect(tale.server(#"{"type":"input_audio_buffer.committed","item_id":"u"}"#) == ["create"])
  }

  // MARK: Keys

  @Test func keysAreTold() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    #expect(tale.engine(.digit("1")) == [])
    #expect(tale.engine(.digit("2")) == [])
    #expect(tale.after(.seconds(1)) == [])
    #expect(
      tale.after(.seconds(1)) == ["user: [The caller pressed the keys 12 on the telephone.]", "create"])
    _ = tale.created("r2") + tale.done("r2")
    #expect(tale.engine(.digit("é")) == [])
    #expect(tale.engine(.digit("#")).count == 2)
  }

  // MARK: Tools

  @Test func severalToolsAndOneResponseAfterTheLast() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2")
    #expect(
      tale.done("r2", "completed", RealtimeTale.calls) == ["end 2", #"call c1 f {"a": 1}"#, "call c2 g {}"])
    #expect(tale.engine(.toolResult(ToolResult(callID: "c2", output: "two"))) == ["result c2 two"])
    #expect(tale.engine(.toolResult(ToolResult(callID: "c2", output: "again"))) == [])
    let failed = ToolResult(callID: "c1", output: "no", isError: true)
    #expect(tale.engine(.toolResult(failed)) == [#"result c1 {"error": "no"}"#, "create"])
  }

  @Test func callsOfACancelledResponseAreNotMade() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2")
    _ = tale.server(
      #"{"type":"response.function_call_arguments.done","response_id":"r2","call_id":"c","name":"f","arguments":"{"}"#
    )
    #expect(tale.done("r2", "cancelled") == ["end 2"])
  }

  @Test func theBetaFormSaysTheNameElsewhere() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2")
    _ = tale.server(
      #"{"type":"response.output_item.added","response_id":"r2","item":{"type":"function_call","call_id":"c","name":"f"}}"#
    )
    _ = tale.server(
      #"{"type":"response.function_call_arguments.done","response_id":"r2","call_id":"c","arguments":"{\"x\":2}"}"#
    )
    #expect(tale.done("r2") == ["end 2", #"call c f {"x": 2}"#])
  }

  @Test func argumentsThatAreNoObjectGoBackToTheModel() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2")
    let call = #","output":[{"type":"function_call","call_id":"c","name":"f","arguments":"[1"}]"#
    #expect(
      tale.done("r2", "completed", call) == [
        "end 2", #"result c {"error": "the arguments are no JSON object"}"#, "create",
      ])
  }

  @Test func resultsWaitForTheCallerToFinish() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2") + tale.done("r2", "completed", RealtimeTale.calls)
    _ = tale.engine(.toolResult(ToolResult(callID: "c1", output: "1")))
    _ = tale.speech("started")
    #expect(tale.engine(.toolResult(ToolResult(callID: "c2", output: "2"))) == ["result c2 2"])
    _ = tale.speech("stopped")
    // The server's own answer has seen the results.
    #expect(tale.created("r3") == ["start 3"])
    #expect(tale.done("r3") == ["end 3"])
  }

  @Test func aServerThatDoesNotAnswerTheCallerIsAskedToGoOn() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2") + tale.done("r2", "completed", RealtimeTale.calls)
    _ = tale.speech("started")
    _ = tale.engine(.toolResult(ToolResult(callID: "c1", output: "1")))
    _ = tale.engine(.toolResult(ToolResult(callID: "c2", output: "2")))
    _ = tale.speech("stopped")
    #expect(tale.after(.seconds(3)) == ["create"])
  }

  // MARK: Trouble

  @Test func aLostRaceIsNoFailure() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    #expect(tale.engine(.say("Hold on.")) == ["create!"])
    // The server's own response came first; ours is refused and wanted again after it.
    #expect(tale.created("r2") == ["start 2"])
    #expect(tale.error("conversation_already_has_active_response") == ["log debug"])
    tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.engine(.say("Hold on."))
    #expect(tale.error("conversation_already_has_active_response") == ["log debug"])
    #expect(tale.created("r2") == ["start 2"])
    #expect(tale.done("r2") == ["end 2", "create!"])
  }

  @Test(arguments: [
    ("response_cancel_not_active", ["log debug"]), ("unsupported_content_type", ["log warning"]),
    ("item_truncate_invalid_item_id", ["log warning"]), ("server_error", ["log warning"]),
    ("insufficient_quota", ["fail rateLimited"]), ("rate_limit_exceeded", ["fail rateLimited"]),
    ("invalid_api_key", ["fail unauthorized"]), ("account_deactivated", ["fail unauthorized"]),
    ("billing_hard_limit_reached", ["fail rateLimited"]),
  ])
  func fewErrorsAreFatal(_ code: String, _ expected: [String]) throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    #expect(tale.error(code) == expected)
  }

  @Test func aResponseThatFailsIsAskedForOnceMore() throws {
    for status in ["failed", "incomplete"] {
      var tale = try RealtimeTale()
      #expect(tale.engine(.begin) + tale.created("r1") == ["create!", "start 1"])
      #expect(tale.done("r1", status) == ["end 1", "log warning", "create!"])
      _ = tale.created("r2")
      #expect(tale.done("r2", status) == ["end 2", "log warning", "fail protocolError"])
    }
  }

  @Test func aResponseThatEndsInTheMiddleIsNotRepeated() throws {
    var tale = try RealtimeTale()
    _ = tale.engine(.begin) + tale.created("r1") + tale.sound("r1")
    let reason = #","status_details":{"reason":"max_output_tokens"}"#
    #expect(tale.done("r1", "incomplete", reason) == ["end 1", "log warning"])
  }

  @Test func aLimitIsAFailureAtOnce() throws {
    var tale = try RealtimeTale()
    _ = tale.engine(.begin) + tale.created("r1")
    let details = #","status_details":{"error":{"code":"rate_limit_exceeded","message":"m"}}"#
    #expect(tale.done("r1", "failed", details) == ["end 1", "log warning", "fail rateLimited"])
  }

  @Test func silenceOfTheServerIsAFailure() throws {
    var tale = try RealtimeTale()
    _ = tale.engine(.begin)
    #expect(tale.after(.seconds(9)) == [])
    #expect(tale.after(.seconds(2)) == ["fail timedOut"])
  }

  @Test func garbageIsBorneForAWhile() throws {
    var tale = try RealtimeTale()
    for _ in 0..<10 { #expect(tale.server("[]") == ["log warning"]) }
    #expect(tale.server("[]") == ["fail protocolError"])
  }

  @Test func anythingInAnyOrderIsHarmless() throws {
    var tale = try RealtimeTale()
    var random = SystemRandomNumberGenerator()
    let codes = ["x", "session_expired", "conversation_already_has_active_response"]
    for _ in 0..<3000 {
      let id = "r\(Int.random(in: 0..<12, using: &random))"
      let turn = TurnID(Int.random(in: -1..<200, using: &random))
      switch Int.random(in: 0..<14, using: &random) {
      case 0: _ = tale.created(id)
      case 1: _ = tale.sound(id)
      case 2: _ = tale.said(id, "words")
      case 3: _ = tale.done(id, ["completed", "cancelled", "incomplete", "odd"].randomElement() ?? "")
      case 4: _ = tale.speech("started")
      case 5: _ = tale.speech("stopped")
      case 6: _ = tale.error(codes.randomElement() ?? "")
      case 7: _ = tale.engine(.truncate(turn, playedMilliseconds: .random(in: -10...9000, using: &random)))
      case 8: _ = tale.engine(.played(turn))
      case 9: _ = tale.engine(.say("Something."))
      case 10: _ = tale.engine(.digit("5"))
      case 11: _ = tale.done(id, "completed", RealtimeTale.calls)
      case 12: _ = tale.engine(.toolResult(ToolResult(callID: "c1", output: nil)))
      default: _ = tale.after(.milliseconds(Int.random(in: 0..<4000, using: &random)))
      }
      #expect(tale.machine.turns.count <= ConversationMachine.maximumTurns)
      #expect(tale.machine.wishes.count <= ConversationMachine.maximumWishes + 1)
    }
  }
}
